"""Figures by framework, compared with plain Python over the same attempts."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from datetime import timedelta
from itertools import product
from statistics import mean, quantiles

import pytest

from crossbridge.analysis.runs import find_run, run_scope
from crossbridge.analysis.scope import Scope, parse_since
from crossbridge.analysis.totals import STATUSES, run_totals, status_counts, window_totals

FILTERS = [
    {"environment": environment, "branch": branch, "framework": framework}
    for environment, branch, framework in product([None, "ci"], [None, "feature/x"], [None, "robot"])
]


def kept(history, scope):
    return [
        attempt
        for attempt in history.attempts
        if attempt.created_at >= scope.since
        and scope.environment in (None, attempt.run.environment)
        and scope.branch in (None, attempt.run.branch)
        and scope.framework in (None, attempt.framework)
    ]


def by_framework(attempts):
    found = defaultdict(list)
    for attempt in attempts:
        found[attempt.framework].append(attempt)
    return found


def cont(values, share):
    """percentile_cont: between the neighbours of a fractional rank."""
    values = sorted(values)
    rank = share * (len(values) - 1)
    low, high = values[math.floor(rank)], values[math.ceil(rank)]
    return low + (high - low) * (rank - math.floor(rank))


@pytest.mark.parametrize("hours", [0.4, 3.3, 30.7, 24 * 9.9, 24 * 25])
def test_window_totals_equal_a_count_of_the_attempts(history, reading, hours):
    history.random_runs(60, days=20, seed=int(hours * 10))
    for filters in FILTERS:
        scope = Scope(history.ago(hours=hours), **filters)
        expected = by_framework(kept(history, scope))
        found = {total.framework: total for total in window_totals(reading, scope)}
        assert found.keys() == expected.keys(), filters
        for framework, attempts in expected.items():
            total = found[framework]
            counts = Counter(attempt.status for attempt in attempts)
            assert total.attempts == len(attempts)
            assert {status: getattr(total, status) for status in STATUSES} == {s: counts[s] for s in STATUSES}
            assert total.total_us == sum(attempt.duration_us for attempt in attempts)
            assert total.average_us == pytest.approx(mean(attempt.duration_us for attempt in attempts))
            assert total.max_us == max(attempt.duration_us for attempt in attempts)


def test_windows_begin_to_the_microsecond(history, reading):
    history.run(("a", "passed"), hours_ago=50.5)
    history.run(("b", "passed"), hours_ago=30.25)
    for attempt in history.attempts:
        on_time = Scope(attempt.created_at)
        late = Scope(attempt.created_at + timedelta(microseconds=1))
        assert sum(total.attempts for total in window_totals(reading, on_time)) == len(kept(history, on_time))
        assert len(kept(history, late)) == len(kept(history, on_time)) - 1
        assert sum(total.attempts for total in window_totals(reading, late)) == len(kept(history, late))


@pytest.mark.parametrize("days", [0.02, 1.4, 3.1])
@pytest.mark.parametrize("branch", [None, "main"])
def test_window_p95_is_within_two_percent_of_the_exact_one(history, reading, days, branch):
    for hours_ago in (0.01, 0.5, 7.2, 20, 33, 60):
        durations = [1 + 1.02**n for n in range(300)]
        history.run(*((f"t{n}", f"passed:{ms:.3f}") for n, ms in enumerate(durations)), hours_ago=hours_ago)
    scope = Scope(history.ago(days=days), branch=branch)
    (total,) = window_totals(reading, scope)
    exact = cont([attempt.duration_us for attempt in kept(history, scope)], 0.95)
    assert total.p95_us == pytest.approx(exact, rel=0.02)


def test_no_window_p95_is_above_the_longest_attempt(history, reading):
    for ms in (1.0, 1.01, 1.02, 1.03, 1.04):
        history.run(("t", f"passed:{ms}"), framework=f"framework {ms}")
    totals = window_totals(reading, Scope(history.ago(days=3)))
    assert len(totals) == 5
    assert all(0.95 * total.max_us < total.p95_us <= total.max_us for total in totals)


def test_a_run_counts_a_test_once_as_its_last_attempt_ended(history, reading):
    run = history.run(
        ("passes", "passed:1"),
        ("recovers", "failed:2", "error:3", "passed:4"),
        ("never recovers", "failed:5", "failed:6"),
        ("is skipped", "skipped:0.1"),
    )
    (total,) = run_totals(reading, run_scope(reading, find_run(reading, run.run_id)))
    assert (total.tests, total.attempts, total.retried) == (4, 7, 2)
    assert status_counts([total]) == {"passed": 2, "failed": 1, "skipped": 1}
    durations = [attempt.duration_us for attempt in history.attempts]
    assert total.total_us == sum(durations)
    assert total.average_us == pytest.approx(mean(durations))
    assert total.p95_us == pytest.approx(quantiles(durations, n=20, method="inclusive")[-1])
    assert total.max_us == 6000


def test_a_test_that_workers_share_counts_as_the_worst_of_them(history, reading):
    run = history.run(("t", "passed"), worker="gw0")
    history.run(("t", "failed"), ("u", "passed"), worker="gw1", run_id=run.run_id, hours_ago=0.9)
    (total,) = run_totals(reading, run_scope(reading, find_run(reading, run.run_id)))
    assert (total.tests, total.attempts, total.retried) == (2, 3, 0)
    assert status_counts([total]) == {"passed": 1, "failed": 1}


def test_a_run_holds_nothing_of_the_runs_beside_it(history, reading):
    run = history.run(("mine", "passed"), framework="robot")
    history.run(("other", "failed"), framework="robot")
    history.run(("also mine", "passed"), framework="pytest", run_id=run.run_id)
    scope = run_scope(reading, find_run(reading, run.run_id))
    assert [(total.framework, total.tests) for total in run_totals(reading, scope)] == [
        ("pytest", 1),
        ("robot", 1),
    ]
    scope = run_scope(reading, find_run(reading, run.run_id), framework="robot")
    assert [total.framework for total in run_totals(reading, scope)] == ["robot"]


def test_an_empty_database_has_no_totals(reading):
    assert window_totals(reading, Scope(parse_since("30d"))) == []
