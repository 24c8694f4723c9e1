"""Slow and failing tests, compared with plain Python over the same attempts."""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from statistics import median

import pytest

from crossbridge.analysis.report import failing_tests
from crossbridge.analysis.runs import find_run, run_scope
from crossbridge.analysis.scope import Scope
from crossbridge.analysis.tests import ranked_tests, rankings, run_failures, slowest_tests

FAILING = {"failed", "error"}


def figures(attempts):
    total = sum(attempt.duration_us for attempt in attempts)
    return {
        "average": total / len(attempts),
        "max": max(attempt.duration_us for attempt in attempts),
        "total": total,
        "failed": sum(attempt.status in FAILING for attempt in attempts),
    }


def ranked(history, scope, rank):
    tests = defaultdict(list)
    for attempt in history.attempts:
        if (
            attempt.created_at >= scope.since
            and scope.environment in (None, attempt.run.environment)
            and scope.branch in (None, attempt.run.branch)
            and scope.framework in (None, attempt.framework)
        ):
            tests[attempt.framework, attempt.test_id].append(attempt)
    rows = [
        (*name, len(attempts), found)
        for name, attempts in tests.items()
        if (found := figures(attempts))["failed"] or rank != "failed"
    ]
    return sorted(rows, key=lambda row: (-row[-1][rank], row[0], row[1]))[: scope.limit]


# As the clock goes, midnight is before or after; at 4 and at 20 o'clock it is surely the one before or after.
WINDOWS = {
    "0.4 h": 0.4,
    "9.1 h": 9.1,
    "30.7 h": 30.7,
    "9.9 d": 24 * 9.9,
    "25 d": 24 * 25,
    "4:10": 4,
    "20:10": 20,
}


@pytest.mark.parametrize("window", WINDOWS)
def test_ranks_equal_a_sort_of_the_attempts(history, reading, window):
    since = history.ago(hours=WINDOWS[window])
    if ":" in window:
        since = history.ago(days=3).replace(hour=WINDOWS[window], minute=10)
    history.random_runs(60, days=20, seed=int(WINDOWS[window] * 10))
    column = {"average": "average_us", "max": "max_us", "total": "total_us", "failed": "failed"}
    for environment, branch, framework in product([None, "ci"], [None, "main"], [None, "robot"]):
        scope = Scope(since, environment, branch, framework, limit=7)
        together = rankings(reading, scope, "failed", "average")
        for rank in column:
            tests = ranked_tests(reading, scope, rank)
            found = [
                (
                    test.framework,
                    test.test_id,
                    test.attempts,
                    {name: pytest.approx(getattr(test, of)) for name, of in column.items()},
                )
                for test in tests
            ]
            assert found == ranked(history, scope, rank), (rank, environment, branch, framework)
            assert tests == together.get(rank, tests)


def test_a_run_ranks_its_own_attempts_only(history, reading):
    run = history.run(("slow", "failed:30", "passed:10"), ("fast", "passed:1"))
    history.run(("slow", "passed:900"))
    scope = run_scope(reading, find_run(reading, run.run_id))
    slow, fast = ranked_tests(reading, scope, "average")
    assert (slow.test_id, slow.attempts, slow.failed, slow.average_us, slow.max_us) == (
        "slow",
        2,
        1,
        20_000,
        30_000,
    )
    assert (fast.test_id, fast.attempts, fast.average_us) == ("fast", 1, 1000)
    assert ranked_tests(reading, scope.limited(1), "max") == [slow]


@pytest.fixture
def failing(reading):
    """The tests of a window that failed, most often first."""
    return lambda scope: failing_tests(reading, scope, ranked_tests(reading, scope, "failed"))


def test_failing_tests_come_with_their_latest_failure_in_the_window(history, failing):
    history.run(("often", "failed", "failed", "error"), hours_ago=3)
    history.run(("often", "failed"), ("once", "failed"), hours_ago=40)
    history.run(("often", "passed"), ("long ago", "passed"), hours_ago=1)
    history.run(("long ago", "failed"), hours_ago=100)
    often, once = failing(Scope(history.ago(hours=50)))
    assert (often.test_id, often.failed, often.attempts) == ("often", 4, 5)
    assert (often.latest.status, often.latest.attempt) == ("error", 3)
    assert often.latest.error_message == "error 3\nsecond line"
    assert (once.test_id, once.failed, once.attempts) == ("once", 1, 1)


def test_latest_failures_obey_the_filters(history, failing):
    history.run(("t", "failed:7"), hours_ago=3, branch="main")
    history.run(("t", "failed:9"), hours_ago=1, branch="feature/x")
    (found,) = failing(Scope(history.ago(hours=50), branch="main"))
    assert (found.failed, found.latest.duration_us) == (1, 7000)


def test_failures_of_a_run_are_those_no_retry_mended(history, reading):
    run = history.run(
        ("b fails", "failed", "failed"),
        ("recovers", "failed", "passed"),
        ("a breaks", "error"),
        ("passes", "passed"),
        ("xfails", "xfailed"),
    )
    history.run(("elsewhere", "failed"))
    scope = run_scope(reading, find_run(reading, run.run_id))
    found = run_failures(reading, scope, ("failed", "error"))
    assert [(f.test_id, f.status, f.attempt, f.error_type) for f in found] == [
        ("b fails", "failed", 2, "AssertionError"),
        ("a breaks", "error", 1, "AssertionError"),
    ]
    assert [f.test_id for f in run_failures(reading, scope.limited(1), ("failed", "error"))] == ["b fails"]


@pytest.mark.parametrize("hour", [3, 11, 15])
def test_the_longest_attempt_of_a_day_that_the_window_cuts_is_of_the_part_inside(history, reading, hour):
    since = history.ago(days=3).replace(hour=hour, minute=30, second=0, microsecond=0)

    def hours_ago(clock):
        return (history.now - since.replace(hour=clock, minute=0)).total_seconds() / 3600

    history.run(("before", "passed:900"), ("inside", "passed:10"), hours_ago=hours_ago(hour - 2))
    history.run(("before", "passed:20"), ("inside", "passed:800"), hours_ago=hours_ago(hour + 2))
    history.run(("before", "passed:5"), ("inside", "passed:5"), hours_ago=20)
    found = {test.test_id: test for test in ranked_tests(reading, Scope(since), "average")}
    assert {name: (test.attempts, test.max_us) for name, test in found.items()} == {
        "before": (2, 20_000),
        "inside": (2, 800_000),
    }


@pytest.mark.parametrize("filters", [{}, {"branch": "main"}])
def test_percentiles_are_of_the_window_or_of_its_newest_part_when_attempts_are_many(
    history, reading, monkeypatch, filters
):
    for hours_ago in range(100, 0, -1):
        history.run(
            ("t", f"passed:{hours_ago}"),
            ("u", "passed:7"),
            hours_ago=hours_ago,
            branch="main" if hours_ago % 2 else "feature",
        )
    scope = Scope(history.ago(hours=80.5), **filters)
    step = 2 if filters else 1

    (t, _) = slowest_tests(reading, scope, "total")
    monkeypatch.setattr("crossbridge.analysis.tests.MEASURED_ATTEMPTS", 40)  # 20 of each
    (newest, _) = slowest_tests(reading, scope, "total")

    durations_us = [1000 * hours for hours in range(1, 81, step)]
    assert (t.attempts, t.measured) == (len(durations_us), len(durations_us))
    assert (t.p50_us, t.p95_us) == (median(durations_us), pytest.approx(quantile(durations_us, 0.95)))
    assert newest.measured == pytest.approx(20, abs=1)
    assert newest.p50_us == median(durations_us[: newest.measured])


def quantile(values, share):
    at, part = divmod(share * (len(values) - 1), 1)
    return values[int(at)] + part * (values[int(at) + 1] - values[int(at)])
