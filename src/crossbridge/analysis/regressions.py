"""Tests that got slower: since when, by how much, how sure. The method stands in docs/profiling/ANALYSIS.md."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import exp, log
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID  # noqa: TC003  (decoding JSON into the types needs it)

from msgspec import Struct
from msgspec.structs import replace

from crossbridge.analysis._beside import asked_on_two
from crossbridge.analysis._rows import rows
from crossbridge.analysis.history import LEAST, History, Series, read_history
from crossbridge.analysis.statistics import (
    Shift,
    benjamini_hochberg,
    best_split,
    hodges_lehmann,
    trimmed_t,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection

    from crossbridge.analysis.scope import Scope

FALSE_DISCOVERIES = (
    0.01  # of what is reported, by design; real machines change, which makes it a few times more
)
LEAST_CHANGE_US = 1000.0  # whatever the percentage
_LEAST_EACH = 3  # values before a change, and after it
_SEGMENT_P = 0.01


class Regression(Struct, frozen=True, kw_only=True):
    """
    A test whose passed attempts take longer, or less, since a moment.

    `before_us` and `after_us` are typical durations (medians of runs or days, the machine's part taken out). `ratio`
    is by how much, with its 95 % interval. `q_value`: the false discovery rate at which it would still be reported.
    `since_run` is the first run of the new time, `previous_commit` that of the last run before.
    """

    framework: str
    test_id: str
    before_us: float
    after_us: float
    ratio: float
    ratio_low: float
    ratio_high: float
    q_value: float
    before_count: int
    after_count: int
    since_at: datetime
    since_run: UUID | None
    git_commit: str | None
    previous_commit: str | None


class SuiteChange(Struct, frozen=True, kw_only=True):
    """All tests together became slower or faster: the machines, or something all tests go through."""

    ratio: float
    ratio_low: float
    ratio_high: float
    since_at: datetime


class Regressions(Struct, frozen=True, kw_only=True):
    """
    What changed in a window.

    `tests` had enough history: passed in at least 8 of `units` runs or days (`unit`). `suite` is what all of them
    have in common, which is taken out of the single ones.
    """

    since: datetime
    unit: str
    units: int
    tests: int
    suite: SuiteChange | None
    slower: list[Regression]
    faster: list[Regression]


class Change(NamedTuple):
    """The values from `start` to `split` differ from those from `split` on; p is of both sides, splits counted."""

    start: int
    split: int
    p: float


class _Since(Struct, frozen=True, kw_only=True):
    place: int
    since_at: datetime
    since_run: UUID
    git_commit: str | None
    previous_commit: str | None


def find_regressions(connection: Connection[Any], scope: Scope, least_change: float = 0.05) -> Regressions:
    """
    Find the tests that changed in the window and stayed so, those that lose most time first.

    Args:
        connection: As the reading commands open it.
        scope: The window and its filters; at most `limit` tests each way.
        least_change: Smaller changes are left out: 0.05 is 5 %.
    """
    history = read_history(connection, scope)
    found = judge(history, least_change)
    slower = sorted((one for one in found if one.ratio > 1), key=lambda one: one.before_us - one.after_us)[
        : scope.limit
    ]
    faster = sorted((one for one in found if one.ratio < 1), key=lambda one: one.after_us - one.before_us)[
        : scope.limit
    ]
    if history.runs is None and found:
        located = _locate(connection, scope, [*slower, *faster])
        slower, faster = located[: len(slower)], located[len(slower) :]
    return Regressions(
        since=scope.since,
        unit="day" if history.runs is None else "run",
        units=history.units,
        tests=history.tests,
        suite=_suite_change(history, least_change),
        slower=slower,
        faster=faster,
    )


def judge(history: History, least_change: float) -> list[Regression]:
    """Return the series that changed by more than `least_change`, so surely that few of them are mistaken."""
    changes = [(one, change) for one in history.series if (change := latest_change(one.lns))]
    q_values = benjamini_hochberg([change.p for _, change in changes], history.tests)
    return [
        found
        for (one, change), q in zip(changes, q_values, strict=True)
        if q <= FALSE_DISCOVERIES and (found := _measured(history, one, change, q, least_change))
    ]


def latest_change(values: Sequence[float]) -> Change | None:
    """
    Find the latest change of level: split where it is likeliest, and again what follows, while a test says so.

    The level before is that since the change before, if there was one.
    """
    found = _significant(values, 0, len(values))
    if found is None:
        return None
    while later := _significant(values, found.split, len(values)):
        found = later
    start = found.start
    while earlier := _significant(values, start, found.split):
        start = earlier.split
    return Change(start, found.split, found.p)


def _significant(values: Sequence[float], start: int, end: int) -> Change | None:
    part = values[start:end]
    split = best_split(part, _LEAST_EACH) if len(part) >= LEAST else None
    if split is None:
        return None
    # Bonferroni over the places where it could have been split.
    p = min(1.0, trimmed_t(part, split) * (len(part) - 2 * _LEAST_EACH + 1))
    return Change(start, start + split, p) if p <= _SEGMENT_P else None


def _measured(
    history: History, one: Series, change: Change, q: float, least_change: float
) -> Regression | None:
    before, after = one.lns[change.start : change.split], one.lns[change.split :]
    shift = hodges_lehmann(before, after)
    before_us = exp(median(before))
    if not _is_shift(before, after) or not _is_large(shift, before_us, least_change):
        return None
    place, previous = one.places[change.split], one.places[change.split - 1]
    run = history.runs[place] if history.runs else None
    return Regression(
        framework=one.framework,
        test_id=one.test_id,
        before_us=before_us,
        after_us=before_us * exp(shift.value),
        ratio=exp(shift.value),
        ratio_low=exp(shift.low),
        ratio_high=exp(shift.high),
        q_value=q,
        before_count=len(before),
        after_count=len(after),
        since_at=history.at(place),
        since_run=run.run_id if run else None,
        git_commit=run.git_commit if run else None,
        previous_commit=history.runs[previous].git_commit if history.runs else None,
    )


def _is_shift(before: Sequence[float], after: Sequence[float]) -> bool:
    """Whether ranks agree, which a few hung attempts do not move as they may move the mean of few."""
    shift = hodges_lehmann(before, after, 0.99)
    return shift.low * shift.high > 0


def _is_large(shift: Shift, before_us: float, least_change: float) -> bool:
    return (
        abs(shift.value) >= log(1 + least_change)
        and abs(before_us * (exp(shift.value) - 1)) >= LEAST_CHANGE_US
    )


def _suite_change(history: History, least_change: float) -> SuiteChange | None:
    places, values = list(history.factors), list(history.factors.values())
    change = latest_change(values)
    if change is None:
        return None
    before, after = values[change.start : change.split], values[change.split :]
    shift = hodges_lehmann(before, after)
    if not _is_shift(before, after) or not _is_large(shift, float("inf"), least_change):
        return None
    return SuiteChange(
        ratio=exp(shift.value),
        ratio_low=exp(shift.low),
        ratio_high=exp(shift.high),
        since_at=history.at(places[change.split]),
    )


def _locate(connection: Connection[Any], scope: Scope, found: list[Regression]) -> list[Regression]:
    """Find the very runs; the attempts about their days lie far apart, so two connections look for them."""
    middle = len(found) // 2
    halves = asked_on_two(
        connection,
        lambda on: _with_runs(on, scope, found[:middle]),
        lambda on: _with_runs(on, scope, found[middle:]),
    )
    return [*halves[0], *halves[1]]


def _with_runs(connection: Connection[Any], scope: Scope, found: list[Regression]) -> list[Regression]:
    """Find the very run of each, among the attempts about its day."""
    sinces = {
        since.place: since
        for since in rows(
            connection,
            "runs_of_changes",
            _Since,
            scope,
            frameworks=[one.framework for one in found],
            test_ids=[one.test_id for one in found],
            befores=[log(one.before_us) for one in found],
            afters=[log(one.after_us) for one in found],
            sinces=[one.since_at - timedelta(days=1) for one in found],
            untils=[one.since_at + timedelta(days=2) for one in found],
        )
    }
    return [_located(one, sinces.get(place)) for place, one in enumerate(found)]


def _located(one: Regression, since: _Since | None) -> Regression:
    if since is None:
        return one
    return replace(
        one,
        since_at=since.since_at,
        since_run=since.since_run,
        git_commit=since.git_commit,
        previous_commit=since.previous_commit,
    )
