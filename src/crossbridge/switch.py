"""Whether profiling may be on: what a hook asks before it imports anything else of ours.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SWITCHES = ("CROSSBRIDGE_PROFILING", "CROSSBRIDGE_PROFILING_ENABLED")
FALSE = frozenset({"0", "false", "no", "off"})
ROOT_MARKS = (".env", "crossbridge.yml", ".crossbridge", ".git")

# What must stand in a file of the project for it to switch profiling on.
_SWITCH_IN_FILE = ((".env", b"CROSSBRIDGE_PROFILING"), ("crossbridge.yml", b"profiling"))


def find_project_root(start: Path | None = None) -> Path:
    """Return the nearest folder from `start` upward that is marked as a project's root, else `start` itself."""
    start = Path.cwd() if start is None else start
    for folder in (start, *start.parents):
        if any(os.path.exists(folder / mark) for mark in ROOT_MARKS):  # noqa: PTH110  (never raises)
            return folder
    return start


def may_be_on(environ: Mapping[str, str], project_root: Path) -> bool:
    """Tell whether it is worth reading the settings: False is certain, True is not. Takes microseconds."""
    return is_switched_in(environ) or (
        not any(environ.get(name, "").strip() for name in SWITCHES)
        and any(_mentions(project_root / name, word) for name, word in _SWITCH_IN_FILE)
    )


def is_switched_in(environ: Mapping[str, str]) -> bool:
    """Tell whether the environment may switch profiling on: a switch is set there, and none to false."""
    values = [value.lower() for name in SWITCHES if (value := environ.get(name, "").strip())]
    return bool(values) and not any(value in FALSE for value in values)


def _mentions(path: Path, word: bytes) -> bool:
    try:
        return word in path.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        return False
    except OSError:
        return True  # for `config.load` to complain about
