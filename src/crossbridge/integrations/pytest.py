"""
The pytest plugin, entry point `crossbridge`; `-p no:crossbridge` keeps it away.

While profiling is off this module is all pytest sees of us: two hooks, each called once a session. Switched on, it
registers the plugins that do the work.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from crossbridge.switch import find_project_root, is_switched_in, may_be_on

if TYPE_CHECKING:
    from pathlib import Path

# Ways to call pytest in which no test is run.
_RUNS_NOTHING = (
    "collectonly",
    "setuponly",  # --setup-plan too
    "showfixtures",
    "show_fixtures_per_test",
    "cacheshow",
)


# Set when a session is recorded, or cannot be and that has been said.
_SETTLED = pytest.StashKey[bool]()


class Recording:
    """Whether a session of this process is being recorded. One that a test of it starts is not."""

    on = False


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    config = session.config
    if hasattr(config, "workerinput"):
        if "crossbridge" in config.workerinput:
            _begin(session, None)
        return
    root = find_project_root(config.rootpath)
    if may_be_on(os.environ, root):
        _begin(session, root)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Look again: conftest.py as the guide has it switches on when it is imported, which can be as late as this."""
    if _SETTLED not in session.config.stash and is_switched_in(os.environ):
        _begin(session, find_project_root(session.config.rootpath))


def _begin(session: pytest.Session, root: Path | None) -> None:
    config = session.config
    if any(config.getoption(option, None) for option in _RUNS_NOTHING) or _is_nested():
        return
    try:
        with _Unwritten(config):
            from crossbridge.integrations._pytest_session import begin  # noqa: PLC0415  (not while profiling is off)

        if begin(session, root):
            config.stash[_SETTLED] = True
    except Exception as error:  # noqa: BLE001  (whatever it is, the tests run)
        config.stash[_SETTLED] = True
        say(config, f"crossbridge: {_reason(error)} Profiling is off for this run.")


class _Unwritten:
    """
    Keeps pytest's rewriting of assertions away from what is imported inside.

    It would load each module of ours, because an entry point of the distribution is a plugin, only to leave it as it
    is, and more slowly than Python does.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._hook: Any = config.pluginmanager.rewrite_hook
        self._place: int | None = None

    def __enter__(self) -> None:
        if self._hook in sys.meta_path:
            self._place = sys.meta_path.index(self._hook)
            del sys.meta_path[self._place]

    def __exit__(self, *_: object) -> None:
        if self._place is not None:
            sys.meta_path.insert(self._place, self._hook)


def _is_nested() -> bool:
    """Tell whether a test started this session: in its own process, or in one that has inherited its environment."""
    return Recording.on or "PYTEST_CURRENT_TEST" in os.environ


def _reason(error: Exception) -> str:
    if isinstance(error, ImportError):
        return f"cannot be imported ({error}). Mend it with: pip install --force-reinstall crossbridge."
    return str(error) if hasattr(error, "exit_code") else f"{type(error).__name__}: {error}."


def say(config: pytest.Config, line: str) -> None:
    """Print a line for people: no warning of Python's, which may be an error. A worker of pytest-xdist is not heard."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if reporter is None:
        print(line, file=sys.stderr)  # noqa: T201
    else:
        reporter.ensure_newline()
        reporter.write_line(line)
