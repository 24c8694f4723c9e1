"""From Robot Framework's listener interface to events: tests, and keywords and control structures as nested steps.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, ClassVar

from robot.libraries.BuiltIn import BuiltIn
from robot.running.context import EXECUTION_CONTEXTS
from robot.version import VERSION

from crossbridge.integrations import _pabot, _session
from crossbridge.integrations._session import guarded
from crossbridge.integrations.robot import IS_BEFORE_7
from crossbridge.profiling.identity import test_id as stable_id
from crossbridge.profiling.real import now_us

if TYPE_CHECKING:
    from collections.abc import Hashable

    from crossbridge.profiling.collector import MetricsCollector
    from crossbridge.profiling.context import OpenStep
    from crossbridge.profiling.models import ProfileConfig

_LONG_NAME = "longname" if IS_BEFORE_7 else "full_name"

_EVENT_TYPES = {"KEYWORD": "keyword", "SETUP": "setup", "TEARDOWN": "teardown"}
_CONTROL = frozenset(
    {"FOR", "WHILE", "ITERATION", "IF", "ELSE IF", "ELSE", "TRY", "EXCEPT", "FINALLY", "GROUP"}
)
_STEP_STATUSES = {"PASS": "passed", "SKIP": "skipped"}

# What a test's message says when a signal ended it, and when robotframework-retryfailed is about to run it again.
_SIGNALLED = "Execution terminated by signal"
_RETRIED = "\nSkipped for Retry"
_ERROR_TYPE = re.compile(
    r"(?:\*HTML\* ?)?(?:(?:Setup|Teardown) failed:\n)?([A-Za-z_]\w*(?:Error|Exception)): "
)


class Executions:
    """
    Tells the next attempt of a test from another test of the same name.

    A test that runs again is known by its place, whatever the framework says that is: that is its next
    attempt. Another place under the same name is another test: its id gets ` #2`.
    """

    def __init__(self) -> None:
        self._places: dict[str, dict[Hashable, int]] = {}

    def next(self, test_id: str, place: Hashable) -> tuple[str, int]:
        """Return the id that is the test's own, and the number of the attempt that begins now."""
        places = self._places.setdefault(test_id, {})
        attempt = places[place] = places.get(place, 0) + 1
        ordinal = list(places).index(place) + 1
        return (test_id if ordinal == 1 else f"{test_id} #{ordinal}"), attempt


class Recording:
    """One run of Robot Framework, as its result objects tell it. Microseconds of our own clock."""

    current: ClassVar[Recording | None] = None

    def __init__(self, config: ProfileConfig, collector: MetricsCollector, *, in_pabot: bool) -> None:
        self._root = os.fspath(config.project_root)
        self._collector = collector
        self._in_pabot = in_pabot
        self.pid = os.getpid()
        self._executions = Executions()
        self._steps: dict[int, OpenStep] = {}
        self._status = "passed"
        self._interrupted = False
        self._open_suites = 0
        self._suite_teardown_us = 0
        self._forget_test()

    @classmethod
    def begin(cls, config: ProfileConfig) -> Recording | None:
        """Begin unless this process records already, or nothing is really run."""
        context = EXECUTION_CONTEXTS.current
        if (cls.current is not None and cls.current.pid == os.getpid()) or context.dry_run:
            return None
        worker = _pabot.worker(BuiltIn().get_variable_value)
        if worker is not None and config.run_id is None:
            config = config.replace(run_id=_pabot.run_id())
        collector = _session.begin(config, "robot", VERSION, worker)
        if collector is not None:
            cls.current = cls(config, collector, in_pabot=worker is not None)
            return cls.current
        return None

    def end(self) -> None:
        Recording.current = None
        # Robot itself has failed where a suite did not end.
        status = "interrupted" if self._interrupted or self._open_suites > 0 else self._status
        # pabot starts a process for every suite: none of them waits, and none of them talks.
        timeout_s = 0.0 if self._in_pabot else None
        _session.finish(self._collector, status, timeout_s=timeout_s, quiet=self._in_pabot)

    def start_suite(self) -> None:
        self._open_suites += 1

    def end_suite(self, suite: Any) -> None:
        self._open_suites -= 1
        if suite.parent is None:
            self._status = "failed" if suite.status == "FAIL" else "passed"
        elif suite.status == "FAIL":  # the last word, where a library brought us in below the top
            self._status = "failed"

    # Tests ----------------------------------------------------------------------------------------------------

    def _forget_test(self) -> None:
        self._test: Any = None
        self._test_id, self._attempt = "", 1
        self._setup_us: int | None = None
        self._teardown_us: int | None = None
        self._passed_before_teardown = False
        self._is_broken = False
        self._steps.clear()

    def start_test(self, test: Any, line: int | None) -> None:
        self._forget_test()
        self._test, suite = test, test.parent
        name = stable_id(getattr(test, _LONG_NAME), self._root)
        self._test_id, self._attempt = self._executions.next(name, (suite.source, line))
        self._collector.record_test_start(
            self._test_id,
            "robot",
            attempt=self._attempt,
            suite=getattr(suite, _LONG_NAME),
            file=self._file(suite),
        )

    def end_test(self, test: Any) -> None:
        status = self._test_status(test)
        message = test.message.removesuffix(_RETRIED) if status != "passed" else None
        self._interrupted = self._interrupted or status == "interrupted"
        self._collector.record_test_end(
            self._test_id,
            "robot",
            status=status,
            attempt=self._attempt,
            setup_us=self._setup_us,
            teardown_us=self._teardown_us,
            suite=getattr(test.parent, _LONG_NAME),
            file=self._file(test.parent),
            error_type=_error_type(message),
            error_message=message or None,
        )
        self._forget_test()

    def _test_status(self, test: Any) -> str:
        retried = test.message.endswith(_RETRIED)
        if test.status == "PASS":
            return "passed"
        if test.status == "SKIP" and not retried:
            return "skipped"
        if test.message.startswith(_SIGNALLED):
            return "interrupted"
        not_run = test.tags.robot("exit") or _has_failed_setup(test.parent)
        return "error" if self._is_broken or not_run else "failed"

    def _file(self, suite: Any) -> str | None:
        return _session.relative_file(str(suite.source), self._root) if suite.source else None

    # Steps ----------------------------------------------------------------------------------------------------

    def start_item(self, item: Any, name: str) -> None:
        if item.status == "NOT RUN":
            return
        if self._test is None:
            if _is_suite_teardown(item):
                self._suite_teardown_us = now_us()
            return
        step = self._collector.begin_step(name, _EVENT_TYPES.get(item.type, "control"))
        if step is None:
            return
        self._steps[id(item)] = step
        if item.type == "TEARDOWN" and step.parent is None:
            self._passed_before_teardown = self._test.status == "PASS"

    def start_failed(self, item: Any, name: str) -> None:
        """Begin, now that it ends, what Robot did not run but failed: its condition or definition is wrong."""
        if self._test is not None and id(item) not in self._steps:
            self.start_item(item, name)

    def end_item(self, item: Any) -> None:
        step = self._steps.pop(id(item), None)
        if step is None:
            if self._test is None and _is_suite_teardown(item) and item.status == "FAIL":
                self._end_suite_teardown(item)
            return
        duration_us = now_us() - step.started_us
        if step.parent is None:
            self._end_outermost(item, duration_us)
        self._collector.end_step(step, _STEP_STATUSES.get(item.status, "failed"), duration_us)

    def _end_outermost(self, item: Any, duration_us: int) -> None:
        if item.type == "SETUP":
            self._setup_us = duration_us
            self._is_broken = item.status == "FAIL"
        elif item.type == "TEARDOWN":
            self._teardown_us = duration_us
            self._is_broken |= item.status == "FAIL" and self._passed_before_teardown

    def _end_suite_teardown(self, item: Any) -> None:
        """Record a failed suite tear-down under the suite's name: the suite's tests have ended by then."""
        suite = EXECUTION_CONTEXTS.current.suite
        name = getattr(suite, _LONG_NAME)
        self._collector.record_test_end(
            name,
            "robot",
            status="error",
            duration_us=now_us() - self._suite_teardown_us,
            suite=name,
            file=self._file(suite),
            error_type=_error_type(item.message),
            error_message=item.message,
        )


def _control_name(data: Any, item: Any) -> str:
    return f"GROUP {data.name}" if item.type == "GROUP" else str(item.type)


def _is_suite_teardown(item: Any) -> bool:
    context = EXECUTION_CONTEXTS.current
    return item.type == "TEARDOWN" and context.in_suite_teardown and len(context.steps) == 1


def _has_failed_setup(suite: Any) -> bool:
    while suite is not None:
        if suite.has_setup and suite.setup.status == "FAIL":
            return True
        suite = suite.parent
    return False


def _error_type(message: str | None) -> str | None:
    """Return the exception's name where the message holds it; Robot leaves AssertionError and its like out."""
    match = _ERROR_TYPE.match(message or "")
    return match[1] if match else None


class _Hooks:
    """Listener version 3."""

    def __init__(self, config: ProfileConfig) -> None:
        self._config = config
        self._recording: Recording | None = None
        self._has_begun = False

    @guarded
    def start_suite(self, _data: Any, _suite: Any) -> None:
        if not self._has_begun:
            self._has_begun = True
            self._recording = Recording.begin(self._config)
        if self._recording:
            self._recording.start_suite()

    @guarded
    def end_suite(self, _data: Any, suite: Any) -> None:
        if self._recording:
            self._recording.end_suite(suite)

    @guarded
    def start_test(self, data: Any, test: Any) -> None:
        if self._recording:
            self._recording.start_test(test, data.lineno)

    @guarded
    def end_test(self, _data: Any, test: Any) -> None:
        if self._recording:
            self._recording.end_test(test)

    @guarded
    def start_user_keyword(self, _data: Any, keyword: Any, item: Any) -> None:
        # The keyword's own name: the one in the result holds the values of embedded arguments.
        if self._recording:
            self._recording.start_item(item, keyword.full_name)

    @guarded
    def end_user_keyword(self, _data: Any, keyword: Any, item: Any) -> None:
        if self._recording:
            if item.status == "FAIL":
                self._recording.start_failed(item, keyword.full_name)
            self._recording.end_item(item)

    start_library_keyword = start_invalid_keyword = start_user_keyword
    end_library_keyword = end_invalid_keyword = end_user_keyword

    @guarded
    def start_body_item(self, data: Any, item: Any) -> None:
        if self._recording and item.type in _CONTROL:
            self._recording.start_item(item, _control_name(data, item))

    @guarded
    def end_body_item(self, data: Any, item: Any) -> None:
        if self._recording:
            if item.status == "FAIL" and item.type in _CONTROL:
                self._recording.start_failed(item, _control_name(data, item))
            self._recording.end_item(item)

    @guarded
    def close(self) -> None:
        if self._recording:
            self._recording.end()
            self._recording = None
        self._has_begun = False


class _HooksBefore7(_Hooks):
    """Listener version 2, whose methods get texts only: the result objects are taken from Robot's context."""

    def start_suite(self, _name: str, _attributes: Any) -> None:
        super().start_suite(None, EXECUTION_CONTEXTS.current.suite)

    def end_suite(self, _name: str, _attributes: Any) -> None:
        super().end_suite(None, EXECUTION_CONTEXTS.current.suite)

    def start_test(self, _name: str, _attributes: Any) -> None:
        test = EXECUTION_CONTEXTS.current.test
        super().start_test(test, test)

    def end_test(self, _name: str, _attributes: Any) -> None:
        super().end_test(None, EXECUTION_CONTEXTS.current.test)

    @guarded
    def start_keyword(self, _name: str, _attributes: Any) -> None:
        step = EXECUTION_CONTEXTS.current.steps[-1]
        item = step.result
        if item.type in _CONTROL:
            self.start_body_item(step.data, item)
        elif self._recording and item.type in _EVENT_TYPES:
            name = item.sourcename or item.kwname
            self._recording.start_item(item, f"{item.libname}.{name}" if item.libname else name)

    @guarded
    def end_keyword(self, _name: str, _attributes: Any) -> None:
        step = EXECUTION_CONTEXTS.current.steps[-1]
        self.end_body_item(step.data, step.result)


def hooks() -> _Hooks | None:
    """Return what Robot Framework is to call; None when the settings say off."""
    config = _session.profiling_config()
    if config is None:
        return None
    return _HooksBefore7(config) if IS_BEFORE_7 else _Hooks(config)
