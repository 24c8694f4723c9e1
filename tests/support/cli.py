"""The command line as people run it: a process of its own."""

from __future__ import annotations

import contextlib
import os
import pwd
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMAND = (sys.executable, "-m", "crossbridge")


def run_cli(
    *args: object, command: Sequence[str] = COMMAND, timeout_s: float = 60, **options
) -> subprocess.CompletedProcess[str]:
    """Run `crossbridge ARGS` to its end; `options` are those of subprocess.run."""
    return subprocess.run(
        [*command, *map(str, args)], capture_output=True, text=True, timeout=timeout_s, check=False, **options
    )


def start_cli(*args: object, **options) -> subprocess.Popen[str]:
    """Start `crossbridge ARGS` and return at once."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*COMMAND, *map(str, args)], text=True, **pipes | options)


def as_user(name: str) -> dict:
    """
    Options that make root's `run_cli` run as user `name`, whose home cannot be written to.

    Skips the test where that user can run no Python that has the packages: root's own may lie below /root.
    """
    entry = pwd.getpwnam(name)
    options = {
        "user": entry.pw_uid,
        "group": entry.pw_gid,
        "extra_groups": [],
        "cwd": "/",
        "env": os.environ
        | {"HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
    }
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            subprocess.run(
                [python, "-c", "import crossbridge.cli, psycopg"], check=True, capture_output=True, **options
            )
            return options | {"command": (python, "-m", "crossbridge")}
    pytest.skip(f"user {name} can run no Python here that has the packages")
