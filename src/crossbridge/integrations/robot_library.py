"""Robot Framework's listener as a library without keywords: what a suite's `__init__.robot` can load.

Robot Framework has no file of a project's in which a listener is registered, but a library may bring one. It hears of
the suite that imports it and not of those below, so each suite passes the import on to its own.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import inspect
from typing import Any

from crossbridge.integrations.robot import robot


class Library(robot):
    """To be subclassed in the file that suites import: one instance, the same path, however many suites import it."""

    ROBOT_LIBRARY_SCOPE = "GLOBAL"

    def __init__(self) -> None:
        super().__init__()
        self.ROBOT_LIBRARY_LISTENER = [self, _Handover(inspect.getfile(type(self)))]


class _Handover:
    """Has every suite below import the library too."""

    ROBOT_LISTENER_API_VERSION = 3

    def __init__(self, path: str) -> None:
        self._path = path

    def start_suite(self, data: Any, _result: Any) -> None:
        for suite in data.suites:
            suite.resource.imports.library(self._path)
