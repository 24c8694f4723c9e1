"""Which tests are called flaky, on which evidence, and which are not."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest

from crossbridge.analysis.flaky import flaky_tests, retried_tests
from crossbridge.analysis.runs import find_run, run_scope
from crossbridge.analysis.scope import Scope
from support.cli import run_cli


@pytest.fixture
def flaky(history, reading):
    def flaky(**filters):
        scope = Scope(filters.pop("since", history.ago(days=30)), **filters)
        return {test.test_id: test for test in flaky_tests(reading, scope)}

    return flaky


def outcomes(history, *statuses, test_id="t", **run):
    """Runs of one test, an hour apart, the last one an hour ago."""
    for hours_ago, status in zip(range(len(statuses), 0, -1), statuses, strict=True):
        history.run((test_id, status), hours_ago=hours_ago, **run)


def test_a_failure_that_a_retry_mends_is_flaky(history, flaky):
    history.run(("failed", "failed", "passed"), ("broke", "error", "passed"), ("passed", "passed"))
    found = flaky()
    assert found.keys() == {"failed", "broke"}
    for test in found.values():
        assert (test.retried_runs, test.commits) == (1, 0)
        assert (test.runs, test.failed_runs, test.attempts, test.failed_attempts) == (1, 0, 2, 1)
    assert found["failed"].last_flaked_at == history.attempts[1].created_at


def test_runs_whose_commit_is_not_known_are_not_compared(history, flaky):
    history.run(("t", "failed", "passed"), hours_ago=3)
    history.run(("t", "failed"), hours_ago=1)
    found = flaky()["t"]
    assert (found.retried_runs, found.commits, found.runs, found.failed_runs) == (1, 0, 2, 1)
    assert found.last_flaked_at == history.attempts[1].created_at


def test_runs_of_one_commit_that_end_both_ways_are_evidence(history, flaky):
    cases = [("passed", "failed"), ("failed", "passed"), ("passed", "error", "passed")]
    for statuses in cases:
        outcomes(history, *statuses, test_id=" ".join(statuses), commit="aaaa")
    found = flaky()
    for statuses in cases:
        test = found[" ".join(statuses)]
        assert (test.retried_runs, test.commits) == (0, 1)
        assert (test.runs, test.failed_runs) == (len(statuses), len(statuses) - statuses.count("passed"))


def test_each_commit_with_both_outcomes_counts_once(history, flaky):
    outcomes(history, "passed", "failed", "passed", "failed", commit="aaaa")
    outcomes(history, "passed", "failed", commit="bbbb")
    outcomes(history, "passed", "passed", commit="cccc")
    found = flaky()["t"]
    assert (found.commits, found.runs, found.failed_runs) == (2, 8, 3)


NOT_FLAKY = {
    "one failure": [("aaaa", "failed")],
    "one failure among passes of other commits": [("aaaa", "passed"), ("bbbb", "failed"), ("cccc", "passed")],
    "broken": [("aaaa", "failed"), ("aaaa", "failed"), ("bbbb", "error")],
    "broken by a commit": [("aaaa", "passed"), ("aaaa", "passed"), ("bbbb", "failed"), ("bbbb", "failed")],
    "mended by a commit": [("aaaa", "failed"), ("aaaa", "failed"), ("bbbb", "passed"), ("bbbb", "passed")],
    "skipped for a while": [("aaaa", "passed"), ("aaaa", "skipped"), ("aaaa", "passed")],
    "an expected failure": [("aaaa", "passed"), ("aaaa", "xfailed")],
    "interrupted once": [("aaaa", "passed"), ("aaaa", "interrupted"), ("aaaa", "passed")],
    "commits not known": [(None, "passed"), (None, "failed"), (None, "passed")],
}


def test_what_is_not_called_flaky(history, flaky):
    for case, runs in NOT_FLAKY.items():
        for hours_ago, (commit, status) in enumerate(reversed(runs), 1):
            history.run((case, status), hours_ago=hours_ago, commit=commit)
    assert flaky().keys() == set()


def test_a_retry_that_fails_again_is_no_evidence(history, flaky):
    history.run(("t", "failed", "failed"), commit="aaaa", hours_ago=2)
    history.run(("t", "passed"), commit="bbbb")
    assert flaky() == {}


def test_a_test_that_fails_in_one_place_only_is_not_flaky(history, flaky):
    here = {
        "environment": "ci",
        "os": "Linux 6.1",
        "runtime": "CPython 3.12.1",
        "labels": {},
        "app_version": "1.0",
    }
    elsewhere = {
        "environment": "staging",
        "os": "Windows 11",
        "runtime": "CPython 3.14.0",
        "labels": {"browser": "firefox"},
        "app_version": "2.0",
    }
    for name, value in elsewhere.items():
        outcomes(history, "passed", "passed", test_id=name, commit="aaaa", **here)
        outcomes(history, "failed", "failed", test_id=name, commit="aaaa", **here | {name: value})
    assert flaky().keys() == set()


def test_another_kernel_is_no_other_place(history, flaky):
    history.run(("t", "passed"), commit="aaaa", os="Linux 6.1")
    history.run(("t", "failed"), commit="aaaa", os="Linux 6.2")
    assert flaky()["t"].commits == 1


def test_one_change_at_a_desk_is_an_edit_and_two_are_evidence(history, flaky):
    outcomes(history, "failed", "failed", "passed", commit="aaaa", environment="local")
    assert flaky() == {}
    history.run(("t", "failed"), commit="aaaa", environment="local", hours_ago=0.5)
    assert flaky()["t"].commits == 1


def test_a_ci_that_calls_itself_local_is_no_desk(history, flaky):
    outcomes(history, "failed", "passed", commit="aaaa", environment="local", ci_provider="github")
    assert flaky()["t"].commits == 1


def test_workers_that_disagree_in_one_run_are_no_evidence(history, flaky):
    run = history.run(("t", "passed"), commit="aaaa", worker="py310")
    history.run(("t", "failed"), commit="aaaa", worker="py39", run_id=run.run_id)
    assert flaky() == {}


def disagreement(history, test_id, **run):
    """One run in which a worker passes the test and another fails it."""
    first = history.run((test_id, "passed"), worker="py310", **run)
    history.run((test_id, "failed"), worker="py39", run_id=first.run_id, **run)


def test_a_run_whose_workers_disagree_is_one_run_that_failed(history, flaky):
    history.run(("t", "passed"), commit="aaaa", hours_ago=3)
    disagreement(history, "t", commit="aaaa", hours_ago=2)
    history.run(("t", "passed"), commit="aaaa", hours_ago=1)
    found = flaky()["t"]
    assert (found.commits, found.runs, found.failed_runs, found.flips) == (1, 3, 1, 1)
    assert (found.attempts, found.failed_attempts) == (4, 1)


def test_workers_that_disagree_at_a_desk_are_one_change(history, flaky):
    disagreement(history, "mended", commit="aaaa", environment="local", hours_ago=2)
    history.run(("mended", "passed"), commit="aaaa", environment="local", hours_ago=1)
    history.run(("broken", "passed"), commit="aaaa", environment="local", hours_ago=2)
    disagreement(history, "broken", commit="aaaa", environment="local", hours_ago=1)
    assert flaky() == {}


def test_the_same_name_in_two_frameworks_is_two_tests(history, flaky):
    history.run(("t", "passed"), commit="aaaa", framework="robot")
    history.run(("t", "failed"), commit="aaaa", framework="pytest")
    assert flaky() == {}


def test_evidence_before_the_window_and_outside_the_filters_does_not_count(history, flaky):
    history.run(("old", "failed", "passed"), hours_ago=49.5)
    history.run(("branch", "failed", "passed"), branch="feature/x")
    history.run(("environment", "failed", "passed"), environment="staging")
    history.run(("framework", "failed", "passed"), framework="robot")
    assert flaky(since=history.ago(hours=49)).keys() == {"branch", "environment", "framework"}
    assert flaky(since=history.ago(hours=50), branch="main").keys() == {"old", "environment", "framework"}
    assert flaky(environment="ci", framework="pytest").keys() == {"old", "branch"}


@pytest.mark.parametrize("clock", ["12:00", "23:45"])
def test_of_a_run_that_the_window_cuts_only_the_part_inside_counts(history, flaky, clock):
    hour, minute = map(int, clock.split(":"))
    since = history.ago(days=3).replace(hour=hour, minute=minute)
    began_ago = (history.now - since).total_seconds() / 3600 + 0.5
    an_hour = f"passed:{3_600_000}"
    history.run(
        ("before", "passed"), ("long", an_hour), ("inside", "passed"), commit="aaaa", hours_ago=began_ago
    )
    history.run(("before", "failed"), ("inside", "failed"), commit="aaaa")
    found = flaky(since=since)
    assert found.keys() == {"inside"}
    assert (found["inside"].runs, found["inside"].attempts, found["inside"].commits) == (2, 2, 1)
    assert flaky(since=since, branch="main").keys() == {"inside"}
    assert flaky(since=since.replace(hour=hour - 1)).keys() == {"before", "inside"}


def test_it_last_flaked_in_the_run_that_changed_the_outcome(history, flaky):
    def flaked_at(test_id, *statuses, commit="aaaa"):
        outcomes(history, *statuses, test_id=test_id, commit=commit)
        return [attempt.created_at for attempt in history.attempts[-len(statuses) :]]

    mended = flaked_at("mended", "failed", "passed", "passed")[1]
    broke = flaked_at("broke", "passed", "failed", "failed")[1]
    flaked_at("twice mended", "failed", "passed", "passed", "passed", "passed", commit="bbbb")
    again = flaked_at("twice mended", "failed", "passed", commit="cccc")[1]
    found = flaky()
    assert {name: test.last_flaked_at for name, test in found.items()} == {
        "mended": mended,
        "broke": broke,
        "twice mended": again,
    }


def test_runs_outside_the_filters_are_neither_evidence_nor_counted(history, flaky):
    for name, other in {
        "by branch": {"branch": "feature/x"},
        "by environment": {"environment": "staging"},
    }.items():
        history.run((name, "failed"), (f"{name}, retried", "failed", "passed"), commit="aaaa")
        history.run((name, "passed"), (f"{name}, retried", "passed"), commit="aaaa", **other)
    found = flaky(branch="main", environment="ci")
    assert found.keys() == {"by branch, retried", "by environment, retried"}
    assert [(test.runs, test.attempts) for test in found.values()] == [(1, 2)] * 2
    assert "by branch" in flaky()


def test_the_most_evidence_comes_first(history, flaky):
    for _ in range(3):
        history.run(
            ("thrice", "failed", "passed"),
            ("z once", "failed", "passed"),
            ("a steady", "passed"),
            commit=None,
        )
        history.run(("thrice", "failed", "passed"), hours_ago=2)
    assert list(flaky(limit=1)) == ["thrice"]


def test_evidence_equals_a_count_in_plain_python(history, flaky):
    rng = random.Random(7)
    for _ in range(80):
        tests = [
            (f"t{n}", *rng.choice([["passed"]] * 4 + [["failed"], ["failed", "passed"]])) for n in range(6)
        ]
        history.run(*tests, hours_ago=rng.uniform(1, 300), commit=f"{rng.randrange(40):04}")
    expected = {}
    for test_id in {attempt.test_id for attempt in history.attempts}:
        runs = defaultdict(list)
        for attempt in history.attempts:
            if attempt.test_id == test_id:
                runs[attempt.run].append(attempt.status)
        endings = defaultdict(set)
        for run, statuses in runs.items():
            endings[run.commit].add(statuses[-1])
        retried = sum(len(statuses) > 1 for statuses in runs.values())
        expected[test_id] = (retried, sum(len(found) == 2 for found in endings.values()), len(runs))
    assert {name: (t.retried_runs, t.commits, t.runs) for name, t in flaky().items()} == expected


def test_screen_and_comment_say_the_same_in_the_same_words(history, project):
    history.run(("t", "failed", "passed"), hours_ago=2)
    history.run(("t", "passed"))
    for option in ((), ("--markdown",)):
        shown = run_cli("flaky", *option).stdout
        assert "disturbed runs" in shown
        assert "1 of 2" in shown


def test_retried_tests_of_a_run_tell_how_they_failed(history, reading):
    run = history.run(("t", "failed", "error", "passed"), ("u", "failed", "failed"), ("v", "passed"))
    history.run(("w", "failed", "passed"))
    (found,) = retried_tests(reading, run_scope(reading, find_run(reading, run.run_id)))
    assert (found.test_id, found.attempts, found.failed_attempts) == ("t", 3, 2)
    assert (found.error_type, found.error_message) == ("AssertionError", "error 2\nsecond line")
