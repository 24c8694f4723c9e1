"""Tests known by their reports alone: they run at the same time, or in processes that are not ours.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossbridge.integrations._pytest_recorder import Outcome, places, without_group
from crossbridge.integrations._session import guarded
from crossbridge.profiling.identity import test_id as stable_id
from crossbridge.profiling.segment import forks

if TYPE_CHECKING:
    import pytest

    from crossbridge.profiling.collector import MetricsCollector

_OUTCOMES = frozenset({"passed", "failed", "skipped"})


class Reported:
    """
    Writes test_end of each attempt when its last phase is reported, with the times pytest gives.

    It takes the place of a `Recorder`, which knows one test at a time. Steps and calls belong to no test here.
    """

    def __init__(self, collector: MetricsCollector, framework: str | None, *, grouped: bool) -> None:
        self._collector = collector
        self._framework = framework
        self._grouped = grouped
        self._root = str(collector.config.project_root)
        self._forks = len(forks)
        # By node id: what became of a test so far, and how long its phases took.
        self._tests: dict[str, tuple[Outcome, dict[str, int]]] = {}

    def adopt(self, nodeid: str, outcome: Outcome | None) -> None:
        """Go on with a test that another has begun to record."""
        self._tests[nodeid] = (outcome or Outcome(), {})

    @guarded
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if len(forks) != self._forks:
            return  # the process that has forked is told as well
        outcome, phases_us = self._tests.setdefault(report.nodeid, (Outcome(), {}))
        if hasattr(report, "context"):
            outcome.note_subtest(report)
            return
        outcome.note(report)
        phases_us[report.when] = round(report.duration * 1_000_000)
        if report.when == "teardown" or report.outcome not in _OUTCOMES:  # `rerun` is the last of its attempt
            self._end(report.nodeid, getattr(report, "rerun", 0) + 1)

    @guarded
    def finish(self) -> None:
        """End what runs no more: the session was interrupted."""
        for nodeid in tuple(self._tests):
            self._tests[nodeid][0].interrupted = True
            self._end(nodeid, 1)

    def _end(self, nodeid: str, attempt: int) -> None:
        outcome, phases_us = self._tests.pop(nodeid)
        test_id = stable_id(without_group(nodeid) if self._grouped else nodeid, self._root)
        suite, file = places(test_id)
        self._collector.record_test_end(
            test_id,
            self._framework,
            status=outcome.status,
            duration_us=sum(phases_us.values()),
            attempt=attempt,
            setup_us=phases_us.get("setup"),
            teardown_us=phases_us.get("teardown"),
            suite=suite,
            file=file,
            error_type=outcome.error_type,
            error_message=outcome.error_message,
        )
