"""Runs that do not come to their end."""

from __future__ import annotations

import os
import signal

import pytest

from support.behave_runs import BEHAVE

FEATURE = """
Feature: A
  Scenario: Before
    Given it passes
  Scenario: Long
    Given it passes
    And it waits
    And it passes
  Scenario: After
    Given it passes
"""


def _stop(suite, signal_number):
    suite.write("features/a.feature", FEATURE)
    process = suite.start(*BEHAVE)
    suite.wait_for(process, '"step_name":"And it waits"')
    os.kill(process.pid, signal_number)
    stdout, stderr = process.communicate(timeout=30)
    return suite.run_of(process.returncode, stdout, stderr)


def test_ctrl_c_interrupts_the_running_scenario_and_the_run(suite):
    run = _stop(suite, signal.SIGINT)
    assert run.returncode == 1
    assert run.statuses == {
        "features/a.feature::Before": "passed",
        "features/a.feature::Long": "interrupted",
    }
    assert run.end_of("Long")["error_type"] == "KeyboardInterrupt"
    assert run.status == "interrupted"
    assert run.line


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGKILL])
def test_killed_run_leaves_the_running_scenario_without_an_end(suite, signal_number):
    run = _stop(suite, signal_number)
    assert run.returncode == -signal_number
    assert [start["test_id"] for start in run.of_type("test_start")] == [
        "features/a.feature::Before",
        "features/a.feature::Long",
    ]
    assert run.statuses == {"features/a.feature::Before": "passed"}
    assert run.of_type("segment_end") == []


def test_system_exit_in_a_step_ends_its_scenario(suite):
    suite.write(
        "features/steps/leave.py",
        "import sys\nfrom behave import step\n@step('it leaves')\ndef leave(context):\n    sys.exit(3)\n",
    )
    suite.write(
        "features/a.feature",
        "Feature: A\n  Scenario: One\n    Given it leaves\n  Scenario: Two\n    Given it passes\n",
    )
    plain = suite.run("behave", on=False)
    run = suite.run(*BEHAVE)
    assert run.returncode == plain.returncode == 3
    assert run.statuses == {"features/a.feature::One": "interrupted"}
    assert run.status == "interrupted"


def test_abort_by_the_project_is_no_interruption(suite):
    suite.write(
        "features/steps/stop.py",
        "from behave import step\n@step('it aborts')\ndef stop(context):\n    context.abort()\n    assert False\n",
    )
    suite.write(
        "features/a.feature",
        "Feature: A\n  Scenario: One\n    Given it aborts\n  Scenario: Two\n    Given it passes\n",
    )
    run = suite.run(*BEHAVE)
    assert run.statuses == {"features/a.feature::One": "failed"}
    assert run.status == "failed"
