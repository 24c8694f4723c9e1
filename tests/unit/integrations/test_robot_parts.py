"""The parts of the Robot Framework integration that need no run."""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path

import pytest

pytest.importorskip("robot")

from crossbridge.integrations import _pabot
from crossbridge.integrations._robot_recording import Executions, _error_type

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


def test_test_that_runs_again_is_the_next_attempt():
    executions = Executions()
    assert [executions.next("A.One", 3) for _ in range(3)] == [("A.One", 1), ("A.One", 2), ("A.One", 3)]


def test_other_place_under_the_same_name_is_another_test():
    executions = Executions()
    runs = [executions.next("A.One", place) for place in (3, 5, 3, 5, 9)]
    assert runs == [("A.One", 1), ("A.One #2", 1), ("A.One", 2), ("A.One #2", 2), ("A.One #3", 1)]


@pytest.mark.parametrize(
    ("message", "error_type"),
    [
        ("ConnectionError: gone", "ConnectionError"),
        ("Setup failed:\nConnectionError: gone", "ConnectionError"),
        ("Teardown failed:\nMyException: gone", "MyException"),
        ("*HTML* Setup failed:\nOSError: <b>gone</b>", "OSError"),
        ("2 != 3", None),
        ("Several failures occurred:\n\n1) ValueError: x", None),
        ("Error: which is no name", None),
        ("", None),
        (None, None),
    ],
)
def test_error_type_is_read_from_the_message(message, error_type):
    assert _error_type(message) == error_type


@pytest.mark.parametrize(("slot", "name"), [("0", "pabot0"), ("11", "pabot11"), (None, None)])
def test_worker_is_named_after_pabots_slot(slot, name):
    assert _pabot.worker({"${PABOTEXECUTIONPOOLID}": slot}.get) == name


def _run_id_of_a_child(command=(), marker="") -> str:
    program = "from crossbridge.integrations import _pabot; print(_pabot.run_id())"
    child = [*command, sys.executable, "-c", program, marker]
    return subprocess.run(child, capture_output=True, text=True, check=True).stdout.strip()


@needs_proc
def test_children_of_one_process_agree_on_the_run_id():
    run_id = _run_id_of_a_child()
    assert run_id == _run_id_of_a_child() == str(uuid.UUID(run_id))
    assert uuid.UUID(run_id).version == 8
    assert _pabot.run_id() != run_id


@needs_proc
def test_wrapper_between_pabot_and_robot_is_looked_through():
    marker = "pabot_results/0/robot_argfile.txt"
    wrapper = ("/bin/sh", "-c", '"$@"; exit $?', "sh")
    assert _run_id_of_a_child(wrapper, marker) == _run_id_of_a_child()
    assert _run_id_of_a_child(wrapper) != _run_id_of_a_child()
