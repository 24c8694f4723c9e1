"""The command line as people run it: a process of its own."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMAND = (sys.executable, "-m", "crossbridge")


def run_cli(*args: str, timeout_s: float = 60, **options) -> subprocess.CompletedProcess[str]:
    """Run `crossbridge ARGS` to its end; `options` are those of subprocess.run."""
    return subprocess.run(
        [*COMMAND, *map(str, args)], capture_output=True, text=True, timeout=timeout_s, check=False, **options
    )


def start_cli(*args: str, **options) -> subprocess.Popen[str]:
    """Start `crossbridge ARGS` and return at once."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*COMMAND, *map(str, args)], text=True, **pipes | options)


def as_user(name: str, environment: Mapping[str, str] = os.environ) -> dict:
    """Options that make a process run as user `name`, with a home nobody can write to; root only."""
    entry = pwd.getpwnam(name)
    return {
        "user": entry.pw_uid,
        "group": entry.pw_gid,
        "extra_groups": [],
        "cwd": "/",
        "env": {**environment, "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"},
    }
