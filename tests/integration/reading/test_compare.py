"""What a comparison of runs tells, and when its gate closes."""

from __future__ import annotations

import random
import re
from math import exp

import pytest

from crossbridge.analysis.compare import compare
from crossbridge.analysis.sides import find_side
from crossbridge.errors import UsageError
from support.cli import run_cli

LISTS = ("new_failures", "still_failing", "fixed", "flaky", "new_tests", "vanished")


@pytest.fixture
def comparison(reading):
    def comparison(base, head, **options):
        sides = [find_side(reading, str(text), most=options.pop("most", 10)) for text in (base, head)]
        return compare(reading, *sides, **options)

    return comparison


def lists(found):
    return {name: [test.test_id for test in getattr(found, name)] for name in LISTS if getattr(found, name)}


def durations(rng, count=40, noise=0.05, slower=()):
    """Tests of a suite, each with a duration of its own, as a run's arguments."""
    return [
        (
            f"t{n:02}",
            f"passed:{20 * (n + 1) * exp(rng.gauss(0, noise)) * (1.6 if n in slower else 1):.3f}",
        )
        for n in range(count)
    ]


def test_a_run_compared_with_itself_differs_in_nothing(history, comparison):
    run = history.run(("a", "failed", "passed"), ("b", "failed"), ("c", "passed"), ("d", "skipped"))
    found = comparison(run.run_id, run.run_id)
    assert lists(found) == {}
    assert (found.slower, found.faster, found.suite_ratio, found.tests) == ([], [], 1.0, 4)


def test_outcomes_of_two_runs(history, comparison):
    base = history.run(
        *(("breaks", "passed"), ("crashes", "passed"), ("mended", "failed"), ("broken", "error")),
        *(("steady", "passed"), ("gone", "passed"), ("retried", "passed"), ("skips", "passed")),
        *(("was skipped", "skipped"), ("expected", "xfailed")),
        hours_ago=2,
    )
    head = history.run(
        *(
            ("breaks", "failed", "failed"),
            ("crashes", "interrupted"),
            ("mended", "passed"),
            ("broken", "failed"),
        ),
        *(("steady", "passed"), ("new", "passed"), ("new, fails", "failed"), ("retried", "failed", "passed")),
        *(("skips", "skipped"), ("was skipped", "failed"), ("expected", "passed")),
    )
    found = comparison(base.run_id, head.run_id)
    assert lists(found) == {
        "new_failures": ["breaks", "crashes", "new, fails", "was skipped"],
        "still_failing": ["broken"],
        "fixed": ["mended"],
        "flaky": ["retried"],
        "new_tests": ["new", "new, fails"],
        "vanished": ["gone"],
    }
    assert found.tests == 9
    breaks = found.new_failures[0]
    assert (breaks.base_status, breaks.base_failed, breaks.base_runs) == ("passed", 0, 1)
    assert (breaks.head_status, breaks.head_failed, breaks.head_runs) == ("failed", 1, 1)
    assert (breaks.error_type, breaks.error_message) == ("AssertionError", "failed 2\nsecond line")
    assert lists(comparison(head.run_id, base.run_id))["fixed"] == ["breaks", "crashes"]


def test_an_error_is_that_of_the_last_failure_on_the_heads_side(history, comparison):
    head = history.run(("retried", "error", "passed"), ("broken", "failed", "error"), hours_ago=3)
    base = history.run(("retried", "passed"), ("broken", "failed"), hours_ago=1)
    found = comparison(base.run_id, head.run_id)
    assert [test.error_message.splitlines()[0] for test in found.flaky] == ["error 1"]
    assert [test.error_message.splitlines()[0] for test in found.still_failing] == ["error 2"]


def test_a_test_that_a_retry_made_pass_before_is_flaky_when_it_fails(history, comparison):
    base = history.run(("shaky", "failed", "passed"), hours_ago=2)
    head = history.run(("shaky", "failed"))
    (shaky,) = comparison(base.run_id, head.run_id).flaky
    assert (shaky.base_retried, shaky.head_retried, shaky.base_status) == (True, False, "passed")


def test_several_runs_of_a_branch_tell_flaky_from_broken(history, comparison):
    for hours, status in ((4, "failed"), (3, "passed"), (2, "passed")):
        history.run(("shaky", status), ("sound", "passed"), ("broken", "failed"), hours_ago=hours)
    head = history.run(("shaky", "failed"), ("sound", "failed"), ("broken", "failed"), branch="feature/x")
    found = comparison("main", head.run_id)
    assert lists(found) == {"new_failures": ["sound"], "flaky": ["shaky"], "still_failing": ["broken"]}
    assert (found.flaky[0].base_failed, found.flaky[0].base_runs) == (1, 3)
    assert lists(comparison("main", head.run_id, most=2))["new_failures"] == ["shaky", "sound"]


def test_runs_on_both_sides_count_on_the_heads(history, comparison):
    history.run(("t", "passed"), hours_ago=2)
    head = history.run(("t", "failed"))
    found = comparison("branch:main", head.run_id)
    assert [str(run.run_id) for run in found.head.runs] == [head.run_id]
    assert len(found.base.runs) == 1
    assert lists(found) == {"new_failures": ["t"]}


def test_slower_and_faster_tests_are_told_from_a_slower_machine(history, comparison):
    rng = random.Random(5)
    for hours in range(12, 2, -1):
        history.run(*durations(rng), hours_ago=hours)
    machine = [(name, f"passed:{1.3 * float(text[7:]):.3f}") for name, text in durations(rng, slower={7, 30})]
    head = history.run(*machine, branch="feature/x")
    found = comparison("main", head.run_id)
    assert {test.test_id for test in found.slower} == {"t07", "t30"}
    assert found.faster == []
    assert found.suite_ratio == pytest.approx(1.3, rel=0.04)
    for test in found.slower:
        assert test.ratio_low < 1.6 < test.ratio_high
        assert (test.base_count, test.head_count) == (10, 1)
        assert test.q_value < 0.05
    back = comparison(head.run_id, "main")
    assert {test.test_id for test in back.faster} == {"t07", "t30"}


def test_one_run_a_side_is_judged_by_each_tests_own_past(history, comparison):
    rng = random.Random(6)
    noisy = dict.fromkeys(range(5), 0.5)

    def tests(slower=()):
        return [
            (
                f"t{n:02}",
                f"passed:{100 * exp(rng.gauss(0, noisy.get(n, 0.03))) * (1.5 if n in slower else 1):.3f}",
            )
            for n in range(40)
        ]

    for days in range(12, 2, -1):
        history.run(*tests(), hours_ago=24 * days)
    base = history.run(*tests(), hours_ago=3)
    head = history.run(*tests(slower={20}))
    found = comparison(base.run_id, head.run_id)
    assert [test.test_id for test in found.slower] == ["t20"]
    assert found.faster == []


def test_failures_tell_nothing_of_durations(history, comparison):
    rng = random.Random(8)
    base = history.run(*durations(rng), hours_ago=2)
    tests = durations(rng)
    tests[3] = ("t03", "failed:9000")
    found = comparison(base.run_id, history.run(*tests).run_id)
    assert (found.slower, found.faster) == ([], [])


def test_a_change_below_a_millisecond_or_the_least_change_is_left_out(history, comparison):
    tests = [(f"t{n:02}", f"passed:{50 + n}") for n in range(30)]
    base = history.run(*tests, ("tiny", "passed:0.5"), ("fifth", "passed:100"), hours_ago=2)
    head = history.run(*tests, ("tiny", "passed:1.4"), ("fifth", "passed:125"))
    assert [test.test_id for test in comparison(base.run_id, head.run_id).slower] == ["fifth"]
    assert comparison(base.run_id, head.run_id, least_change=0.3).slower == []


def test_what_a_word_means(history, reading):
    run = history.run(
        ("t", "passed"),
        run_id="abcdef00-0000-7000-8000-000000000001",
        branch="1.5",
        commit="c0ffee1234567890c0ffee1234567890c0ffee12",
        app_version="1.5",
    )
    for text, kind in (
        ("abcdef00", "run"),
        ("run:abcdef", "run"),
        ("c0ffee1", "commit"),
        ("commit:c0ffee1234", "commit"),
        ("branch:1.5", "branch"),
        ("version:1.5", "version"),
    ):
        side = find_side(reading, text)
        assert (side.kind, [str(one.run_id) for one in side.runs]) == (kind, [run.run_id]), text
    with pytest.raises(UsageError, match=r"'1\.5' names a branch and version\. Say which: branch:1\.5\."):
        find_side(reading, "1.5")
    for text in ("nothing", "branch:nothing", "c0ff", "dead"):
        with pytest.raises(UsageError, match="there is no run, commit, branch or version"):
            find_side(reading, text)
    history.run(("t", "passed"), run_id="abcdef00-0000-7000-8000-000000000002")
    with pytest.raises(UsageError, match="several runs begin with abcdef"):
        find_side(reading, "abcdef")


@pytest.fixture
def pair(history):
    base = history.run(
        ("ok", "passed"), ("breaks", "passed"), ("gone", "passed"), ("slow", "passed:100"), hours_ago=2
    )
    head = history.run(
        ("ok", "failed", "passed"), ("breaks", "failed"), ("slow", "passed:900"), branch="feature/x"
    )
    return base.run_id, head.run_id


def test_the_gate_closes_on_what_it_names(pair, project):
    def code(*options):
        answer = run_cli("compare", *pair, *options)
        assert answer.stdout
        return answer.returncode, answer.stderr.strip().removeprefix("crossbridge: the gate is closed: ")

    assert code() == (1, "1 new failure")
    assert code("--fail-on", "none") == (0, "")
    assert code("--fail-on", "flaky, vanished") == (1, "1 flaky test; 1 vanished test")
    assert code("--fail-on", "slower=900") == (0, "")
    answer = run_cli("compare", *pair, "--fail-on", "slow")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.startswith("crossbridge: --fail-on takes failures, flaky, slower, slower=PCT")


def test_a_test_of_one_side_is_said_no_more_of_than_is_to_say(history, project):
    for hours in (4, 3, 2):
        history.run(("old", "skipped"), ("shaky", "passed" if hours == 3 else "failed"), hours_ago=hours)
    history.run(("new", "failed", "passed"), ("steady", "passed"), branch="feature/x")
    shown = run_cli("compare", "main", "feature/x", "--fail-on", "none").stdout
    assert (
        "  passed  pytest  new\n    base without it, head passed when retried\n  passed  pytest  steady\n"
        in shown
    )
    assert (
        "  skipped  pytest  old\n  failed   pytest  shaky\n    base failed in 2 of 3, head without it"
        in shown
    )


def test_lists_come_in_the_order_of_the_summary(history, project):
    rng = random.Random(9)
    for hours in range(12, 2, -1):
        history.run(*durations(rng), ("gone", "passed"), hours_ago=hours)
    head = history.run(*durations(rng, slower={7}), ("new", "failed"), branch="feature/x")
    for option, title in (
        ((), r"^(\w[\w ]+?)(?: tests)?  \d"),
        (("--markdown",), r"^#### (.+?)(?: tests)? \("),
    ):
        shown = run_cli("compare", "main", head.run_id, "--fail-on", "none", *option).stdout
        assert re.findall(title, shown, re.MULTILINE) == ["New failures", "Slower", "New", "Vanished"]
        assert ": 1 new failure, 1 slower, 1 new test, 1 vanished" in shown


def test_a_gate_on_slower_tests_takes_a_percentage(history, project):
    rng = random.Random(9)
    for hours in range(12, 2, -1):
        history.run(*durations(rng), hours_ago=hours)
    head = history.run(*durations(rng, slower={7}), branch="feature/x")
    gates = ("slower=40", "slower", "slower=90")
    codes = [run_cli("compare", "main", head.run_id, "--fail-on", gate).returncode for gate in gates]
    assert codes == [1, 1, 0]


def test_json_tells_the_gate_too(pair, ask):
    answer = ask("compare", *pair, code=1)
    assert answer["gate"] == {"failed": True, "reasons": ["1 new failure"]}
    assert answer["comparison"]["new_failures"][0]["test_id"] == "breaks"
    assert ask("compare", pair[0], pair[0])["gate"] == {"failed": False, "reasons": []}
