"""How it went over time: the latest runs, hours or days of a window, and the latest outcomes of single tests."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from uuid import UUID  # noqa: TC003  (decoding JSON into the types needs it)

from msgspec import Struct

from crossbridge.analysis._rows import WORST_FIRST, rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection

    from crossbridge.analysis.flaky import FlakyTest
    from crossbridge.analysis.runs import Run
    from crossbridge.analysis.scope import Scope

TREND_RUNS = 30
HISTORY_RUNS = 30
_HOURLY_UP_TO = timedelta(hours=50)


class TrendRun(Struct, frozen=True, kw_only=True):
    """One of several runs in a row; the counts are of attempts, `duration_us` is wall time, None while it runs."""

    run_id: UUID
    started_at: datetime
    status: str
    git_commit: str | None
    attempts: int
    passed: int
    failed: int
    error: int
    skipped: int
    xfailed: int
    xpassed: int
    interrupted: int
    duration_us: int | None


class TrendPeriod(Struct, frozen=True, kw_only=True):
    """An hour or a day (UTC) of a window; the counts are of attempts, `total_us` is what all of them took."""

    started_at: datetime
    attempts: int
    passed: int
    failed: int
    error: int
    skipped: int
    xfailed: int
    xpassed: int
    interrupted: int
    total_us: int


class _History(Struct, frozen=True, kw_only=True):
    place: int
    outcomes: list[str]


def trend_of_run(
    connection: Connection[Any], run: Run, framework: str | None = None, limit: int = TREND_RUNS
) -> list[TrendRun]:
    """Return this run and the latest before it of the same environment and branch, oldest first."""
    return rows(
        connection,
        "run_trend",
        TrendRun,
        until=run.started_at,
        environment=run.environment,
        branch=run.git_branch,
        framework=framework,
        limit=limit,
    )


def trend_of_window(
    connection: Connection[Any], scope: Scope, now: datetime | None = None
) -> list[TrendPeriod]:
    """
    Return the days of a window, or its hours when it is short, from the first one that saw tests to the last.

    Hours and days are whole, so the first may begin before the window.
    """
    length = (now or datetime.now(timezone.utc)) - scope.since
    step = "hour" if length <= _HOURLY_UP_TO else "day"
    return rows(connection, "hour_trend", TrendPeriod, scope, step=step)


def outcome_histories(
    connection: Connection[Any],
    tests: Sequence[FlakyTest],
    scope: Scope,
    until: datetime | None = None,
    limit: int = HISTORY_RUNS,
) -> list[list[str]]:
    """
    Return how each of `tests` ended in its latest runs within the window, oldest first.

    An outcome is a status, or `flaky`: failed and passed when retried.
    """
    found = rows(
        connection,
        "outcome_history",
        _History,
        scope.limited(limit),
        frameworks=[test.framework for test in tests],
        test_ids=[test.test_id for test in tests],
        until=until or datetime.max.replace(tzinfo=timezone.utc),
        worst_first=WORST_FIRST,
    )
    by_place = {history.place: history.outcomes for history in found}
    return [by_place.get(place, []) for place in range(len(tests))]
