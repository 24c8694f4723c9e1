"""Behave: the two ways to have a run recorded.

`behave -r crossbridge.integrations.behave:Runner` (behave 1.3), or `install()` in environment.py; both together do no
more than one. While profiling is off neither changes anything.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
import sys
from typing import Any

import behave.runner

from crossbridge.switch import find_project_root, may_be_on


def install() -> None:
    """Record the run that begins in this process, if profiling is on. Never raises."""
    try:
        if may_be_on(os.environ, find_project_root()):
            from crossbridge.integrations import _behave_recording  # noqa: PLC0415  (not while off)

            _behave_recording.install()
    except Exception as error:  # noqa: BLE001  (whatever it is, the run goes on)
        reason = f"{type(error).__name__}: {error}"
        print(f"crossbridge: profiling is off for this run: {reason}", file=sys.__stderr__)


class Runner(behave.runner.Runner):  # type: ignore[misc]
    """behave's own runner, recorded."""

    def __init__(self, config: Any) -> None:
        install()
        super().__init__(config)
