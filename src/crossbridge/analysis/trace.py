"""
A run as a trace for Perfetto or chrome://tracing: frameworks are processes, workers threads, all else complete events.

The format is the "Trace Event Format" by Nat Duca and Dan Sinclair, its JSON object form
(https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU). Times are microseconds. Complete
events (`X`) of one thread must nest; what overlaps, such as concurrent HTTP calls, gets a thread of its own.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from crossbridge.analysis._rows import rows
from crossbridge.analysis.timeline import OVERLAP_US, Attempt, assign_lanes, lane_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from psycopg import Connection

    from crossbridge.analysis.runs import Run
    from crossbridge.analysis.scope import RunScope

_US = timedelta(microseconds=1)
_PHASES = (("set-up", "setup_us"), ("tear-down", "teardown_us"))


class Part(Struct, frozen=True, kw_only=True):
    """A step, an HTTP call or a driver command of a run; `detail` is its type, its answer or its target."""

    kind: str
    framework: str
    test_id: str | None
    attempt: int
    worker: str | None
    name: str
    detail: str | None
    status: str
    depth: int | None
    started_at: datetime
    duration_us: int


@dataclass
class _Span:
    """One complete event to be."""

    start_us: int
    end_us: int
    name: str
    category: str
    args: dict[str, Any]


@dataclass
class _Track:
    """A thread: spans put on it either nest or do not touch."""

    spans: list[_Span] = field(default_factory=list)
    _open: list[_Span] = field(default_factory=list)

    def take(self, span: _Span) -> bool:
        """Add the span, which begins no earlier than the ones before it; False when it would cross one of them."""
        while self._open and self._open[-1].end_us <= span.start_us:
            self._open.pop()
        top = self._open[-1] if self._open else span
        around = self._open[-2] if len(self._open) > 1 else span
        place = len(self._open)
        if 0 < span.end_us - top.end_us <= OVERLAP_US:
            span.end_us = top.end_us
        elif span.end_us > top.end_us:
            # Starts are reckoned from ends, each to the microsecond: a child may seem to begin before its parent.
            if span.start_us - top.start_us > OVERLAP_US or span.end_us > around.end_us:
                return False
            top.start_us = span.start_us
            place -= 1
        self._open.insert(place, span)
        self.spans.append(span)
        return True


def run_parts(connection: Connection[Any], scope: RunScope) -> list[Part]:
    """Return steps, HTTP calls and driver commands of a run as they began; of more than `scope.limit`, the longest."""
    return rows(connection, "run_parts", Part, scope)


def trace_of(run: Run, attempts: Sequence[Attempt], parts: Sequence[Part]) -> dict[str, Any]:
    """Make the document; its times count from the first event."""
    begin = min(
        [*(attempt.started_at for attempt in attempts), *(part.started_at for part in parts)], default=None
    )
    owners = _owners(attempts)
    inside: dict[int, list[Part]] = defaultdict(list)
    outside: dict[str, list[Part]] = defaultdict(list)
    for part in parts:
        owner = _owner(owners, part)
        if owner is None:
            outside[part.framework].append(part)
        else:
            inside[id(owner)].append(part)
    events: list[dict[str, Any]] = []
    lanes = lane_names(assign_lanes(attempts))
    processes = {
        name: pid for pid, name in enumerate(sorted({*(a.framework for a in attempts), *outside}), 1)
    }
    threads = [(lane[0].framework, name, _lane_spans(lane, inside, begin)) for name, lane in lanes]
    threads += [
        (framework, "outside tests", [_part_span(part, begin) for part in found])
        for framework, found in sorted(outside.items())
    ]
    for framework, pid in processes.items():
        events.append(_metadata("process_name", pid, 0, name=framework))
        events.append(_metadata("process_labels", pid, 0, labels=f"run {run.run_id}"))
    tid = 0
    for framework, name, spans in threads:
        for number, track in enumerate(_tracks(spans), 1):
            tid += 1
            thread = name if number == 1 else f"{name}, at the same time {number}"
            events += _thread_events(processes[framework], tid, thread, track)
    return {
        "traceEvents": events,
        "displayTimeUnit": "ms",
        "otherData": {"run_id": str(run.run_id), "started_at": begin.isoformat() if begin else None},
    }


def _owners(attempts: Iterable[Attempt]) -> dict[tuple[str, str, int], list[Attempt]]:
    owners: dict[tuple[str, str, int], list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        owners[attempt.framework, attempt.test_id, attempt.attempt].append(attempt)
    return owners


def _owner(owners: dict[tuple[str, str, int], list[Attempt]], part: Part) -> Attempt | None:
    """Find the attempt a part belongs to: calls do not name a worker, and several may run a test at once."""
    found = [
        attempt
        for attempt in owners.get((part.framework, part.test_id or "", part.attempt), ())
        if part.worker is None or part.worker == attempt.worker
    ]
    slack = OVERLAP_US * _US
    for attempt in found:
        if (
            attempt.started_at - slack
            <= part.started_at
            <= attempt.started_at + attempt.duration_us * _US + slack
        ):
            return attempt
    return None


def _lane_spans(lane: list[Attempt], inside: dict[int, list[Part]], begin: datetime | None) -> list[_Span]:
    spans = []
    for attempt in lane:
        whole = _attempt_span(attempt, begin)
        spans += [whole, *_phase_spans(attempt, whole)]
        spans += [_clipped(_part_span(part, begin), whole) for part in inside[id(attempt)]]
    return spans


def _attempt_span(attempt: Attempt, begin: datetime | None) -> _Span:
    start = _since(begin, attempt.started_at)
    args = {
        "status": attempt.status,
        "attempt": attempt.attempt,
        "suite": attempt.suite,
        "file": attempt.file,
        "error_type": attempt.error_type,
        "error_message": attempt.error_message,
    }
    return _Span(start, start + attempt.duration_us, attempt.test_id, "test", args)


def _phase_spans(attempt: Attempt, whole: _Span) -> Iterator[_Span]:
    for name, column in _PHASES:
        us = min(getattr(attempt, column) or 0, attempt.duration_us)
        if us:
            start = whole.start_us if column == "setup_us" else whole.end_us - us
            yield _Span(start, start + us, name, "phase", {})


def _part_span(part: Part, begin: datetime | None) -> _Span:
    start = _since(begin, part.started_at)
    args = {"status": part.status, "detail": part.detail}
    return _Span(start, start + part.duration_us, part.name, part.kind, args)


def _since(begin: datetime | None, at: datetime) -> int:
    return (at - begin) // _US if begin else 0


def _clipped(span: _Span, whole: _Span) -> _Span:
    """Keep a part within its attempt, beyond which it reaches by no more than the clock's error."""
    if whole.start_us - OVERLAP_US <= span.start_us < whole.start_us:
        span.start_us = whole.start_us
    if whole.end_us < span.end_us <= whole.end_us + OVERLAP_US:
        span.end_us = max(span.start_us, whole.end_us)
    return span


_OUTERMOST_FIRST = {"test": 0, "phase": 1, "step": 2, "http": 3, "driver": 4}


def _tracks(spans: list[_Span]) -> list[_Track]:
    """Spread spans over as few threads as their overlaps need."""
    tracks = [_Track()]
    ordered = sorted(spans, key=lambda s: (s.start_us, -s.end_us, _OUTERMOST_FIRST[s.category]))
    for span in ordered:
        track = next((track for track in tracks if track.take(span)), None)
        if track is None:
            track = _Track()
            track.take(span)
            tracks.append(track)
    return tracks


def _thread_events(pid: int, tid: int, name: str, track: _Track) -> Iterator[dict[str, Any]]:
    yield _metadata("thread_name", pid, tid, name=name)
    yield _metadata("thread_sort_index", pid, tid, sort_index=tid)
    for span in sorted(track.spans, key=lambda s: (s.start_us, -s.end_us)):
        yield {
            "ph": "X",
            "name": span.name,
            "cat": span.category,
            "ts": span.start_us,
            "dur": span.end_us - span.start_us,
            "pid": pid,
            "tid": tid,
            "args": {key: value for key, value in span.args.items() if value is not None},
        }


def _metadata(kind: str, pid: int, tid: int, **args: Any) -> dict[str, Any]:
    return {"ph": "M", "name": kind, "pid": pid, "tid": tid, "args": args}
