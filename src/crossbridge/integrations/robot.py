"""Robot Framework: the listener.

`robot --listener crossbridge.integrations.robot`, or the same in ROBOT_OPTIONS; Robot takes the class named like the
module. It has hooks only when profiling is on, and records once however often it is registered.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
from typing import Any

from robot.version import VERSION

from crossbridge.switch import find_project_root, may_be_on

# Version 3 of the listener interface has keywords since Robot Framework 7.
IS_BEFORE_7 = int(VERSION.partition(".")[0]) < 7  # noqa: PLR2004


class robot:  # noqa: N801  (Robot looks for a class of the module's name)
    """What Robot Framework asks for methods to call."""

    ROBOT_LISTENER_API_VERSION = 2 if IS_BEFORE_7 else 3
    # The last to be asked at a test's end, when other listeners have made of its status what they wanted.
    ROBOT_LISTENER_PRIORITY = -1000

    def __init__(self) -> None:
        self._hooks: object | None = None
        if may_be_on(os.environ, find_project_root()):
            from crossbridge.integrations._robot_recording import hooks  # noqa: PLC0415  (not while off)

            self._hooks = hooks()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._hooks, name)
