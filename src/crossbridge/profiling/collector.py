"""The collector: what a hook calls. It encodes an event, appends it to this process's segment and returns.

In a test process it starts no thread, opens no socket, logs nothing and raises nothing. Delivery is the
shipper's, a process of its own (`spawn`), or a later command's.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ClassVar

from crossbridge.errors import ConfigError
from crossbridge.profiling import encode, guard
from crossbridge.profiling.config import check, environment_name, load
from crossbridge.profiling.context import Active, OpenStep, RunningTest, current_step
from crossbridge.profiling.dispatch import Dispatch
from crossbridge.profiling.origin import Origin
from crossbridge.profiling.progress import read_ack
from crossbridge.profiling.real import new_uuid, now_us
from crossbridge.profiling.run_info import run_info
from crossbridge.profiling.sanitise import NAME_LIMIT_BYTES
from crossbridge.profiling.segment import SegmentWriter

if TYPE_CHECKING:
    from collections.abc import Callable

    from crossbridge.profiling.models import PerformanceEvent, ProfileConfig
    from crossbridge.profiling.progress import RunProgress, ShipperState

_BACKSLASH = ord("\\")


class MetricsCollector:
    """
    One per process; `get_instance` returns it. Any thread may record.

    An event is durable against the death of this process when the call that recorded it returns. Every
    `record_*` returns whether the event was written; False means it was dropped and counted, or that the
    collector is not running.
    """

    _instance: ClassVar[MetricsCollector | None] = None

    def __init__(self, config: ProfileConfig) -> None:
        self.config = config
        self.run_id = config.run_id or new_uuid()
        self.status: str | None = None
        self.test: RunningTest | None = None
        self._environ = dict(os.environ)
        self._dispatch = Dispatch(config, self.run_id, self._environ)
        self._segment: SegmentWriter | None = None
        self._owners = 0

    @classmethod
    def get_instance(cls, config: ProfileConfig | None = None) -> MetricsCollector:
        """
        Return this process's collector, made with `config` (default: as environment and files say) the first time.

        Raises:
            ConfigError: A setting is wrong, and there is no collector yet.
        """
        instance = cls._instance
        if instance is None or (config is not None and not instance.running):
            instance = cls._instance = cls(config if config is not None else load())
        return instance

    @property
    def writer(self) -> str | None:
        """The id under which this process's children name it as their parent."""
        return self._segment.writer if self._segment else None

    @property
    def running(self) -> bool:
        return self._owners > 0

    def start(
        self,
        *,
        framework: str = "python",
        framework_version: str | None = None,
        worker: str | None = None,
        parent: str | None = None,
    ) -> bool:
        """
        Begin to record, or join in when that has begun; return whether events are being recorded.

        Each `start` that returns True wants one `shutdown`; a `start` after the last of them begins anew, counts
        included. A child of another recording process passes that process's `writer` as `parent`: the parent then
        answers for the run's status, and delivery is left to its shipper. A setting that is wrong is told in a line on
        stderr.
        """
        if not self.config.enabled:
            return False
        if not self.running:
            try:
                check(self.config)
                origin = self._origin(framework, framework_version, worker, parent)
                self._segment = SegmentWriter(self._dispatch.spool, self.config.spool_max_bytes, origin)
                if parent is None:
                    self._dispatch.start()
            except ConfigError as error:
                guard.say(f"crossbridge: profiling is off for this run: {error}")
                return False
            except Exception as error:  # noqa: BLE001  (whatever it is, the run goes on)
                guard.caught(error, "start")
                return False
            self.status = None
            Active.collector = self
        self._owners += 1
        return True

    def _origin(
        self, framework: str, framework_version: str | None, worker: str | None, parent: str | None
    ) -> Origin:
        return Origin(
            run_id=self.run_id,
            parent=parent,
            framework=framework,
            framework_version=framework_version,
            worker=worker,
            environment=environment_name(self.config, self._environ),
            app_version=self.config.app_version,
            labels=self.config.labels,
            info=run_info(self._environ, os.fspath(self.config.project_root)),
        )

    # Recording ------------------------------------------------------------------------------------------------

    def collect(self, event: PerformanceEvent, *, clock: Callable[[], int] = now_us) -> bool:
        """Record one event; `at_us` of 0 means now. Some 2 microseconds; see bench/."""
        return self.record(encode.event, event.at_us or clock(), event)

    def record(self, to_line: Callable[..., str], at_us: int, told: Any) -> bool:
        """Record what one of the functions of `encode` makes a line of; for integrations. Never raises."""
        segment = self._segment
        if segment is None:
            return False
        try:
            try:
                text = to_line(at_us, told)
            except TypeError:
                text = to_line(at_us, told, encode.quote_anything)
            try:
                line = text.encode()
                # A byte is found in a tenth of the time of several, and most lines hold no backslash.
                if len(line) <= NAME_LIMIT_BYTES and (_BACKSLASH not in line or b"\\u0000" not in line):
                    return segment.append(line, at_us)
            except UnicodeEncodeError:  # a lone surrogate
                pass
            return segment.append(encode.cleaned(text), at_us)
        except Exception as error:  # noqa: BLE001
            return self._drop(error)

    def _drop(self, error: Exception) -> bool:
        """Count an event that cannot be encoded: a `__str__` that raises, no memory."""
        guard.caught(error, "collect")
        if self._segment is not None:
            self._segment.drop()
        return False

    def record_test_start(
        self,
        test_id: str,
        framework: str | None = None,
        *,
        attempt: int = 1,
        suite: str | None = None,
        file: str | None = None,
        worker: str | None = None,
        at_us: int = 0,
    ) -> bool:
        """Record that an attempt begins; steps and calls recorded from now on belong to it."""
        at_us = at_us or now_us()
        self.test = RunningTest(test_id, attempt, framework, at_us, (suite, file, worker))
        return self.record(encode.start_of_test, at_us, self.test)

    def record_test_end(
        self,
        test_id: str,
        framework: str | None = None,
        duration_ms: float | None = None,
        status: str = "passed",
        *,
        duration_us: int | None = None,
        attempt: int = 1,
        setup_us: int | None = None,
        teardown_us: int | None = None,
        suite: str | None = None,
        file: str | None = None,
        error_type: str | None = None,
        error_message: str | None = None,
        worker: str | None = None,
        at_us: int = 0,
    ) -> bool:
        """Record how an attempt ended. Without a duration, it is the time since its `record_test_start`."""
        at_us = at_us or now_us()
        test = self.test
        if duration_us is None:
            duration_us = _microseconds(duration_ms)
        if test is None or test.test_id != test_id:
            test = None
        else:
            if duration_us is None:
                duration_us = at_us - test.started_us
            framework = framework or test.framework
            self.test = None
        where = (suite, file, worker)
        if test is None or test.attempt != attempt or test.framework != framework or test.where != where:
            test = RunningTest(test_id, attempt, framework, at_us, where)
        ended = (test, status, duration_us or 0, setup_us, teardown_us, error_type, error_message)
        return self.record(encode.end_of_test, at_us, ended)

    def begin_step(self, step_name: str, event_type: str | None = None) -> OpenStep | None:
        """Record that a step of the running test begins; return what `end_step` wants, None outside a test."""
        test = self.test
        if test is None:
            return None
        step = OpenStep(step_name, event_type, test, now_us())
        current_step.set(step)
        self.record(encode.start_of_step, step.started_us, step)
        return step

    def end_step(self, step: OpenStep, status: str = "passed", duration_us: int | None = None) -> bool:
        """Record that a step has ended."""
        at_us = now_us()
        step.ended = True
        if current_step.get() is step:
            current_step.set(step.parent)
        if duration_us is None:
            duration_us = at_us - step.started_us
        return self.record(encode.end_of_step, at_us, (step, status, duration_us))

    def record_step_start(self, test_id: str, step_name: str, *, event_type: str | None = None) -> bool:
        """Record that a step of the running test begins."""
        test = self.test
        return (
            test is not None
            and test.test_id == test_id
            and self.begin_step(step_name, event_type) is not None
        )

    def record_step_end(
        self,
        test_id: str,
        step_name: str,
        duration_ms: float | None = None,
        status: str = "passed",
        *,
        duration_us: int | None = None,
    ) -> bool:
        """Record that the innermost open step of that name has ended."""
        step = current_step.get()
        while step is not None and (step.ended or step.name != step_name or step.test.test_id != test_id):
            step = step.parent
        if step is None:
            return False
        return self.end_step(
            step, status, duration_us if duration_us is not None else _microseconds(duration_ms)
        )

    def record_http_call(
        self,
        endpoint: str,
        method: str,
        status_code: int | None,
        duration_us: int,
        *,
        error: str | None = None,
        at_us: int = 0,
    ) -> bool:
        """Record a call of the running test. `endpoint` is a template: no query string, ids replaced."""
        call = (self.test, endpoint, method, status_code, duration_us, error)
        return self.record(encode.http_call, at_us or now_us(), call)

    def record_driver_command(
        self,
        command: str,
        duration_us: int,
        *,
        target: str | None = None,
        retry_count: int = 0,
        error: str | None = None,
        at_us: int = 0,
    ) -> bool:
        """Record a browser command of the running test. `target` is a locator, never a value that was typed."""
        call = (self.test, command, duration_us, target, retry_count, error)
        return self.record(encode.driver_command, at_us or now_us(), call)

    # Delivery -------------------------------------------------------------------------------------------------

    @property
    def run_folder(self) -> str:
        """The folder of this run's segments."""
        return self._dispatch.run_folder

    def flush(self, *, timeout_s: float | None = None) -> bool:
        """
        Ask the shipper to deliver at once and wait until this run's events are in the database.

        Never called by a hook while a test runs. Events are safe in the spool with or without it.

        Args:
            timeout_s: Longest wait in seconds of monotonic time; default CROSSBRIDGE_DRAIN_TIMEOUT. 0 does not wait.

        Returns:
            Whether all was delivered; what was not stays in the spool.
        """
        return self._dispatch.wait(self.config.drain_timeout_s if timeout_s is None else timeout_s)

    def shutdown(self, *, status: str | None = None, timeout_s: float | None = None) -> bool:
        """
        Undo one `start`; the last one closes the segment and waits for delivery as `flush` does.

        Args:
            status: What the framework says of its run: passed, failed, interrupted.
            timeout_s: As for `flush`.

        Returns:
            Whether all of the run was delivered by then.
        """
        self.status = status or self.status
        segment = self._segment
        if segment is None or self._owners == 0:
            return True
        self._owners -= 1
        if self._owners:
            return False
        Active.collector = self.test = None
        try:
            is_ours = segment.close(self.status)
        except Exception as error:  # noqa: BLE001
            guard.caught(error, "shutdown")
            return False
        if segment.parent is not None or not is_ours:
            return False
        self._dispatch.start_again_if_dead()
        return self.flush(timeout_s=timeout_s)

    @property
    def shipper(self) -> ShipperState:
        """How delivery fares."""
        return self._dispatch.shipper

    @property
    def progress(self) -> RunProgress:
        """Counts over all processes of this run whose segments are in this spool."""
        return self._dispatch.progress

    def get_stats(self) -> dict[str, Any]:
        """
        Return the counts of this process's events: collected = written + spooled + dropped.

        `written` are confirmed by the database, `spooled` lie in the segment, `dropped` are lost.
        """
        segment = self._segment
        acks = [read_ack(self.run_folder, name) for name in segment.segment_ids] if segment else []
        collected = segment.collected if segment else 0
        dropped = max(segment.dropped if segment else 0, sum(ack.dropped for ack in acks))
        written = min(collected - dropped, sum(ack.events for ack in acks))
        return {
            "run_id": self.run_id,
            "enabled": self.config.enabled,
            "running": self.running,
            "backend": self.config.backend.value,
            "collected": collected,
            "written": written,
            "spooled": collected - written - dropped,
            "dropped": dropped,
            "faults": guard.Faults.number,
            "first_fault": guard.Faults.first,
        }


def _microseconds(duration_ms: float | None) -> int | None:
    return None if duration_ms is None else round(duration_ms * 1000)
