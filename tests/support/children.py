"""Code in a process of its own, for what a test cannot do to the process it runs in."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

from support.pytest_runs import clean_environ

_TESTS = str(Path(__file__).parents[1])
_PRELUDE = """
import json, os, resource, signal, sys, threading, time
from pathlib import Path
from support.segments import *
spool = Path(sys.argv[1])
"""


def run_in_child(code: str, spool: Path, *, python: str = sys.executable, timeout_s: float = 60) -> str:
    """
    Run code with `spool` and all of support.segments at hand; return what it printed.

    It must end well and warn of nothing: warnings are errors, and nothing may stand on stderr.
    """
    done = subprocess.run(
        [python, "-W", "error", "-c", _PRELUDE + textwrap.dedent(code), str(spool)],
        env=clean_environ(PYTHONPATH=os.pathsep.join([_TESTS, os.environ.get("PYTHONPATH", "")])),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout
