"""Whether a segment's writer lives: its process where that can be known, else how long its file has rested."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time

import pytest

from crossbridge.profiling.shipping.liveness import IDLE_LIMIT_S, is_alive
from support.segment_file import gone, start_ticks
from support.shipping import wait_until

HERE = os.uname().nodename


def lives(*, host=HERE, pid=None, pid_start=None, rested_s=IDLE_LIMIT_S + 60) -> bool:
    return is_alive(host=host, pid=pid, pid_start=pid_start, changed_at_s=time.time() - rested_s)


def test_a_process_that_runs_lives_however_long_its_file_has_rested():
    assert lives(pid=os.getpid(), pid_start=start_ticks(os.getpid()), rested_s=1e6)


def test_a_process_that_has_ended_is_gone_however_fresh_its_file_is():
    assert not lives(**gone(), rested_s=0)


def test_a_process_that_got_the_number_of_another_is_not_that_other():
    assert not lives(pid=os.getpid(), pid_start=start_ticks(os.getpid()) - 1, rested_s=0)


def test_a_zombie_is_gone():
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    identity = {"pid": child.pid, "pid_start": start_ticks(child.pid)}
    assert lives(**identity)
    child.stdin.close()
    wait_until(lambda: not lives(**identity, rested_s=0), "the zombie noticed")
    child.wait()


def test_a_program_of_any_name_is_recognised(tmp_path):
    """The name stands in the middle of /proc/PID/stat, parentheses and spaces included."""
    program = tmp_path / "a) Z 1 (b"
    shutil.copy(shutil.which("sleep"), program)
    with subprocess.Popen([program, "60"]) as process, contextlib.ExitStack() as stack:
        stack.callback(process.kill)
        assert lives(pid=process.pid, pid_start=start_ticks(process.pid))


@pytest.mark.parametrize("rested_s", [0, IDLE_LIMIT_S - 30, IDLE_LIMIT_S + 30])
@pytest.mark.parametrize(
    "identity",
    [
        {"host": "another-machine", "pid": 1, "pid_start": 1},
        {"host": None, "pid": None},
        {"host": HERE, "pid": None},
        {"host": HERE, "pid": -1, "pid_start": 5},
        {"host": HERE, "pid": 1 << 70, "pid_start": 5},
    ],
    ids=["another machine", "nothing known", "no process number", "no possible one", "one too large"],
)
def test_where_the_process_cannot_be_known_the_rest_of_the_file_decides(identity, rested_s):
    assert lives(**identity, rested_s=rested_s) == (rested_s < IDLE_LIMIT_S)


def test_a_process_without_known_start_is_gone_when_nobody_has_its_number():
    assert not lives(pid=gone()["pid"], rested_s=0)
    assert lives(pid=os.getpid(), rested_s=0)
    assert not lives(pid=os.getpid())
