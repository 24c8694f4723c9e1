"""Test suites to run: trivial ones, where nothing hides what a plugin costs, and ones that take their time."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from bench.stage import Stage

TESTS_PER_FILE = 100

# Says when the last test had ended, on the clock that all processes of the machine share.
_END_OF_TESTS = """\
import os
import time

import pytest

ended_ns = 0


@pytest.hookimpl(trylast=True)
def pytest_runtest_logfinish():
    global ended_ns
    ended_ns = time.monotonic_ns()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish():
    with open(os.environ["BENCH_ENDED_FILE"], "w") as file:
        file.write(str(ended_ns))
"""

# What the process holds while a test runs, and the most memory it ever had (VmHWM, which is of this process alone).
_FOOTPRINT = """\
import atexit
import json
import os

seen = {}


@atexit.register
def write():
    with open("/proc/self/status") as file:
        status = dict(line.split(":", 1) for line in file)
    seen["peak_kib"] = int(status["VmHWM"].split()[0])
    with open(os.environ["BENCH_FOOTPRINT_FILE"], "w") as file:
        json.dump(seen, file)


def pytest_runtest_teardown():
    links = [os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")]
    seen["sockets"] = sum("socket:" in link for link in links)
    seen["threads"] = len(os.listdir("/proc/self/task"))
"""


def trivial(stage: Stage, tests: int) -> Path:
    """`tests` tests that do nothing."""
    return _make(stage, f"trivial_{tests}", tests, "pass")


def sleepy(stage: Stage, tests: int, each_ms: int) -> Path:
    """`tests` tests that sleep; where BENCH_ENDED_FILE names, the suite says when the last one had ended."""
    body = f"time.sleep({each_ms / 1000})"
    return _make(stage, f"sleepy_{tests}", tests, body, head="import time\n\n\n", conftest=_END_OF_TESTS)


def footprint(stage: Stage, tests: int) -> Path:
    """Trivial tests that write to BENCH_FOOTPRINT_FILE what their process holds."""
    return _make(stage, f"footprint_{tests}", tests, "pass", conftest=_FOOTPRINT)


def _make(stage: Stage, name: str, tests: int, body: str, *, head: str = "", conftest: str = "") -> Path:
    root = stage.folder("suites")
    folder = root / name
    if folder.exists():
        return folder
    folder.mkdir()
    (root / "pytest.ini").write_text("[pytest]\n")
    (folder / "conftest.py").write_text(conftest)
    for first in range(0, tests, TESTS_PER_FILE):
        numbers = range(first, min(first + TESTS_PER_FILE, tests))
        functions = "\n\n\n".join(f"def test_{number}():\n    {body}" for number in numbers)
        (folder / f"test_{name}_{first // TESTS_PER_FILE}.py").write_text(f"{head}{functions}\n")
    _commit(root)
    return folder


def _commit(root: Path) -> None:
    """Make it a repository with a commit: reporters look for one."""
    git = [
        "git",
        "-C",
        str(root),
        "-c",
        "user.name=bench",
        "-c",
        "user.email=bench@localhost",
        "-c",
        "core.hooksPath=",
    ]
    if not (root / ".git").exists():
        subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "suites"], check=True)
