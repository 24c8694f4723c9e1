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
from crossbridge.profiling.segment import forks

if TYPE_CHECKING:
    from collections.abc import Callable

    from crossbridge.integrations._pytest_reported import Reported
    from crossbridge.profiling.collector import MetricsCollector

# What a phase can raise without failing: pytest.skip and pytest.xfail.
_NO_FAILURES = frozenset({"Skipped", "XFailed", "SkipTest"})
_REPORT = pytest.TestReport
_TEARDOWN_BEGAN = "teardown began"
_GROUP = r"@[^\]]*\Z"


class Outcome:
    """What is known of an attempt that may not simply have passed."""

    def __init__(self) -> None:
        # Statuses of the phases; None while nothing but `passed` is known.
        self.setup: str | None = None
        self.call: str | None = None
        self.teardown: str | None = None
        self.subtest_failed = False
        self.subtest_ns = 0  # when the latest was reported
        self.interrupted = False
        self.raised: dict[str, str] = {}  # phases that raised and the type of it, until their report comes
        self.error_type: str | None = None
        self.error_message: str | None = None

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

    def note(self, report: pytest.TestReport) -> None:
        """Believe the report of a phase."""
        when, status = report.when, phase_status(report)
        raised = self.raised.pop(when, None)
        if when == "setup":
            self.setup = status
        elif when == "teardown":
            self.teardown = status
        else:  # call; or ???, the word of pytest-forked for a test whose process has died
            self.call = status
        if status in {"failed", "error"}:
            self.add_error(when, raised, report)

    def note_subtest(self, report: pytest.TestReport) -> None:
        """Fail with a subtest that has failed."""
        raised = self.raised.pop("call", None)
        if report.outcome == "failed":
            self.subtest_failed = True
            self.add_error("call", raised, report)

    def note_unreported(self) -> None:
        """Believe the phase: a plugin that tries a test again, as `flaky` does, keeps the report of it to itself."""
        for when, name in self.raised.items():
            if name in _NO_FAILURES:
                continue
            if when == "call":
                self.call = "failed"
            elif when == "setup":
                self.setup = "error"
            else:
                self.teardown = "error"
            self.error_type = self.error_type or name

    def add_error(self, when: str, error_type: str | None, report: pytest.TestReport) -> None:
        """Keep the first error, and mention that the tear-down has failed as well."""
        message = error_message(report)
        if self.error_message is None:
            self.error_type, self.error_message = error_type, message
        elif when == "teardown":
            self.error_message += f"\n\nin tear-down: {message}"


class Recorder:
    """
    Writes test_start and test_end of each attempt, and a step for each subtest. No hook raises.

    Times ending in `_ns` are those of `perf_counter_ns`. A process runs one test at a time, so what is known of it
    stands here: most tests pass, and for these hardly anything is to be touched.
    """

    # Slots, because pluggy looks through a plugin's `__dict__`, after which its attributes are found more slowly.
    __slots__ = (
        "_at_ns",
        "_attempts",
        "_clock_ns",
        "_collector",
        "_forks",
        "_framework",
        "_grouped",
        "_instead",
        "_nodeid",
        "_outcome",
        "_root",
        "_several_run",
        "_test",
        "item",
    )

    def __init__(
        self,
        collector: MetricsCollector,
        framework: str | None,
        *,
        grouped: bool,
        several_run: Callable[[Recorder], Reported],
    ) -> None:
        self._collector = collector
        self._root = str(collector.config.project_root)
        self._framework = framework
        self._grouped = grouped
        self._several_run = several_run  # puts another in the place of this one, and returns it
        self._instead: Reported | None = None
        self._clock_ns = Real.perf_counter_ns
        self._forks = len(forks)
        self.item: pytest.Item | None = None  # where its plugin counts the attempts: see Reruns
        self._nodeid = ""
        self._attempts = 0
        self._test: RunningTest | None = None
        self._at_ns: dict[str, int] = {}  # when phases have ended, and the tear-down began
        self._outcome: Outcome | None = None  # None: all is passed

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        try:
            if self._test is not None:
                if nodeid != self._nodeid and "teardown" not in self._at_ns:
                    self._give_up()
                    return
                self._end(self._test)
            if len(forks) == self._forks:
                self._begin(nodeid)
        except Exception as error:  # noqa: BLE001
            caught(error, "pytest_runtest_logstart")

    # Not tryfirst: unittest's hook, which is, puts the exceptions of a TestCase into `call`.
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> None:
        try:
            self._at_ns[call.when] = self._clock_ns()
            if call.excinfo is not None:
                self._eventful().raised[call.when] = call.excinfo.typename
        except Exception as error:  # noqa: BLE001
            caught(error, "pytest_runtest_makereport")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self) -> None:
        self._at_ns[_TEARDOWN_BEGAN] = self._clock_ns()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if (
            report.outcome == "passed"
            and self._outcome is None
            and type(report) is _REPORT
            and not hasattr(report, "wasxfail")
        ):
            return
        try:
            if self._test is None:
                return
            if hasattr(report, "context"):
                self._record_subtest(self._test, report)
            else:
                self._eventful().note(report)
        except Exception as error:  # noqa: BLE001
            caught(error, "pytest_runtest_logreport")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logfinish(self) -> None:
        try:
            if self._test is not None:
                self._end(self._test)
        except Exception as error:  # noqa: BLE001
            caught(error, "pytest_runtest_logfinish")

    def finish(self) -> None:
        """End what runs no more: the session was interrupted."""
        try:
            if self._instead is not None:
                self._instead.finish()
            if self._test is not None:
                if "teardown" not in self._at_ns:
                    self._eventful().interrupted = True
                self._end(self._test)
        except Exception as error:  # noqa: BLE001
            caught(error, "finish")

    def begin_again(self) -> None:
        """End the attempt, and begin the next one of the same test."""
        if self._test is not None:
            self._end(self._test)
            self._begin(self._nodeid)

    def is_torn_down(self) -> None:
        """Let the attempt last until now, unless the report of a tear-down says otherwise."""
        self._at_ns["teardown"] = self._clock_ns()

    def note_retried(self, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Believe the report of a body that is not logged."""
        outcome = self._eventful()
        if call.excinfo is not None:
            outcome.raised["call"] = call.excinfo.typename
        outcome.note(report)

    def _eventful(self) -> Outcome:
        self._outcome = outcome = self._outcome or Outcome()
        return outcome

    def _give_up(self) -> None:
        """Leave the rest of the session to one that can tell tests apart which run at the same time."""
        self._test = self._collector.test = None
        self._instead = self._several_run(self)
        self._instead.adopt(self._nodeid, self._outcome)

    def _begin(self, nodeid: str) -> None:
        self._attempts = self._attempts + 1 if nodeid == self._nodeid else 1
        self._nodeid = nodeid
        test_id = stable_id(without_group(nodeid) if self._grouped else nodeid, self._root)
        number = getattr(self.item, "execution_count", 0) or self._attempts
        self._at_ns, self._outcome = {}, None
        at_us = (ANCHOR_NS + self._clock_ns()) // 1000
        test = RunningTest(test_id, number, self._framework, at_us, places(test_id))
        self._test = self._collector.test = test
        self._collector.record(encode.start_of_test, at_us, test)

    def _end(self, test: RunningTest) -> None:
        self._test = self._collector.test = None
        if len(forks) != self._forks:
            return
        status, error_type, message = "passed", None, None
        if (outcome := self._outcome) is not None:
            outcome.note_unreported()
            status, error_type, message = outcome.status, outcome.error_type, outcome.error_message
        at_ns, began_us = self._at_ns, test.started_us
        ended_us = (ANCHOR_NS + (at_ns.get("teardown") or self._clock_ns())) // 1000
        setup_us = (ANCHOR_NS + at_ns["setup"]) // 1000 - began_us if "setup" in at_ns else None
        teardown_us = None
        if _TEARDOWN_BEGAN in at_ns:
            teardown_us = ended_us - (ANCHOR_NS + at_ns[_TEARDOWN_BEGAN]) // 1000
        ended = (test, status, ended_us - began_us, setup_us, teardown_us, error_type, message)
        self._collector.record(encode.end_of_test, ended_us, ended)

    def _record_subtest(self, test: RunningTest, report: pytest.TestReport) -> None:
        outcome = self._eventful()
        outcome.note_subtest(report)
        name = stable_id(_subtest_name(report), self._root)
        # pytest tells when a subtest has ended, not when it began: one begins where the one before was reported.
        began_ns = outcome.subtest_ns or self._at_ns.get("setup", 0)
        step = OpenStep(name, "subtest", test, (ANCHOR_NS + began_ns) // 1000)
        duration_us = max(0, self._at_ns.get("call", 0) - began_ns) // 1000
        self._collector.end_step(step, report.outcome, duration_us)
        outcome.subtest_ns = self._clock_ns()


class Reruns:
    """Beside pytest-rerunfailures, which counts the attempts over all workers in which a test has crashed."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        self._recorder.item = item


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
        suite, file = places(test_id)
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
    """Return the suite of a node id, the file and the classes, and the file."""
    file, _, names = nodeid.partition("::")
    if "::" not in names:
        return file, file
    classes = names.partition("[")[0].rpartition("::")[0]
    return f"{file}::{classes}" if classes else file, file


def without_group(nodeid: str) -> str:
    """Cut off the `@group` that pytest-xdist puts behind a node id under --dist=loadgroup."""
    suite, separator, name = nodeid.rpartition("::")
    return suite + separator + re.sub(_GROUP, "", name)


def _subtest_name(report: pytest.TestReport) -> str:
    context = report.context
    message = "" if context.msg is None else str(context.msg)
    values = ", ".join(f"{name}={value}" for name, value in context.kwargs.items())
    return " ".join(filter(None, (message, f"({values})" if values else ""))) or "subtest"
