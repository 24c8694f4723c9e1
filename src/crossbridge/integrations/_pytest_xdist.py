"""pytest-xdist: the workers write their tests, the controller writes those in which a worker has died.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from crossbridge.integrations import _libraries
from crossbridge.integrations._pytest_recorder import (
    error_message,
    phase_status,
    places,
    without_group,
)
from crossbridge.profiling.config import PASSWORD, to_environ
from crossbridge.profiling.guard import caught
from crossbridge.profiling.identity import test_id as stable_id
from crossbridge.profiling.real import now_us

if TYPE_CHECKING:
    from crossbridge.integrations._pytest_recorder import Recorder
    from crossbridge.integrations._pytest_reported import Reported
    from crossbridge.profiling.collector import MetricsCollector

# The key under which controller and workers tell each other about the recording.
SHARED = "crossbridge"
# What pytest-xdist and pytest-forked give as the phase of a test whose process has died.
DIED = "???"


class Controller:
    """Tells the workers to join the run, and answers for those that die."""

    def __init__(self, collector: MetricsCollector, framework: str | None, *, grouped: bool) -> None:
        self.stats: list[dict[str, Any]] = []  # of the workers that have ended, as `get_stats` gives them
        self._collector = collector
        self._framework = framework
        self._grouped = grouped
        self._root = str(collector.config.project_root)
        self._running: dict[str, int] = {}  # node ids, and when they began

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        try:
            self._tell(node)
        except Exception as error:  # noqa: BLE001  (a worker that is told nothing records nothing)
            caught(error, "pytest_configure_node")

    def _tell(self, node: Any) -> None:
        settings = to_environ(self._collector.config)
        settings.pop(PASSWORD, None)  # delivery is not a worker's business
        settings["CROSSBRIDGE_RUN_ID"] = self._collector.run_id
        node.workerinput[SHARED] = {
            "settings": settings,
            "root": self._root,
            "writer": self._collector.writer or None,
        }

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._running[nodeid] = now_us()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self._running.pop(nodeid, None)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # With a worker's id on it the report was the worker's, which has recorded it.
        if report.when != DIED or hasattr(report, "worker_id"):
            return
        try:
            self._record(report)
        except Exception as error:  # noqa: BLE001
            caught(error, "pytest_runtest_logreport")

    def _record(self, report: pytest.TestReport) -> None:
        nodeid = report.nodeid
        test_id = stable_id(without_group(nodeid) if self._grouped else nodeid, self._root)
        suite, file = places(test_id)
        at_us = now_us()
        self._collector.record_test_end(
            test_id,
            self._framework,
            status=phase_status(report) or "passed",
            duration_us=at_us - self._running.pop(nodeid, at_us),
            attempt=getattr(report, "rerun", 0) + 1,
            suite=suite,
            file=file,
            error_message=error_message(report),
            worker=report.node.gateway.id,
            at_us=at_us,
        )

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        stats = getattr(node, "workeroutput", {}).get(SHARED)
        if stats is not None:
            self.stats.append(stats)


class Worker:
    """Closes the recording of a worker, and tells the controller how it fared."""

    def __init__(
        self, config: pytest.Config, collector: MetricsCollector, recorder: Recorder | Reported
    ) -> None:
        self._config = config
        self._collector = collector
        self._recorder = recorder

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self) -> None:
        self._recorder.finish()

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        self._end()
        try:
            self._config.workeroutput[SHARED] = self._collector.get_stats()  # type: ignore[attr-defined]
        except Exception as error:  # noqa: BLE001
            caught(error, "pytest_sessionfinish")

    def pytest_unconfigure(self) -> None:
        self._end()

    def _end(self) -> None:
        try:
            self._recorder.finish()
            while self._collector.running:
                self._collector.shutdown()
            _libraries.leave(self._collector)
        except Exception as error:  # noqa: BLE001
            caught(error, "the end of a worker")
