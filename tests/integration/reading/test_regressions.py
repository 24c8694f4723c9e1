"""Tests that got slower: found at the run where it began, and nothing else."""

from __future__ import annotations

import os
import random
from datetime import timedelta
from math import exp, log
from uuid import uuid4

import pytest

from crossbridge.analysis import history as history_module
from crossbridge.analysis.regressions import find_regressions
from crossbridge.analysis.scope import Scope
from crossbridge.database.queries import query
from support.cli import run_cli

SUITE = 30


@pytest.fixture
def regressions(history, reading):
    def regressions(**filters):
        options = {name: filters.pop(name) for name in ("least_change",) if name in filters}
        return find_regressions(reading, Scope(history.ago(days=60), **filters), **options)

    return regressions


def play(history, rng, runs, factor, *, every_hours=1.0, noise=0.05, **run):
    """Runs of a suite, `factor(run, test)` times its usual durations; returns them, oldest first."""
    return [
        history.run(
            *(
                (f"t{n:02}", f"passed:{30 * (n + 1) * factor(at, n) * exp(rng.gauss(0, noise)):.3f}")
                for n in range(SUITE)
            ),
            hours_ago=every_hours * (runs - at),
            commit=f"{at:040x}",
            **run,
        )
        for at in range(runs)
    ]


def test_a_slower_test_is_found_with_its_first_run(history, regressions):
    runs = play(history, random.Random(1), 24, lambda at, n: 1.3 if n == 11 and at >= 17 else 1)
    found = regressions()
    assert (found.unit, found.units, found.tests, found.suite) == ("run", 24, SUITE, None)
    (slower,) = found.slower
    assert found.faster == []
    assert (slower.test_id, str(slower.since_run)) == ("t11", runs[17].run_id)
    assert (slower.git_commit, slower.previous_commit) == (runs[17].commit, runs[16].commit)
    assert (slower.before_count, slower.after_count) == (17, 7)
    assert slower.before_us == pytest.approx(360_000, rel=0.05)
    assert slower.after_us == pytest.approx(468_000, rel=0.05)
    assert slower.ratio_low < 1.3 < slower.ratio_high
    assert slower.q_value < 0.05


def test_a_faster_test_is_no_regression(history, regressions):
    play(history, random.Random(2), 24, lambda at, n: 0.6 if n == 3 and at >= 10 else 1)
    found = regressions()
    assert found.slower == []
    assert [test.test_id for test in found.faster] == ["t03"]


def test_noise_is_no_regression(history, regressions):
    rng = random.Random(3)
    play(history, rng, 30, lambda _at, _n: rng.choice([1] * 19 + [4]), noise=0.2)
    found = regressions()
    assert (found.slower, found.faster, found.tests) == ([], [], SUITE)


def test_a_slower_machine_is_told_apart_from_slower_tests(history, regressions):
    def factor(at, n):
        machine = 1.5 if at >= 12 else 1
        return machine * (1.4 if n == 5 and at >= 18 else 1)

    runs = play(history, random.Random(4), 26, factor)
    found = regressions()
    assert [test.test_id for test in found.slower] == ["t05"]
    assert str(found.slower[0].since_run) == runs[18].run_id
    assert found.suite.ratio == pytest.approx(1.5, rel=0.05)
    assert abs(found.suite.since_at - history.ago(hours=14)) < timedelta(seconds=1)


def test_machines_that_take_turns_are_no_change(history, regressions):
    rng = random.Random(5)
    speeds = [rng.choice([1, 1.8]) for _ in range(30)]
    play(history, rng, 30, lambda at, _n: speeds[at])
    found = regressions()
    assert (found.slower, found.faster, found.suite) == ([], [], None)


def test_a_mended_test_is_no_regression(history, regressions):
    play(history, random.Random(6), 30, lambda at, n: 2 if n == 8 and 10 <= at < 20 else 1)
    found = regressions()
    assert found.slower == []
    assert [(test.test_id, test.before_count) for test in found.faster] == [("t08", 10)]


def test_a_test_needs_eight_runs_and_only_passes_count(history, regressions):
    rng = random.Random(7)
    for at in range(12):
        late = at >= 5
        history.run(
            ("new", f"passed:{900 if late else 100}") if at >= 5 else ("other", "passed"),
            ("fails slowly", f"failed:{9000}" if late else f"passed:{rng.uniform(99, 101)}"),
            hours_ago=12 - at,
        )
    found = regressions()
    assert (found.tests, found.slower) == (0, [])


def test_changes_below_a_millisecond_or_the_least_change_are_left_out(history, regressions):
    for at in range(20):
        late = at >= 10
        history.run(
            ("tiny", f"passed:{(0.9 if late else 0.3) + at % 3 / 100:.3f}"),
            ("tenth", f"passed:{(220 if late else 200) + at % 3:.3f}"),
            hours_ago=20 - at,
        )
    assert [test.test_id for test in regressions().slower] == ["tenth"]
    assert regressions(least_change=0.2).slower == []


def test_the_longest_lost_come_first_up_to_the_limit(history, regressions):
    play(history, random.Random(8), 24, lambda at, n: 1.5 if n in {4, 28, 15} and at >= 12 else 1)
    assert [test.test_id for test in regressions().slower] == ["t28", "t15", "t04"]
    assert [test.test_id for test in regressions(limit=1).slower] == ["t28"]


def test_filters_choose_the_runs(history, regressions):
    rng = random.Random(9)
    play(history, rng, 16, lambda _at, _n: 1, branch="main", environment="ci")
    play(history, rng, 16, lambda at, _n: 1, branch="feature/x", environment="staging", framework="robot")
    assert (regressions(branch="main").tests, regressions(branch="main").units) == (SUITE, 16)
    assert regressions(environment="staging", framework="pytest").tests == 0
    assert {regressions(branch="feature/x", environment="staging").units} == {16}


def with_t20_slower_since_run_70(history):
    return play(
        history, random.Random(10), 90, lambda at, n: 1.3 if n == 20 and at >= 70 else 1, every_hours=8.0
    )


@pytest.mark.parametrize("filters", [{}, {"branch": "main"}, {"environment": "ci"}, {"framework": "pytest"}])
def test_a_long_history_is_read_by_days_and_the_run_found_in_them(history, regressions, monkeypatch, filters):
    runs = with_t20_slower_since_run_70(history)
    by_run = regressions(**filters)
    monkeypatch.setattr(history_module, "MOST_ATTEMPTS", 2_000)
    by_day = regressions(**filters)
    assert (by_run.unit, by_day.unit, by_day.tests) == ("run", "day", SUITE)
    for found in (by_run, by_day):
        (slower,) = found.slower
        assert (slower.test_id, str(slower.since_run)) == ("t20", runs[70].run_id)
        assert (slower.git_commit, slower.previous_commit) == (runs[70].commit, runs[69].commit)
        assert slower.ratio_low < 1.3 < slower.ratio_high


def test_each_of_several_changes_is_found_at_its_own_run(history, regressions, monkeypatch):
    factors = {28: (1.5, 70), 15: (1.4, 60), 9: (1.3, 75), 4: (0.6, 65)}

    def factor(at, n):
        times, since = factors.get(n, (1, 0))
        return times if at >= since else 1

    runs = play(history, random.Random(13), 90, factor, every_hours=8.0)
    monkeypatch.setattr(history_module, "MOST_ATTEMPTS", 2_000)
    found = regressions()
    changes = [(test.test_id, str(test.since_run)) for test in (*found.slower, *found.faster)]
    assert changes == [(f"t{n:02}", runs[since].run_id) for n, (_, since) in factors.items()]


def test_only_tests_that_lie_farthest_are_looked_at_closely(history, regressions, monkeypatch):
    play(history, random.Random(14), 90, lambda at, n: 1.5 if n == 2 and at >= 70 else 1, every_hours=8.0)
    monkeypatch.setattr(history_module, "MOST_ATTEMPTS", 2_000)
    monkeypatch.setattr(history_module, "_CLOSE_LOOKS", 4)
    found = regressions()
    assert (found.unit, found.tests) == ("day", SUITE)
    assert [test.test_id for test in found.slower] == ["t02"]


def test_the_run_of_a_change_is_a_whole_one_of_the_branch_asked_for(history, regressions, monkeypatch):
    runs = with_t20_slower_since_run_70(history)
    history.run(("t20", "passed:900"), hours_ago=8 * 20 + 4, branch="feature/x")
    history.run(("t20", "passed:693"), hours_ago=8 * 20 + 1, run_id=runs[70].run_id)
    monkeypatch.setattr(history_module, "MOST_ATTEMPTS", 2_000)
    found = regressions(branch="main")
    assert found.unit == "day"
    (slower,) = found.slower
    assert (str(slower.since_run), slower.previous_commit) == (runs[70].run_id, runs[69].commit)


@pytest.fixture
def run_of_change(history, reading):
    """The run at which the query puts a test's change between two levels in microseconds, and the commit before."""

    def run_of_change(before_us, after_us):
        wanted = {
            "frameworks": ["pytest"],
            "test_ids": ["t"],
            "befores": [log(before_us)],
            "afters": [log(after_us)],
            "sinces": [history.ago(days=1)],
            "untils": [history.now],
        }
        parameters = Scope(history.ago(days=1)).parameters(**wanted)
        (found,) = reading.execute(query("runs_of_changes"), parameters).fetchall()
        _place, _since_at, run, _commit, previous_commit = found
        return str(run), previous_commit

    return run_of_change


def test_of_runs_that_began_at_one_moment_the_lower_id_comes_first(history, run_of_change):
    first, second = "0" * 8 + str(uuid4())[8:], "f" * 8 + str(uuid4())[8:]
    history.run(("t", "passed:100"), hours_ago=3, commit="a")
    history.run(("t", "passed:100"), hours_ago=2, commit="c", run_id=second)  # and its test ended first
    history.run(("t", "passed:400"), hours_ago=2, commit="b", run_id=first)
    assert run_of_change(100_000, 400_000) == (first, "a")


def test_of_runs_as_likely_to_have_begun_a_change_the_earliest_has(history, run_of_change):
    runs = [
        history.run(("t", f"passed:{ms}"), hours_ago=3 - at, commit=str(at))
        for at, ms in enumerate((0.001, 0.002, 0.004))  # of the logarithms one is exactly in the middle
    ]
    assert run_of_change(1, 4) == (runs[1].run_id, "0")


def test_a_branch_in_one_environment_is_read_by_its_newest_runs(history, regressions, monkeypatch):
    play(history, random.Random(11), 40, lambda _at, _n: 1, every_hours=12.0)
    monkeypatch.setattr(history_module, "MOST_ATTEMPTS", 20 * SUITE)
    found = regressions(branch="main", environment="ci")
    assert (found.unit, found.units, found.tests) == ("run", 20, SUITE)


def test_a_short_history_is_no_fault_to_be_mended(history, project):
    history.run(("t", "passed"))
    said = "No test has passed in 8 runs since then; that is what a judgement needs."
    assert run_cli("regressions").stderr == f"{said}\n"
    assert run_cli("regressions", "--branch", "mian").stderr.startswith(
        f"{said} 'crossbridge runs' lists the "
    )


def test_the_command_says_what_it_looked_at(history, project):
    answer = run_cli("regressions")
    assert (answer.returncode, answer.stdout) == (0, "")
    assert answer.stderr.startswith("No test has passed in 8 runs")
    assert "CROSSBRIDGE_PROFILING=true" in answer.stderr
    play(history, random.Random(12), 24, lambda at, n: 1.5 if n == 11 and at >= 17 else 1)
    answer = run_cli("regressions")
    assert answer.stdout.startswith("Looked at  30 tests with enough history, 24 runs, since ")
    assert "+4" in answer.stdout
    assert "  pytest  t11\n    3" in answer.stdout
    assert run_cli("regressions", "--min-change", "90").stderr == "No test got slower.\n"


def test_nothing_in_a_name_steers_the_terminal_or_the_comment(history, project):
    name = "\x1b[2J|`@all`\n" + "deep/" * 60 + "[x](y)<b>"
    for at in range(20):
        history.run((name, f"passed:{(50 if at < 12 else 90) + at % 3}"), hours_ago=20 - at)
    narrow = run_cli("regressions", env={**os.environ, "COLUMNS": "100"}).stdout
    assert all(len(line) <= 100 and line.isprintable() for line in narrow.splitlines())
    assert "[x](y)<b>" in narrow
    comment = run_cli("regressions", "--markdown").stdout
    assert "#### Slower (1)" in comment
    assert all(mark not in comment for mark in ("@all", "<b>", "`", "\x1b", "[x]"))
