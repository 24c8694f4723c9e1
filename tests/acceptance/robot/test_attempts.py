"""Tests that run again, and tests of one name."""

from __future__ import annotations

from collections import Counter

import pytest

from support.robot_runs import ROBOT

pytest.importorskip("RetryFailed")


def test_retried_test_has_a_row_for_each_attempt(example):
    run = example.run(*ROBOT, "--listener", "RetryFailed:1", "--test", "Flaky", "--test", "Fails", "tests")
    assert run.attempts == Counter(
        {
            ("Tests.Checkout.Pays.Fails", 1, "failed"): 1,
            ("Tests.Checkout.Pays.Fails", 2, "failed"): 1,
            ("Tests.Outcomes.Fails", 1, "failed"): 1,
            ("Tests.Outcomes.Fails", 2, "failed"): 1,
            ("Tests.Outcomes.Flaky", 1, "failed"): 1,
            ("Tests.Outcomes.Flaky", 2, "passed"): 1,
        }
    )
    first = run.of_type("test_end")[4]
    assert first["error_message"] == "the recommendations came too late"


@pytest.mark.parametrize("order", [("RetryFailed:1", None), (None, "RetryFailed:1")])
def test_order_of_the_listeners_does_not_matter(example, order):
    ours = "crossbridge.integrations.robot"
    listeners = [argument for name in order for argument in ("--listener", name or ours)]
    run = example.run("robot", *listeners, "--outputdir", "results", "--test", "Flaky", "tests")
    assert [end["status"] for end in run.ends] == ["failed", "passed"]


def test_setup_that_fails_once_is_an_error_and_then_passes(suite):
    suite.write("Once.py", "calls = []\ndef once():\n    calls.append(1)\n    assert len(calls) > 1\n")
    suite.write(
        "t.robot",
        "*** Settings ***\nLibrary    Once.py\n*** Test Cases ***\nOne\n    [Setup]    Once\n    Log    x\n",
    )
    run = suite.run(*ROBOT, "--pythonpath", ".", "--listener", "RetryFailed:2", "t.robot")
    assert run.attempts == Counter({("T.One", 1, "error"): 1, ("T.One", 2, "passed"): 1})


def test_steps_belong_to_their_attempt(example):
    run = example.run(*ROBOT, "--listener", "RetryFailed:1", "--test", "Flaky", "tests")
    steps = [(step.get("attempt", 1), step["step_index"]) for step in run.of_type("step_end")]
    assert steps == [(1, 0), (1, 1), (2, 0), (2, 1)]


def test_two_tests_of_one_name_are_told_apart(suite):
    suite.write("t.robot", "*** Test Cases ***\nOne\n    Log    x\nOne\n    Fail    y\nOne\n    Log    z\n")
    run = suite.run(*ROBOT, "t.robot")
    assert run.statuses == {"T.One": "passed", "T.One #2": "failed", "T.One #3": "passed"}


def test_test_ids_do_not_move_with_the_lines(suite):
    text = "*** Test Cases ***\nOne\n    Log    x\nTwo\n    Log    y\n"
    suite.write("t.robot", text)
    first = suite.run(*ROBOT, "t.robot").statuses
    for segment in suite.spool.glob("*/*"):
        segment.unlink()
    suite.write("t.robot", "*** Comments ***\nmore\nlines\n\n" + text)
    assert suite.run(*ROBOT, "t.robot").statuses == first


def test_rerunfailed_is_a_run_of_its_own(example):
    first = example.run(*ROBOT, "tests")
    again = example.run(*ROBOT, "--rerunfailed", "results/output.xml", "--output", "again.xml", "tests")
    new = [segment for segment in again.segments if segment not in first.segments]
    assert len(new) == 1
    assert new[0][0]["run_id"] != first.segments[0][0]["run_id"]
    ends = [event for event in new[0] if event["type"] == "test_end"]
    assert {end.get("attempt", 1) for end in ends} == {1}
    assert len(ends) == 5
