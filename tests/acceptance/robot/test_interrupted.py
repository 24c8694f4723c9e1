"""Runs that do not come to their end."""

from __future__ import annotations

import os
import signal

import pytest

from support.robot_output import OURS, outcomes
from support.robot_runs import LISTENER, ROBOT


def _stop(example, signal_number, name='"step_name":"Shop.Pay Slowly"'):
    arguments = ("--suite", "Steps", "--suite", "Zoo", "tests")
    example.write("tests/zoo.robot", "*** Test Cases ***\nLater\n    Log    never\n")
    process = example.start(*ROBOT, *arguments)
    example.wait_for(process, name)
    os.kill(process.pid, signal_number)
    stdout, stderr = process.communicate(timeout=30)
    return example.run_of(process.returncode, stdout, stderr)


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_signal_interrupts_the_running_test_and_the_run(example, signal_number):
    run = _stop(example, signal_number)
    assert run.statuses == {
        "Tests.Steps.Nested Steps": "passed",
        "Tests.Steps.Slow": "interrupted",
        "Tests.Zoo.Later": "error",
    }
    assert run.status == "interrupted"
    assert run.line
    for (name, status), end in zip(
        outcomes(example.folder / "results" / "output.xml"), run.ends, strict=True
    ):
        assert (name, end["status"] in OURS[status]) == (end["test_id"], True)


def test_killed_run_leaves_the_running_test_without_an_end(example):
    run = _stop(example, signal.SIGKILL)
    assert run.returncode == -signal.SIGKILL
    assert [start["test_id"] for start in run.of_type("test_start")] == [
        "Tests.Steps.Nested Steps",
        "Tests.Steps.Slow",
    ]
    assert run.statuses == {"Tests.Steps.Nested Steps": "passed"}
    assert run.of_type("segment_end") == []


def test_signal_that_lands_in_our_code_is_robots(suite):
    """A signal's exception is Robot's own, wherever it strikes: swallowed, the test would pass."""
    suite.write(
        "Stop.py",
        """
        import os, signal
        from crossbridge.profiling.collector import MetricsCollector
        from crossbridge.profiling.guard import caught

        def stop_inside_our_guard():
            try:
                os.kill(os.getpid(), signal.SIGTERM)
                for _ in range(1000):
                    pass
            except Exception as error:
                caught(error, "test")
        """,
    )
    suite.write(
        "t.robot",
        "*** Settings ***\nLibrary    Stop.py\n*** Test Cases ***\nOne\n    Stop Inside Our Guard\n    Log    x\n",
    )
    run = suite.run("robot", "--pythonpath", ".", "--listener", LISTENER, "t.robot", strict=False)
    assert run.statuses == {"T.One": "interrupted"}
    assert run.returncode in {1, 2}


def test_run_that_robot_itself_breaks_off_is_interrupted(suite):
    """output.xml cannot be written: the text has half a character."""
    suite.write("Half.py", "def half():\n    raise RuntimeError('\\udce4')\n")
    suite.write(
        "t.robot",
        "*** Settings ***\nLibrary    Half.py\n*** Test Cases ***\nOne\n    No Operation\nTwo\n    Half\n",
    )
    run = suite.run(*ROBOT, "t.robot")
    assert "UnicodeEncodeError" in run.stderr
    assert run.statuses == {"T.One": "passed"}
    assert run.status == "interrupted"
