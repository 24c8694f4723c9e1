"""The timeline of a run: which worker ran what when, and when it was idle."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from crossbridge.analysis._rows import rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from psycopg import Connection

    from crossbridge.analysis.scope import RunScope

# A start is the end less the duration, each rounded: neighbours on one worker may seem to overlap by this much.
OVERLAP_US = 1_000
_US = timedelta(microseconds=1)


class Attempt(Struct, frozen=True, kw_only=True):
    """An attempt of a test in a run: what ran, where and when."""

    framework: str
    test_id: str
    attempt: int
    status: str
    worker: str | None
    suite: str | None
    file: str | None
    started_at: datetime
    duration_us: int
    setup_us: int | None
    teardown_us: int | None
    error_type: str | None
    error_message: str | None


class Gap(Struct, frozen=True, kw_only=True):
    """A stretch in which a worker ran no test; `before` is the test that ended it, None after the last."""

    start_us: int
    duration_us: int
    before: str | None


class Slot(Struct, frozen=True, kw_only=True):
    """An attempt on the timeline; `start_us` counts from the timeline's beginning."""

    start_us: int
    duration_us: int
    framework: str
    test_id: str
    attempt: int
    status: str
    setup_us: int | None
    teardown_us: int | None


class Lane(Struct, frozen=True, kw_only=True):
    """
    One worker, or one of several lanes of a worker whose tests overlap.

    `busy_us` + `idle_us` is the length of the timeline; `gaps` holds the idle stretches in order.
    """

    name: str
    framework: str
    worker: str | None
    busy_us: int
    idle_us: int
    slots: list[Slot]
    gaps: list[Gap]


class Timeline(Struct, frozen=True, kw_only=True):
    """
    The workers of a run from its first test's start to its last test's end, `wall_us` later.

    `complete` is false when the run has more attempts than were asked for: then the shortest are missing, and time
    shown as idle may have been theirs.
    """

    started_at: datetime | None
    wall_us: int
    busy_us: int
    idle_us: int
    complete: bool
    lanes: list[Lane]


def run_attempts(connection: Connection[Any], scope: RunScope) -> list[Attempt]:
    """Return the attempts of a run in the order in which they began; of more than `scope.limit`, the longest."""
    return rows(connection, "run_attempts", Attempt, scope)


def timeline_of(attempts: Sequence[Attempt], *, complete: bool = True) -> Timeline:
    """Lay out attempts, which are in the order in which they began, on the lanes of their workers."""
    if not attempts:
        return Timeline(started_at=None, wall_us=0, busy_us=0, idle_us=0, complete=complete, lanes=[])
    begin = attempts[0].started_at
    wall_us = max(offset_us(begin, attempt) + attempt.duration_us for attempt in attempts)
    lanes = [_lane(name, on_lane, begin, wall_us) for name, on_lane in lane_names(assign_lanes(attempts))]
    return Timeline(
        started_at=begin,
        wall_us=wall_us,
        busy_us=sum(lane.busy_us for lane in lanes),
        idle_us=sum(lane.idle_us for lane in lanes),
        complete=complete,
        lanes=lanes,
    )


def offset_us(begin: datetime, attempt: Attempt) -> int:
    return (attempt.started_at - begin) // _US


def assign_lanes(attempts: Iterable[Attempt]) -> list[list[Attempt]]:
    """Give each worker a lane, and another one where its attempts overlap; in the natural order of their names."""
    workers: dict[tuple[str, str], _Worker] = defaultdict(_Worker)
    for attempt in attempts:
        workers[attempt.framework, attempt.worker or ""].take(attempt)
    ordered = sorted(workers, key=lambda key: (key[0], natural(key[1])))
    return [lane for key in ordered for lane in workers[key].lanes]


class _Worker:
    """The lanes of a worker: an attempt goes on the first that is free. Thousands may overlap."""

    def __init__(self) -> None:
        self.lanes: list[list[Attempt]] = []
        self._free: list[int] = []
        self._busy: list[tuple[datetime, int]] = []  # until when, and which

    def take(self, attempt: Attempt) -> None:
        while self._busy and self._busy[0][0] <= attempt.started_at + OVERLAP_US * _US:
            heappush(self._free, heappop(self._busy)[1])
        if not self._free:
            self._free.append(len(self.lanes))
            self.lanes.append([])
        number = heappop(self._free)
        self.lanes[number].append(attempt)
        heappush(self._busy, (attempt.started_at + attempt.duration_us * _US, number))


def lane_names(lanes: list[list[Attempt]]) -> list[tuple[str, list[Attempt]]]:
    """Name each lane: after its worker, its framework where there are several, and its number where need be."""
    several = len({lane[0].framework for lane in lanes}) > 1
    seen: dict[str, int] = defaultdict(int)
    named = []
    for lane in lanes:
        first = lane[0]
        name = " ".join(filter(None, [first.framework if several or not first.worker else "", first.worker]))
        seen[name] += 1
        named.append((f"{name} ({seen[name]})" if seen[name] > 1 else name, lane))
    return named


def natural(text: str) -> list[tuple[int, str]]:
    """Sort gw2 before gw10."""
    return [
        (int(part), "") if part.isdecimal() else (-1, part)
        for part in re.split(r"([0-9]{1,18})", text)
        if part
    ]


def _lane(name: str, attempts: list[Attempt], begin: datetime, wall_us: int) -> Lane:
    gaps: list[Gap] = []
    reached = idle_us = 0
    for attempt in [*attempts, None]:
        start = offset_us(begin, attempt) if attempt else wall_us
        if start > reached:
            idle_us += start - reached
            gaps.append(
                Gap(
                    start_us=reached,
                    duration_us=start - reached,
                    before=attempt.test_id if attempt else None,
                )
            )
        if attempt:
            reached = max(reached, start + attempt.duration_us)
    return Lane(
        name=name,
        framework=attempts[0].framework,
        worker=attempts[0].worker,
        busy_us=wall_us - idle_us,
        idle_us=idle_us,
        gaps=gaps,
        slots=[
            Slot(
                start_us=offset_us(begin, attempt),
                duration_us=attempt.duration_us,
                framework=attempt.framework,
                test_id=attempt.test_id,
                attempt=attempt.attempt,
                status=attempt.status,
                setup_us=attempt.setup_us,
                teardown_us=attempt.teardown_us,
            )
            for attempt in attempts
        ],
    )
