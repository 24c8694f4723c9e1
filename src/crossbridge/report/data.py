"""Gather what the HTML report shows: one run, or a window. `Page` is also the document that its script reads."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from crossbridge.analysis.breakdown import Breakdown, RankedPart, break_down, newest, ranked_parts
from crossbridge.analysis.flaky import FlakyTest, RetriedTest, flaky_tests, retried_tests
from crossbridge.analysis.regressions import Regressions, find_regressions
from crossbridge.analysis.report import CollectorHealth, collector_health, failing_tests
from crossbridge.analysis.runs import Run, run_scope
from crossbridge.analysis.scope import Scope
from crossbridge.analysis.tests import (
    RankedTest,
    RunningTest,
    rankings,
    run_failures,
    running_tests,
    with_percentiles,
)
from crossbridge.analysis.timeline import Lane, Timeline, run_attempts, timeline_of
from crossbridge.analysis.totals import FAILING, Totals, run_totals, window_totals
from crossbridge.analysis.trend import (
    TrendPeriod,
    TrendRun,
    outcome_histories,
    trend_of_run,
    trend_of_window,
)
from crossbridge.report.failures import ErrorGroup, group_failures

if TYPE_CHECKING:
    from psycopg import Connection

MOST_ATTEMPTS = 50_000
MOST_TESTS = 1_000  # failing ones of a window, retried ones of a run
MOST_SLOW = 200  # of a window
MOST_FAILURES = 5_000
MOST_FLAKY = 50
MOST_REGRESSIONS = 100  # each way
MOST_PARTS = 200  # of each kind
MOST_BROKEN_DOWN = 150_000  # attempts of a window: these figures come from the rows, at some 150,000 a second
HISTORY_DAYS = 30  # before a run


class Columns(Struct, frozen=True, kw_only=True):
    """The attempts of a run by column, an entry each: 20,000 of them as objects would be twice the size."""

    names: list[str]
    frameworks: list[str]
    statuses: list[str]
    name: list[int]
    framework: list[int]
    status: list[int]
    attempt: list[int]
    lane: list[int]
    start_us: list[int]
    duration_us: list[int]
    setup_us: list[int | None]
    teardown_us: list[int | None]


class LaneSummary(Struct, frozen=True, kw_only=True):
    """One line of the timeline; its attempts are in the columns."""

    name: str
    tests: int
    busy_us: int
    idle_us: int
    gaps: int
    longest_gap_us: int
    longest_gap_start_us: int


class FlakyHistory(Struct, frozen=True, kw_only=True):
    """A flaky test with how its latest runs ended, oldest first."""

    test: FlakyTest
    outcomes: list[str]


class Page(Struct, frozen=True, kw_only=True):
    """All that a report shows. Of a run, `since` is None; of a window, what belongs to one run is."""

    generated_at: datetime
    run: Run | None = None
    since: datetime | None = None
    filters: dict[str, str]
    totals: list[Totals]
    trend: list[TrendRun] | list[TrendPeriod]
    breakdown: Breakdown
    broken_down_since: datetime | None = None  # when it is not the whole window
    parts: list[RankedPart]
    attempts: Columns | None = None
    ranked: list[RankedTest] | None = None
    wall_us: int = 0
    lanes: list[LaneSummary] = []
    complete: bool = True
    failures: list[ErrorGroup]
    failed_tests: int
    retried: list[RetriedTest] = []
    flaky: list[FlakyHistory]
    regressions: Regressions
    running: list[RunningTest]
    collector: CollectorHealth


def page_of_run(connection: Connection[Any], run: Run, framework: str | None = None) -> Page:
    """Gather the report of one run, or of what one framework did in it."""
    scope = run_scope(connection, run, framework, MOST_ATTEMPTS)
    attempts = run_attempts(connection, scope)
    timeline = timeline_of(attempts, complete=len(attempts) < MOST_ATTEMPTS)
    failures = run_failures(connection, scope, FAILING)
    began = run.started_at or datetime.now(timezone.utc)
    before = Scope(began - timedelta(days=HISTORY_DAYS), run.environment, None, framework, MOST_FLAKY)
    return Page(
        generated_at=datetime.now(timezone.utc),
        run=run,
        filters={"framework": framework} if framework else {},
        totals=run_totals(connection, scope),
        trend=trend_of_run(connection, run, framework),
        breakdown=break_down(connection, scope),
        parts=ranked_parts(connection, scope.limited(MOST_PARTS)),
        attempts=_columns(timeline),
        wall_us=timeline.wall_us,
        lanes=[_summary(lane) for lane in timeline.lanes],
        complete=timeline.complete,
        failures=group_failures(failures[:MOST_FAILURES]),
        failed_tests=len(failures),
        retried=retried_tests(connection, scope.limited(MOST_TESTS)),
        flaky=_flaky(connection, before, until=scope.until),
        regressions=find_regressions(
            connection, replace(before, branch=run.git_branch, limit=MOST_REGRESSIONS)
        ),
        running=running_tests(connection, scope.limited(MOST_TESTS)) if scope.since else [],
        collector=collector_health(connection, scope),
    )


def page_of_window(connection: Connection[Any], scope: Scope) -> Page:
    """Gather the report of all runs since a moment."""
    latest = newest(connection, scope, MOST_BROKEN_DOWN)
    ranked = rankings(connection, scope.limited(MOST_TESTS), "failed", "total")
    failing = failing_tests(connection, scope, ranked["failed"])
    notes = {
        (test.framework, test.test_id): f"{test.failed:,} of {test.attempts:,} attempts failed"
        for test in failing
    }
    filters = {"environment": scope.environment, "branch": scope.branch, "framework": scope.framework}
    return Page(
        generated_at=datetime.now(timezone.utc),
        since=scope.since,
        filters={name: value for name, value in filters.items() if value},
        totals=window_totals(connection, scope),
        trend=trend_of_window(connection, scope),
        breakdown=break_down(connection, latest),
        broken_down_since=latest.since if latest is not scope else None,
        parts=ranked_parts(connection, latest.limited(MOST_PARTS)),
        ranked=with_percentiles(connection, scope, ranked["total"][:MOST_SLOW]),
        failures=group_failures((test.latest for test in failing), notes),
        failed_tests=len(failing),
        flaky=_flaky(connection, scope.limited(MOST_FLAKY)),
        regressions=find_regressions(connection, scope.limited(MOST_REGRESSIONS)),
        running=running_tests(connection, scope.limited(MOST_TESTS)),
        collector=collector_health(connection, scope),
    )


def _flaky(connection: Connection[Any], scope: Scope, until: datetime | None = None) -> list[FlakyHistory]:
    tests = flaky_tests(connection, scope)
    histories = outcome_histories(connection, tests, scope, until) if tests else []
    return [
        FlakyHistory(test=test, outcomes=outcomes) for test, outcomes in zip(tests, histories, strict=True)
    ]


def _columns(timeline: Timeline) -> Columns:
    """Turn the attempts on the lanes into columns."""
    names: dict[str, int] = {}
    frameworks: dict[str, int] = {}
    statuses: dict[str, int] = {}
    placed = [(number, slot) for number, lane in enumerate(timeline.lanes) for slot in lane.slots]
    columns: dict[str, Any] = {
        "name": [names.setdefault(slot.test_id, len(names)) for _, slot in placed],
        "framework": [frameworks.setdefault(slot.framework, len(frameworks)) for _, slot in placed],
        "status": [statuses.setdefault(slot.status, len(statuses)) for _, slot in placed],
        "lane": [number for number, _ in placed],
    }
    for column in ("attempt", "start_us", "duration_us", "setup_us", "teardown_us"):
        columns[column] = [getattr(slot, column) for _, slot in placed]
    return Columns(names=list(names), frameworks=list(frameworks), statuses=list(statuses), **columns)


def _summary(lane: Lane) -> LaneSummary:
    longest = max(lane.gaps, key=lambda gap: gap.duration_us, default=None)
    return LaneSummary(
        name=lane.name,
        tests=len(lane.slots),
        busy_us=lane.busy_us,
        idle_us=lane.idle_us,
        gaps=len(lane.gaps),
        longest_gap_us=longest.duration_us if longest else 0,
        longest_gap_start_us=longest.start_us if longest else 0,
    )
