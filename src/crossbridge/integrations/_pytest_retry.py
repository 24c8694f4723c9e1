"""pytest-retry: it tries a body again inside the hook that makes the report of its first attempt.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crossbridge.integrations._session import guarded

if TYPE_CHECKING:
    from crossbridge.integrations._pytest_recorder import Recorder


class Retries:
    """Tells the attempts by their set-ups: only the first of them is reported, and none is started or ended."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._is_set_up = False

    def pytest_runtest_logstart(self) -> None:
        self._is_set_up = False

    @pytest.hookimpl(tryfirst=True)
    @guarded
    def pytest_runtest_setup(self) -> None:
        if self._is_set_up:
            self._recorder.begin_again()
        self._is_set_up = True

    @pytest.hookimpl(trylast=True)
    @guarded
    def pytest_runtest_teardown(self) -> None:
        self._recorder.is_torn_down()

    @guarded
    def pytest_exception_interact(self, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        if report.when == "call":
            self._recorder.note_retried(call, report)
