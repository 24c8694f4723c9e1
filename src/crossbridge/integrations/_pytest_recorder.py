"""From pytest's hooks to events: the plugin of every process that runs tests.

Times are read in the hooks nearest to what they measure, by our own clock: `report.duration` is wrong under a frozen
one. Statuses come from the reports, which pytest-rerunfailures sends late.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from crossbridge.profiling import encode
from crossbridge.profiling.context import OpenStep, RunningTest
from crossbridge.profiling.guard import caught
from crossbridge.profiling.identity import test_id as stable_id
from crossbridge.profiling.real import ANCHOR_NS, Real, now_us
from crossbridge.profiling.sanitise import MESSAGE_LIMIT_BYTES

if TYPE_CHECKING:
    from crossbridge.profiling.collector import MetricsCollector

# What a phase can raise without failing: pytest.skip and pytest.xfail.
_NO_FAILURES = frozenset({"Skipped", "XFailed", "SkipTest"})
_REPORT = pytest.TestReport
_GROUP = r"@[^\]]*\Z"


class Attempt(RunningTest):
    """An attempt at a test while it runs. Times ending in `_ns` are those of `perf_counter_ns`; 0 is not yet."""

    started_ns: int
    setup_ended_ns = 0
    call_ended_ns = 0
    subtest_from_ns = 0
    teardown_began_ns = 0
    ended_ns = 0
    # Whether there is anything to say but that it passed: one of the fields below is not as it was.
    is_eventful = False
    # Statuses of the phases; None while nothing but `passed` is known.
    setup: str | None = None
    call: str | None = None
    teardown: str | None = None
    subtest_failed = False
    interrupted = False
    raised: dict[str, str] | None = None  # phases that raised and the type of it, until their report comes
    error_type: str | None = None
    error_message: str | None = None

    @property
    def status(self) -> str:
        """
        What became of the attempt: the first phase that did not simply pass decides.

        Only an error in the tear-down outranks what came before it, unless that was a failure.
        """
        status = self.setup or self.call or "passed"
        if self.subtest_failed and status in {"passed", "xpassed"}:
            status = "failed"
        if self.teardown and (
            status in {"passed", "xpassed"} or (self.teardown == "error" and status != "failed")
        ):
            status = self.teardown
        if self.interrupted and status in {"passed", "xpassed"}:
            status = "interrupted"
        return status

    def add_error(self, when: str, error_type: str | None, report: pytest.TestReport) -> None:
        """Keep the first error, and mention that the tear-down has failed as well."""
        message = error_message(report)
        if self.error_message is None:
            self.error_type, self.error_message = error_type, message
        elif when == "teardown":
            self.error_message += f"\n\nin tear-down: {message}"


class Recorder:
    """Writes test_start and test_end of each attempt, and a step for each subtest. No hook raises."""

    def __init__(self, collector: MetricsCollector, framework: str | None, *, grouped: bool) -> None:
        self._collector = collector
        self._root = str(collector.config.project_root)
        self._framework = framework
        self._grouped = grouped
        self._pid = Real.getpid()
        self._item: pytest.Item | None = None
        self._attempts = 0
        self._attempt: Attempt | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        self._item, self._attempts = item, 0

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        try:
            if self._attempt is not None:
                self._end(self._attempt)
            self._begin(nodeid)
        except Exception as error:  # noqa: BLE001
            caught(error, "pytest_runtest_logstart")

    # Not tryfirst: unittest's hook, which is, puts the exceptions of a TestCase into `call`.
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> None:
        attempt = self._attempt
        if attempt is None:
            return
        try:
            at_ns = Real.perf_counter_ns()
            if call.when == "setup":
                attempt.setup_ended_ns = attempt.subtest_from_ns = at_ns
            elif call.when == "teardown":
                attempt.ended_ns = at_ns
            else:
                attempt.call_ended_ns = at_ns
            if call.excinfo is not None:
                attempt.is_eventful = True
                attempt.raised = {**(attempt.raised or {}), call.when: call.excinfo.typename}
        except Exception as error:  # noqa: BLE001
            caught(error, "pytest_runtest_makereport")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self) -> None:
        if self._attempt is not None:
            self._attempt.teardown_began_ns = Real.perf_counter_ns()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        attempt = self._attempt
        if attempt is None or (
            not attempt.is_eventful
            and report.outcome == "passed"
            and type(report) is _REPORT
            and not hasattr(report, "wasxfail")
        ):
            return
        try:
            attempt.is_eventful = True
            if hasattr(report, "context"):
                self._record_subtest(attempt, report)
            else:
                _note(attempt, report)
        except Exception as error:  # noqa: BLE001
            caught(error, "pytest_runtest_logreport")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logfinish(self) -> None:
        try:
            if self._attempt is not None:
                self._end(self._attempt)
        except Exception as error:  # noqa: BLE001
            caught(error, "pytest_runtest_logfinish")

    def finish(self) -> None:
        """End what runs no more: the session was interrupted."""
        try:
            if (attempt := self._attempt) is not None:
                if not attempt.ended_ns:
                    attempt.is_eventful = attempt.interrupted = True
                self._end(attempt)
        except Exception as error:  # noqa: BLE001
            caught(error, "finish")

    def _begin(self, nodeid: str) -> None:
        if Real.getpid() != self._pid:
            return
        self._attempts += 1
        # pytest-rerunfailures counts over the workers in which a test has crashed.
        number = getattr(self._item, "execution_count", 0) or self._attempts
        test_id = stable_id(without_group(nodeid) if self._grouped else nodeid, self._root)
        file, suite = places(test_id)
        started_ns = Real.perf_counter_ns()
        at_us = (ANCHOR_NS + started_ns) // 1000
        attempt = Attempt(test_id, number, self._framework, at_us, suite, file)
        attempt.started_ns = started_ns
        self._attempt = self._collector.test = attempt
        self._collector.record(encode.start_of_test, at_us, attempt)

    def _end(self, attempt: Attempt) -> None:
        self._attempt = None
        if Real.getpid() != self._pid:
            return
        ended_ns = attempt.ended_ns or Real.perf_counter_ns()
        if attempt.raised:
            _note_unreported(attempt, attempt.raised)
        self._collector.test = None
        self._collector.record(
            encode.end_of_test,
            (ANCHOR_NS + ended_ns) // 1000,
            attempt,
            attempt.status if attempt.is_eventful else "passed",
            (ended_ns - attempt.started_ns) // 1000,
            (attempt.setup_ended_ns - attempt.started_ns) // 1000 if attempt.setup_ended_ns else None,
            (ended_ns - attempt.teardown_began_ns) // 1000 if attempt.teardown_began_ns else None,
            attempt.error_type,
            attempt.error_message,
        )

    def _record_subtest(self, attempt: Attempt, report: pytest.TestReport) -> None:
        raised = attempt.raised.pop("call", None) if attempt.raised else None
        if report.outcome == "failed":
            attempt.subtest_failed = True
            attempt.add_error("call", raised, report)
        name = stable_id(_subtest_name(report), self._root)
        step = OpenStep(name, "subtest", attempt, (ANCHOR_NS + attempt.subtest_from_ns) // 1000)
        # pytest tells when a subtest has ended, not when it began: one begins where the one before was reported.
        duration_us = max(0, attempt.call_ended_ns - attempt.subtest_from_ns) // 1000
        self._collector.end_step(step, report.outcome, duration_us)
        attempt.subtest_from_ns = Real.perf_counter_ns()


class Collection:
    """Records what was not collected, as `--junitxml` does: an error, or a file that is skipped as a whole."""

    def __init__(self, config: pytest.Config, collector: MetricsCollector, framework: str | None) -> None:
        self._collector = collector
        self._framework = framework
        self._root = str(collector.config.project_root)
        self._began_us = 0
        self._recorded: set[str] = set()  # --doctest-modules collects a file a second time
        reporter = config.pluginmanager.getplugin("terminalreporter")
        if reporter is not None:  # what was reported before we were switched on
            for report in (*reporter.stats.get("error", ()), *reporter.stats.get("skipped", ())):
                self.pytest_collectreport(report)

    def pytest_collectstart(self) -> None:
        self._began_us = now_us()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        try:
            if report.outcome != "passed" and report.nodeid not in self._recorded:
                self._recorded.add(report.nodeid)
                self._record(report)
        except Exception as error:  # noqa: BLE001
            caught(error, "pytest_collectreport")

    def _record(self, report: pytest.CollectReport) -> None:
        test_id = stable_id(report.nodeid, self._root)
        file, suite = places(test_id)
        failed = report.outcome == "failed"
        at_us = now_us()
        self._collector.record_test_end(
            test_id,
            self._framework,
            status="error" if failed else "skipped",
            duration_us=at_us - self._began_us if self._began_us else 0,
            suite=suite,
            file=file,
            error_message=error_message(report) if failed else None,
            at_us=at_us,
        )


def _note(attempt: Attempt, report: pytest.TestReport) -> None:
    when, status = report.when, phase_status(report)
    raised = attempt.raised.pop(when, None) if attempt.raised else None
    if when == "setup":
        attempt.setup = status
    elif when == "teardown":
        attempt.teardown = status
    else:  # call; or ???, the word of pytest-forked for a test whose process has died
        attempt.call = status
    if status in {"failed", "error"}:
        attempt.add_error(when, raised, report)


def _note_unreported(attempt: Attempt, raised: dict[str, str]) -> None:
    """Believe the phase: a plugin that tries a test again, as `flaky` does, keeps the report of a failure to itself."""
    for when, name in raised.items():
        if name in _NO_FAILURES:
            continue
        if when == "call":
            attempt.call = "failed"
        elif when == "setup":
            attempt.setup = "error"
        else:
            attempt.teardown = "error"
        attempt.error_type = attempt.error_type or name


def phase_status(report: pytest.TestReport) -> str | None:
    """Return what a report says of its phase, None when it passed."""
    expected = hasattr(report, "wasxfail")
    if report.outcome == "passed":
        return "xpassed" if expected else None
    if report.outcome == "skipped":
        return "xfailed" if expected else "skipped"
    # failed, or rerun: the word of pytest-rerunfailures for a failure that is not the last attempt's
    return "error" if report.when in {"setup", "teardown"} else "failed"


def error_message(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return what went wrong, in the words of pytest's summary where it has some."""
    crash = getattr(report.longrepr, "reprcrash", None)
    return (str(report.longrepr) if crash is None else str(crash.message))[: MESSAGE_LIMIT_BYTES + 1]


def places(nodeid: str) -> tuple[str, str]:
    """Return the file of a node id, and the suite: the file and the classes."""
    file, _, names = nodeid.partition("::")
    if "::" not in names:
        return file, file
    classes = names.partition("[")[0].rpartition("::")[0]
    return file, f"{file}::{classes}" if classes else file


def without_group(nodeid: str) -> str:
    """Cut off the `@group` that pytest-xdist puts behind a node id under --dist=loadgroup."""
    suite, separator, name = nodeid.rpartition("::")
    return suite + separator + re.sub(_GROUP, "", name)


def _subtest_name(report: pytest.TestReport) -> str:
    context = report.context
    message = "" if context.msg is None else str(context.msg)
    values = ", ".join(f"{name}={value}" for name, value in context.kwargs.items())
    return " ".join(filter(None, (message, f"({values})" if values else ""))) or "subtest"
