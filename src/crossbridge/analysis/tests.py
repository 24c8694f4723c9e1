"""Single tests: the slow ones, the failing ones, those that run right now."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID  # noqa: TC003

from msgspec import Struct
from msgspec.structs import replace

from crossbridge.analysis._rows import WORST_FIRST, rows
from crossbridge.analysis.scope import RunScope, Scope

if TYPE_CHECKING:
    from psycopg import Connection

MEASURED_ATTEMPTS = 10_000  # of all tests listed together: rows of one test lie far apart

Rank = Literal["average", "max", "total", "failed"]


class RankedTest(Struct, frozen=True, kw_only=True):
    """
    What the attempts of one test took. `failed` counts those that failed or broke (error).

    `share` is its part of the time of all tests looked at. The percentiles are of its newest `measured` attempts:
    all of them unless they are very many; null where they were not asked for.
    """

    framework: str
    test_id: str
    attempts: int
    failed: int
    total_us: int
    average_us: float
    max_us: int
    share: float = 0.0
    measured: int | None = None
    p50_us: float | None = None
    p95_us: float | None = None


class _Ranked(RankedTest, frozen=True, kw_only=True):
    rank: Rank


class _Days(Struct, frozen=True, kw_only=True):
    midnight: datetime
    weeks: list[date]


class _Percentiles(Struct, frozen=True, kw_only=True):
    place: int
    measured: int
    p50_us: float
    p95_us: float


class Failure(Struct, frozen=True, kw_only=True):
    """An attempt that failed, broke or was interrupted, and what was said of it."""

    framework: str
    test_id: str
    status: str
    attempt: int
    created_at: datetime
    duration_us: int
    error_type: str | None
    error_message: str | None


class RunningTest(Struct, frozen=True, kw_only=True):
    """An attempt that has begun and not ended; `step_name` is the innermost step it was last seen in."""

    run_id: UUID
    framework: str
    test_id: str
    attempt: int
    worker: str | None
    started_at: datetime
    step_name: str | None
    step_started_at: datetime | None


def ranked_tests(connection: Connection[Any], scope: Scope | RunScope, rank: Rank) -> list[RankedTest]:
    """Return the tests that took longest (on average, at most, in total) or failed most often; ties by name."""
    return rankings(connection, scope, rank)[rank]


def rankings(
    connection: Connection[Any], scope: Scope | RunScope, *ranks: Rank
) -> dict[Rank, list[RankedTest]]:
    """Rank the tests in several ways at the cost of one."""
    found: dict[Rank, list[RankedTest]] = {rank: [] for rank in ranks}
    for row in rows(
        connection, "ranked_tests", _Ranked, scope, ranks=list(ranks), **_slice(connection, scope, ranks)
    ):
        found[row.rank].append(
            RankedTest(**{name: getattr(row, name) for name in RankedTest.__struct_fields__})
        )
    return found


def _slice(connection: Connection[Any], scope: Scope | RunScope, ranks: tuple[Rank, ...]) -> dict[str, Any]:
    """Begin whole days at the nearest midnight, but for the longest attempts: rows cannot be taken off them."""
    if isinstance(scope, RunScope) or not scope.has_slice():
        return scope.slice()
    (days,) = rows(connection, "days_of_window", _Days, scope, **scope.slice())
    return scope.slice(None if "max" in ranks else days.midnight, days.weeks)


def slowest_tests(connection: Connection[Any], scope: Scope, rank: Rank) -> list[RankedTest]:
    """Return the tests that took longest, with percentiles."""
    return with_percentiles(connection, scope, ranked_tests(connection, scope, rank))


def with_percentiles(connection: Connection[Any], scope: Scope, ranked: list[RankedTest]) -> list[RankedTest]:
    """Add the percentiles to tests of the window."""
    sinces = [_since(scope, test, MEASURED_ATTEMPTS // len(ranked)) for test in ranked]
    found = rows(
        connection,
        "percentiles_of_tests",
        _Percentiles,
        scope,
        frameworks=[test.framework for test in ranked],
        test_ids=[test.test_id for test in ranked],
        sinces=sinces,
        narrowed=any(since > scope.since for since in sinces),
    )
    by_place = {one.place: one for one in found}
    return [
        replace(test, measured=one.measured, p50_us=one.p50_us, p95_us=one.p95_us)
        if (one := by_place.get(place))
        else test  # retention has removed its rows
        for place, test in enumerate(ranked)
    ]


def _since(scope: Scope, test: RankedTest, most: int) -> datetime:
    """Return the begin of the window's newest part that holds about so many of its attempts."""
    if test.attempts <= most:
        return scope.since
    now = datetime.now(timezone.utc)
    return now - (now - scope.since) * most / test.attempts


def run_failures(connection: Connection[Any], scope: RunScope, statuses: tuple[str, ...]) -> list[Failure]:
    """Find tests of a run whose last attempt ended with one of `statuses`, in the order in which they ended."""
    return rows(connection, "run_failures", Failure, scope, statuses=list(statuses), worst_first=WORST_FIRST)


def latest_failures(
    connection: Connection[Any], scope: Scope, tests: list[RankedTest]
) -> dict[tuple[str, str], Failure]:
    """Find the newest failure in the window of each of these tests, by framework and test_id."""
    found: dict[tuple[str, str], Failure] = {}
    for since in (_lately(scope.since), scope.since):  # most tests that fail often did so lately
        missing = [test for test in tests if (test.framework, test.test_id) not in found]
        if not missing:
            break
        for failure in rows(
            connection,
            "latest_failures",
            Failure,
            scope.begun(since),
            frameworks=[test.framework for test in missing],
            test_ids=[test.test_id for test in missing],
        ):
            found[failure.framework, failure.test_id] = failure
    return found


def _lately(since: datetime) -> datetime:
    """Return where the last eighth of a window begins."""
    now = datetime.now(timezone.utc)
    return now - (now - since) / 8


def running_tests(connection: Connection[Any], scope: Scope | RunScope) -> list[RunningTest]:
    """Return the tests in flight, the longest first."""
    return rows(connection, "running_tests", RunningTest, scope)
