"""Breakdown, ranks, trend and histories, against a plain computation over the same events."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta, timezone
from statistics import fmean

import pytest

from crossbridge.analysis.breakdown import break_down, newest, ranked_parts
from crossbridge.analysis.flaky import FlakyTest
from crossbridge.analysis.runs import find_run, run_scope
from crossbridge.analysis.scope import Scope
from crossbridge.analysis.trend import outcome_histories, trend_of_run, trend_of_window
from support.feed import NOON_US, Segment
from support.made_run import Shape, make_run


@pytest.fixture
def made(connection, now_us):
    return make_run(connection, Shape(tests=150, workers=3), at_us=now_us - 3_600_000_000, seed=5)


def since(**age):
    return Scope(datetime.now(timezone.utc) - timedelta(**age), limit=1000)


def scopes(connection, run_id):
    return [run_scope(connection, find_run(connection, run_id), limit=1000), since(days=2)]


def moments(connection, columns, table):
    """Rows whose last two columns are begin and end in whole microseconds."""
    us = "(extract(epoch FROM {}) * 1000000)::bigint"
    return connection.execute(
        f"SELECT {columns}, {us.format('started_at')}, {us.format('created_at')} FROM crossbridge.{table}"
    ).fetchall()


def covered(intervals):
    whole = reached = 0
    for begin, end in sorted(intervals):
        whole += max(0, end - max(begin, reached))
        reached = max(reached, end)
    return whole


def test_each_moment_counts_once_as_http_then_driver_then_step(connection, made):
    kinds = [
        moments(connection, "test_id, attempt", "http_calls"),
        moments(connection, "test_id, attempt", "driver_commands"),
        moments(connection, "test_id, attempt", "steps WHERE depth = 0"),
    ]
    together = []
    by_attempt = defaultdict(list)
    for rows in kinds:
        for test_id, attempt, begin, end in rows:
            by_attempt[test_id, attempt].append((begin, end))
        together.append(sum(map(covered, by_attempt.values())))
    http, driver, step = together[0], together[1] - together[0], together[2] - together[1]
    assert min(http, driver, step) > 0
    for scope in scopes(connection, made):
        found = break_down(connection, scope)
        assert (found.http_us, found.driver_us, found.step_us) == (http, driver, step)
        assert found.http_us + found.driver_us + found.step_us + found.other_us == found.total_us
        assert found.setup_us + found.call_us + found.teardown_us == found.total_us


def test_calls_that_overlap_count_once(connection):
    segment = Segment().start("t", at_us=NOON_US)
    for end_us in (300_000, 350_000, 900_000):
        segment.add(
            "http_call", test_id="t", endpoint="h/a", method="GET", status_code=200,
            duration_us=200_000, at_us=NOON_US + end_us,
        )  # fmt: skip
    segment.end("t", duration_us=1_000_000, at_us=NOON_US + 1_000_000).close().deliver(connection)
    run = find_run(connection, segment.run_id)
    assert break_down(connection, run_scope(connection, run)).http_us == 250_000 + 200_000


def test_phases_are_those_of_the_attempts(connection, made):
    total, setup, teardown, count = connection.execute(
        "SELECT sum(duration_us)::bigint, sum(setup_us)::bigint, sum(teardown_us)::bigint, count(*) FROM crossbridge.tests"
    ).fetchone()
    for scope in scopes(connection, made):
        found = break_down(connection, scope)
        assert (found.total_us, found.setup_us, found.teardown_us, found.attempts) == (
            total,
            setup,
            teardown,
            count,
        )


def test_endpoints_and_commands_are_ranked_by_the_time_of_all_their_calls(connection, made):
    expected = defaultdict(list)
    for method, endpoint, us in connection.execute(
        "SELECT method, endpoint, duration_us FROM crossbridge.http_calls"
    ):
        expected["http", f"{method} {endpoint}"].append(us)
    for command, us in connection.execute("SELECT command, duration_us FROM crossbridge.driver_commands"):
        expected["driver", command].append(us)
    for name, us in connection.execute("SELECT step_name, duration_us FROM crossbridge.steps"):
        expected["step", name].append(us)
    for scope in scopes(connection, made):
        found = ranked_parts(connection, scope)
        assert {(part.kind, part.name): (part.calls, part.total_us, part.max_us) for part in found} == {
            key: (len(values), sum(values), max(values)) for key, values in expected.items()
        }
        for part in found:
            assert part.average_us == pytest.approx(fmean(expected[part.kind, part.name]))
        for kind in ("http", "driver", "step"):
            totals = [part.total_us for part in found if part.kind == kind]
            assert totals == sorted(totals, reverse=True)


def test_filters_of_a_window_hold_for_every_figure(connection, made, now_us):
    before = break_down(connection, Scope(since(days=2).since, "ci")), ranked_parts(connection, since(days=2))
    make_run(
        connection, Shape(tests=20, workers=1), at_us=now_us - 3_000_000_000, seed=6, environment="staging"
    )
    scope = Scope(since(days=2).since, "ci", "main", "pytest", 1000)
    assert (break_down(connection, scope), ranked_parts(connection, scope)) == before
    other = break_down(connection, Scope(since(days=2).since, "staging"))
    assert 0 < other.total_us < before[0].total_us
    assert break_down(connection, Scope(since(days=2).since, framework="robot")).total_us == 0


def test_a_large_window_is_broken_down_by_its_newest_hours(connection, now_us):
    for hours in (30, 20, 10):
        make_run(
            connection, Shape(tests=20, workers=1, flaky=0), at_us=now_us - hours * 3_600_000_000, seed=hours
        )
    window = since(days=2)
    assert newest(connection, window, 60) is window
    for most, runs in ((59, 2), (40, 2), (39, 1), (5, 1)):
        found = newest(connection, window, most)
        assert break_down(connection, found).attempts == 20 * runs
        assert (found.since.minute, found.since.second) == (0, 0)


def test_the_trend_of_a_run_is_of_its_environment_and_branch_and_ends_with_it(connection, now_us):
    hour = 3_600_000_000
    made = [
        make_run(connection, Shape(tests=4, workers=1), at_us=now_us - n * hour, seed=n) for n in (5, 4, 3, 1)
    ]
    make_run(connection, Shape(tests=4, workers=1), at_us=now_us - 3 * hour, seed=9, git_branch="other")
    run = find_run(connection, made[2])
    found = trend_of_run(connection, run)
    assert [str(one.run_id) for one in found] == made[:3]
    assert (found[-1].attempts, found[-1].duration_us) == (run.attempts, run.duration_us)
    assert [str(one.run_id) for one in trend_of_run(connection, run, limit=2)] == made[1:3]


def test_the_trend_of_a_window_leaves_no_day_out(connection, now_us):
    day = 86_400_000_000
    for days in (6, 3, 2):
        make_run(connection, Shape(tests=5, workers=1), at_us=now_us - days * day, seed=days)
    found = trend_of_window(connection, since(days=10))
    starts = [one.started_at for one in found]
    assert starts == [starts[0] + timedelta(days=n) for n in range(5)]
    assert [one.attempts > 0 for one in found] == [True, False, False, True, True]
    stored = connection.execute("SELECT count(*), sum(duration_us)::bigint FROM crossbridge.tests").fetchone()
    assert (sum(one.attempts for one in found), sum(one.total_us for one in found)) == stored


def test_a_short_window_is_told_by_the_hour(connection, now_us):
    for hours in (5, 2):
        make_run(connection, Shape(tests=5, workers=1), at_us=now_us - hours * 3_600_000_000, seed=hours)
    assert len(trend_of_window(connection, since(hours=24))) == 4


def test_histories_are_of_the_latest_runs_oldest_first(connection, now_us):
    outcomes = [("passed",), ("failed",), ("failed", "passed"), ("skipped",), ("error",)]
    for number, statuses in enumerate(outcomes):
        segment = Segment(at_us=now_us - (10 - number) * 60_000_000)
        for attempt, status in enumerate(statuses, 1):
            segment.start("t", attempt=attempt).end("t", status, attempt=attempt)
        segment.close().deliver(connection)
    never = {
        "retried_runs": 0,
        "commits": 0,
        "runs": 1,
        "failed_runs": 0,
        "attempts": 1,
        "failed_attempts": 0,
    }
    tests = [
        FlakyTest(
            framework="pytest",
            test_id=name,
            last_flaked_at=datetime.now(timezone.utc),
            flips=0,
            lost_us=0,
            **never,
        )
        for name in ("absent", "t")
    ]
    assert outcome_histories(connection, tests, since(days=1)) == [
        [],
        ["passed", "failed", "flaky", "skipped", "error"],
    ]
    assert outcome_histories(connection, tests, since(days=1), limit=2)[1] == ["skipped", "error"]
