"""What tests took, run by run or day by day: series that a slow-down of one test can be found in.

A series is of logarithms of passed attempts, one value a run or a day. Machines differ and share their load among all
tests, so the place itself is taken out: its factor is the median of how far its tests lie from their own medians.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from statistics import median
from typing import TYPE_CHECKING, Any
from uuid import UUID  # noqa: TC003  (decoding rows into the types needs it)

from msgspec import Struct

from crossbridge.analysis._rows import rows
from crossbridge.analysis.statistics import spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from psycopg import Connection

    from crossbridge.analysis.scope import Scope

LEAST = 8  # values a series must have
# Attempts that are read row by row; of a longer history days are read, or its newest runs if it has too few days.
MOST_ATTEMPTS = 40_000
_CLOSE_LOOKS = 64  # at half as many tests for each of three contrasts, many of them the same
_LEAST_TESTS = 20  # of which a place's factor is worth taking: the median of few may be the change itself
_LEAST_DAYS = LEAST + 2


class RunPlace(Struct, frozen=True, kw_only=True):
    """A run as a place in history."""

    run_id: UUID
    started_at: datetime
    git_commit: str | None
    git_branch: str | None
    app_version: str | None
    environment: str | None


class Series(Struct, frozen=True, kw_only=True):
    """A test's values (logarithms of microseconds), and the places in the history they belong to, rising."""

    framework: str
    test_id: str
    places: list[int]
    lns: list[float]


@dataclass(frozen=True)
class History:
    """
    The series worth a close look, their places' factors taken out.

    `tests` had enough history, these among them. `runs` are the places, or None when they are days from `first_day`
    on. `factors` are how much slower (logarithm) each place was than usual.
    """

    tests: int
    series: list[Series]
    factors: dict[int, float]
    runs: list[RunPlace] | None = None
    first_day: datetime | None = None
    units: int = 0

    def at(self, place: int) -> datetime:
        """When a place began."""
        if self.runs is not None:
            return self.runs[place].started_at
        assert self.first_day is not None  # noqa: S101
        return self.first_day + timedelta(days=place)


class _Extent(Struct, frozen=True, kw_only=True):
    runs: int
    attempts: int
    days: int


class _Screened(Struct, frozen=True, kw_only=True):
    test_key: int
    tests: int  # of which it was chosen
    chosen: bool


def read_history(connection: Connection[Any], scope: Scope) -> History:
    """Read a window of few attempts run by run, one of many days by days, and another one's newest runs."""
    extent = rows(connection, "history_extent", _Extent, scope)[0]
    by_day = (
        extent.attempts > MOST_ATTEMPTS
        and extent.days >= _LEAST_DAYS
        and not (scope.environment and scope.branch)
    )
    return _by_day(connection, scope) if by_day else _by_run(connection, scope)


def _by_run(connection: Connection[Any], scope: Scope) -> History:
    runs = rows(connection, "history_runs", RunPlace, scope, most_attempts=MOST_ATTEMPTS)
    series = series_of_runs(connection, [run.run_id for run in runs], scope.framework, LEAST)
    return history_of(series, runs)


def history_of(series: list[Series], runs: list[RunPlace]) -> History:
    """Take out what the runs have in common, and choose the series worth a close look."""
    factors = factors_of(series)
    series = without_factors(series, factors)
    chosen = _closest([_contrasts(one.lns) for one in series])
    return History(len(series), [series[index] for index in chosen], factors, runs=runs, units=len(runs))


def series_of_runs(
    connection: Connection[Any], run_ids: list[UUID], framework: str | None = None, least: int = 1
) -> list[Series]:
    """Return what each test took in these runs, which are its places in the order given."""
    return rows(connection, "history_by_run", Series, run_ids=run_ids, framework=framework, least=least)


def _by_day(connection: Connection[Any], scope: Scope) -> History:
    today = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    first = scope.since.replace(hour=0, minute=0, second=0, microsecond=0)
    days = (today - first).days
    parameters: dict[str, Any] = {
        "slice": scope.slice_name(),
        "first_day": first.date(),
        "framework": scope.framework,
    }
    parts: dict[str, Any] = {
        name: (today - timedelta(days=max(2, days // part))).date()
        for name, part in (("tenth", 10), ("quarter", 4), ("half", 2))
    }
    screened = rows(
        connection, "screen_days", _Screened, **parameters, **parts, least=LEAST, close_looks=_CLOSE_LOOKS
    )
    chosen = sum(test.chosen for test in screened)
    read = rows(
        connection,
        "history_by_day",
        Series,
        **parameters,
        test_keys=[test.test_key for test in screened],
        last_place=days + 1,  # a client's clock may run ahead
    )
    factors = factors_of(read)
    return History(
        screened[0].tests if screened else 0,
        without_factors(read[:chosen], factors),
        factors,
        first_day=first,
        units=len({place for one in read for place in one.places}),
    )


def factors_of(series: Iterable[Series]) -> dict[int, float]:
    """Return how far the tests of each place lie from their own medians, in the middle; 0 where they are few."""
    distances: dict[int, list[float]] = defaultdict(list)
    for one in series:
        usual = median(one.lns)
        for place, ln in zip(one.places, one.lns, strict=True):
            distances[place].append(ln - usual)
    return {
        place: median(found) if len(found) >= _LEAST_TESTS else 0.0
        for place, found in sorted(distances.items())
    }


def without_factors(series: Iterable[Series], factors: dict[int, float]) -> list[Series]:
    return [
        Series(
            framework=one.framework,
            test_id=one.test_id,
            places=one.places,
            lns=[ln - factors[place] for place, ln in zip(one.places, one.lns, strict=True)],
        )
        for one in series
    ]


def _contrasts(values: Sequence[float]) -> list[tuple[float, float]]:
    """Return how much the newest tenth, quarter and half of a series lie above the rest (medians), with the error."""
    count = len(values)
    deviation = spread(values)
    found = []
    for newest in (max(3, count // 10), max(3, count // 4), count // 2):
        late, early = values[count - newest :], values[: count - newest]
        # a clock of whole units leaves no spread at all
        error = max(deviation, 1e-3) * (1 / newest + 1 / (count - newest)) ** 0.5
        found.append((median(late) - median(early), error))
    return found


def _closest(contrasts: list[list[tuple[float, float]]]) -> list[int]:
    """Return which of the tests to look at closely: those whose contrasts lie farthest from everybody's."""
    if len(contrasts) <= _CLOSE_LOOKS:
        return list(range(len(contrasts)))
    chosen: set[int] = set()
    for column in zip(*contrasts, strict=True):
        usual = median(shift for shift, _ in column)
        size = [abs(shift - usual) / error for shift, error in column]
        chosen.update(sorted(range(len(size)), key=lambda index: -size[index])[: _CLOSE_LOOKS // 2])
    return sorted(chosen)
