"""Robot Framework 6.1, whose listeners of version 3 know no keywords."""

from __future__ import annotations

import sys

import pytest

from crossbridge.integrations import robot as integration
from support.framework_runs import Suite, step_tree
from support.robot_output import OURS, outcomes
from support.robot_runs import EXAMPLE, ROBOT
from support.third_party import python_with

pytestmark = pytest.mark.skipif(
    sys.version_info >= (3, 13), reason="Robot Framework 6.1 is for older Pythons"
)


@pytest.fixture(scope="session")
def old_python():
    return python_with("robotframework==6.1.1", "robotframework-retryfailed==0.2.0", "requests")


@pytest.fixture
def old_example(tmp_path, old_python):
    return Suite(tmp_path / "old", example="robot", python=old_python)


@pytest.fixture
def old_suite(tmp_path, old_python):
    return Suite(tmp_path / "old", python=old_python)


def test_example_gives_the_same_statuses(old_example):
    run = old_example.run(*ROBOT, "tests")
    assert run.headers[0]["framework_version"] == "6.1.1"
    assert run.statuses == EXAMPLE
    assert "ERROR" not in run.output
    robots = outcomes(old_example.folder / "results" / "output.xml")
    assert all(run.statuses[name] in OURS[status] for name, status in robots)


def test_example_gives_the_same_steps(old_example, example):
    old = old_example.run(*ROBOT, "tests")
    new = example.run(*ROBOT, "tests")
    for test_id in EXAMPLE:
        assert step_tree(old, test_id) == step_tree(new, test_id)
    assert "s3cret" not in "".join(path.read_text() for path in old_example.spool.glob("*/*"))


def test_retries_are_attempts(old_example):
    run = old_example.run(*ROBOT, "--listener", "RetryFailed:1", "--test", "Flaky", "tests")
    assert [(end.get("attempt", 1), end["status"]) for end in run.ends] == [(1, "failed"), (2, "passed")]


def test_suite_teardown_that_fails_is_an_error_of_the_suite(old_suite):
    old_suite.write(
        "t.robot",
        """
        *** Settings ***
        Suite Setup       Log    a
        Suite Teardown    Tidy

        *** Test Cases ***
        One
            Log    fine

        *** Keywords ***
        Tidy
            Log    b
            Fail    untidy
        """,
    )
    run = old_suite.run(*ROBOT, "t.robot")
    assert run.statuses == {"T.One": "passed", "T": "error"}
    assert run.end_of("T")["error_message"] == "untidy"


def test_listener_here_is_of_version_3():
    assert integration.robot.ROBOT_LISTENER_API_VERSION == 3
