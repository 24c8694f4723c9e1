"""pabot's processes are one run."""

from __future__ import annotations

import sys

import pytest

from support.robot_runs import EXAMPLE, LISTENER

pytest.importorskip("pabot")

PABOT = ("pabot.pabot", "--processes", "2", "--outputdir", "results")


@pytest.mark.parametrize("split", [(), ("--testlevelsplit",)])
def test_all_processes_record_into_one_run_each_test_once(example, split):
    run = example.run(*PABOT, *split, "tests", environ={"ROBOT_OPTIONS": f"--listener {LISTENER}"})
    assert run.returncode == 5
    assert run.statuses == EXAMPLE
    assert len({header["run_id"] for header in run.headers}) == 1
    assert {header["worker"] for header in run.headers} == {"pabot0", "pabot1"}
    assert len(run.segments) == (13 if split else 4)


def test_each_pabot_is_another_run(example):
    example.run(*PABOT, "--listener", LISTENER, "tests")
    run = example.run(*PABOT, "--listener", LISTENER, "tests")
    assert len({header["run_id"] for header in run.headers}) == 2


def test_run_id_of_the_environment_wins(example):
    run_id = "0198c0de-0000-7000-8000-000000000002"
    run = example.run(*PABOT, "--listener", LISTENER, "tests", environ={"CROSSBRIDGE_RUN_ID": run_id})
    assert {header["run_id"] for header in run.headers} == {run_id}


def test_command_with_a_wrapper_around_robot_is_still_one_run(example):
    wrapper = example.write("wrapper.sh", f'#!/bin/sh\n{sys.executable} -m robot "$@"\nexit $?\n')
    wrapper.chmod(0o755)
    command = ("--command", str(wrapper), "--end-command")
    run = example.run("pabot.pabot", *command, *PABOT[1:], "--listener", LISTENER, "tests")
    assert run.statuses == EXAMPLE
    assert len({header["run_id"] for header in run.headers}) == 1


def test_processes_of_pabot_say_nothing(example):
    run = example.run(*PABOT, "--verbose", "--listener", LISTENER, "tests")
    said = run.output + "".join(path.read_text() for path in example.folder.rglob("*std*.txt"))
    assert "crossbridge: " not in said
