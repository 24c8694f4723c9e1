"""The report: one run, or a window of runs, on one page."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  (decoding JSON into the types needs it)
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from crossbridge.analysis._beside import asked_on_two
from crossbridge.analysis._rows import rows
from crossbridge.analysis.flaky import FlakyTest, RetriedTest, flaky_tests, retried_tests
from crossbridge.analysis.runs import Run, run_scope
from crossbridge.analysis.tests import (
    Failure,
    RankedTest,
    RunningTest,
    latest_failures,
    ranked_tests,
    rankings,
    run_failures,
    running_tests,
)
from crossbridge.analysis.totals import Totals, run_totals, window_p95, window_sums, with_p95

if TYPE_CHECKING:
    from psycopg import Connection

    from crossbridge.analysis.scope import RunScope, Scope

_FAILED = ("failed", "error")


class CollectorHealth(Struct, frozen=True, kw_only=True):
    """
    What became of the events of one or several runs: collected = written + spooled + dropped.

    `rejected` (refused by the database as bad data) are among the dropped. `torn` lines were cut short by the death
    of their process. `open_segments` are still being written, or wait for somebody to deliver their end.
    """

    runs: int
    events_collected: int
    events_written: int
    events_spooled: int
    events_dropped: int
    rejected: int
    torn: int
    unknown_events: int
    open_segments: int


class FailingTest(Struct, frozen=True, kw_only=True):
    """How often a test failed in a window, and its newest failure there."""

    framework: str
    test_id: str
    attempts: int
    failed: int
    latest: Failure


class RunReport(Struct, frozen=True, kw_only=True):
    """One run. The lists hold at most `limit` entries each."""

    run: Run
    frameworks: list[Totals]
    slowest: list[RankedTest]
    failures: list[Failure]
    retried: list[RetriedTest]
    interrupted: list[Failure]
    running: list[RunningTest]
    collector: CollectorHealth


class WindowReport(Struct, frozen=True, kw_only=True):
    """All runs since a moment. The lists hold at most `limit` entries each."""

    since: datetime
    frameworks: list[Totals]
    slowest: list[RankedTest]
    failing: list[FailingTest]
    flaky: list[FlakyTest]
    running: list[RunningTest]
    collector: CollectorHealth


def report_run(
    connection: Connection[Any], run: Run, framework: str | None = None, limit: int = 10
) -> RunReport:
    """Report on one run, or of what one framework did in it."""
    scope = run_scope(connection, run, framework, limit)
    return RunReport(
        run=run,
        frameworks=run_totals(connection, scope),
        slowest=ranked_tests(connection, scope, "average"),
        failures=run_failures(connection, scope, _FAILED),
        retried=retried_tests(connection, scope),
        interrupted=run_failures(connection, scope, ("interrupted",)),
        running=running_tests(connection, scope),
        collector=collector_health(connection, scope),
    )


def report_window(connection: Connection[Any], scope: Scope) -> WindowReport:
    """Report on a window."""
    flaky, (slowest, failing), p95, sums, collector, running = asked_on_two(
        connection,
        lambda on: flaky_tests(on, scope),
        lambda on: _slowest_and_failing(on, scope),
        lambda on: window_p95(on, scope),
        lambda on: window_sums(on, scope),
        lambda on: collector_health(on, scope),
        lambda on: running_tests(on, scope),
    )
    return WindowReport(
        since=scope.since,
        frameworks=with_p95(sums, p95),
        slowest=slowest,
        failing=failing,
        flaky=flaky,
        running=running,
        collector=collector,
    )


def _slowest_and_failing(
    connection: Connection[Any], scope: Scope
) -> tuple[list[RankedTest], list[FailingTest]]:
    ranked = rankings(connection, scope, "average", "failed")
    return ranked["average"], failing_tests(connection, scope, ranked["failed"])


def failing_tests(connection: Connection[Any], scope: Scope, ranked: list[RankedTest]) -> list[FailingTest]:
    """Add the newest failure to tests that failed; those whose rows retention has removed are left out."""
    latest = latest_failures(connection, scope, ranked)
    return [
        FailingTest(
            framework=test.framework,
            test_id=test.test_id,
            attempts=test.attempts,
            failed=test.failed,
            latest=latest[test.framework, test.test_id],
        )
        for test in ranked
        if (test.framework, test.test_id) in latest
    ]


def collector_health(connection: Connection[Any], scope: Scope | RunScope) -> CollectorHealth:
    """Tell what became of the events of one run, or of those that began in a window."""
    return rows(connection, "collector_health", CollectorHealth, scope)[0]
