"""Starting the shipper from a test process, so that it is nobody's child.

A shell in a session of its own starts it in the background and ends: the test process has no child left to
wait for, Ctrl-C in its terminal reaches no shipper, and no descriptor of the test process is held open by
it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from crossbridge.profiling.config import to_environ
from crossbridge.profiling.real import Real, is_refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crossbridge.profiling.models import ProfileConfig

# The folder that holds the package may be on sys.path by the user's doing only; it comes last, to shadow nothing.
_PACKAGE_ROOT = str(Path(__file__).resolve().parents[2])
# What a shipper computes it takes from tests that run beside it: so it gives way to them from its first import on,
# does not look for garbage while it imports the driver, where there is none, nor takes all modules apart at its end.
_PROGRAM = (
    "import gc, os, sys; os.nice(10); gc.set_threshold(100_000); sys.path[:1] = []; sys.path.append({root!r}); "
    "from crossbridge.profiling.shipper import main; main(); os._exit(0)"
)
# What would make the shipper measure, warn or stop as if it were a part of the test run.
_NOT_FOR_SHIPPER = ("COV_CORE_", "COVERAGE_", "PYTHONWARNINGS", "PYTHONDEVMODE", "PYTHONINSPECT", "PYTEST_")
_PYTHON = sys.executable
_SHELL = "/bin/sh"
_DETACH = '"$@" </dev/null >/dev/null 2>&1 &'


def start_shipper(config: ProfileConfig, environ: Mapping[str, str]) -> bool:
    """
    Start a shipper for the config's spool; return whether it could be started. Takes some milliseconds.

    One that is running already keeps the spool: the new one ends by itself.
    """
    if not _PYTHON or Real.posix_spawn is None:
        return False
    try:
        pid = Real.posix_spawn(
            _SHELL,
            [_SHELL, "-c", _DETACH, "sh", _PYTHON, "-c", _PROGRAM.format(root=_PACKAGE_ROOT)],
            shipper_environ(config, environ),
            setsid=True,
        )
    except (NotImplementedError, ValueError):  # no setsid; a NUL in the environment
        return False
    except OSError as error:  # no shell
        if is_refusal(error):
            return False
        raise
    with suppress(ChildProcessError):  # the user's own waiting was faster
        Real.waitpid(pid, 0)
    return True


def shipper_environ(config: ProfileConfig, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment a shipper needs: the user's, less what instruments a test run, plus the settings."""
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith(_NOT_FOR_SHIPPER) and not name.startswith("CROSSBRIDGE_")
    }
    return {**kept, **to_environ(config), "CROSSBRIDGE_PROJECT_ROOT": os.fspath(config.project_root)}
