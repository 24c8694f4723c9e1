"""From behave's model to events: what runs a model's parts is wrapped, the user's hooks are left alone.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar

import behave
import behave.model
import behave.runner
from behave.step_registry import StepRegistry

from crossbridge.integrations import _session
from crossbridge.integrations._behave_names import Names, Patterns, without_quoted
from crossbridge.integrations._session import guarded
from crossbridge.profiling import guard
from crossbridge.profiling.real import now_us

if TYPE_CHECKING:
    from collections.abc import Callable

    from crossbridge.profiling.collector import MetricsCollector
    from crossbridge.profiling.context import OpenStep
    from crossbridge.profiling.models import ProfileConfig

    _Hook = Callable[["Recording", Any], None]

# behave's words for a scenario; what is not here is an error: in a hook, a clean-up, an undefined step.
_STATUSES = {name: name for name in ("passed", "failed", "skipped", "xfailed", "xpassed")}
_STEP_STATUSES = {"passed": "passed", "pending_warn": "passed", "skipped": "skipped"}
_NO_FAILURES = frozenset({"passed", "pending_warn", "skipped", "untested"})


@guarded
def install() -> None:
    """Wrap behave's methods, once, unless the settings say off."""
    config = _session.profiling_config()
    if config is None:
        return
    Recording.config = config
    container = _around(Recording.start_container, Recording.end_container)
    _wrap(behave.runner.ModelRunner, "run_model", _run_model)
    _wrap(behave.model.Feature, "run", container)
    if hasattr(behave.model, "Rule"):
        _wrap(behave.model.Rule, "run", container)
    _wrap(behave.model.Scenario, "run", _around(Recording.start_scenario, Recording.end_scenario))
    _wrap(behave.model.Step, "run", _around(Recording.start_step, Recording.end_step))
    _wrap(StepRegistry, "find_match", _find_match)


class Recording:
    """One run of behave. Microseconds of our own clock."""

    config: ClassVar[ProfileConfig]
    current: ClassVar[Recording | None] = None

    def __init__(self, runner: Any, collector: MetricsCollector) -> None:
        self.runner = runner
        self._collector = collector
        self._names = Names(os.fspath(self.config.project_root))
        self._patterns = Patterns()
        self._attempts: dict[str, int] = {}
        self._steps: dict[int, OpenStep] = {}
        self._interrupted = False
        self._idle_since_us = 0
        self._forget_scenario()

    @classmethod
    def begin(cls, runner: Any) -> None:
        if cls.current is None and not runner.config.dry_run:
            collector = _session.begin(cls.config, "behave", behave.__version__)
            cls.current = cls(runner, collector) if collector is not None else None

    @classmethod
    def of(cls, runner: Any) -> Recording | None:
        """Return the recording of that runner: one that a step has made for itself is not recorded."""
        current = cls.current
        try:
            # A context hands its runner on as a weak proxy: the config tells whose it is.
            return current if current is not None and current.runner.config is runner.config else None
        except Exception as error:  # noqa: BLE001
            guard.caught(error, "of")
            return None

    @guarded
    def end(self, failed: bool) -> None:  # noqa: FBT001
        Recording.current = None
        status = "interrupted" if self._interrupted else "failed" if failed else "passed"
        _session.finish(self._collector, status)

    # Features and rules ---------------------------------------------------------------------------------------

    @guarded
    def start_container(self, container: Any) -> None:
        if isinstance(container, behave.model.Feature):
            self._names.read(container)
        self._idle_since_us = now_us()

    @guarded
    def end_container(self, container: Any) -> None:
        """Record a hook that failed around scenarios under the name of their feature or rule."""
        if not container.hook_failed and container.status.name != "cleanup_error":
            return
        name = self._names.of(container)
        self._collector.record_test_end(
            name.test_id,
            "behave",
            status="error",
            duration_us=now_us() - self._idle_since_us,
            suite=name.suite,
            file=name.file,
            error_type=_type_name(getattr(container, "exception", None)),
            error_message=getattr(container, "error_message", None),
        )

    # Scenarios ------------------------------------------------------------------------------------------------

    def _forget_scenario(self) -> None:
        self._attempt = 0
        self._setup_us: int | None = None
        self._started_us = self._steps_ended_us = 0
        self._awaited: Any = None
        self._steps.clear()

    @guarded
    def start_scenario(self, scenario: Any) -> None:
        self._forget_scenario()
        if self.runner.aborted or not scenario.should_run(self.runner.config):
            return
        name = self._names.of(scenario)
        self._attempt = self._attempts[name.test_id] = self._attempts.get(name.test_id, 0) + 1
        self._started_us = now_us()
        self._collector.record_test_start(
            name.test_id,
            "behave",
            attempt=self._attempt,
            suite=name.suite,
            file=name.file,
            at_us=self._started_us,
        )

    @guarded
    def end_scenario(self, scenario: Any) -> None:
        at_us = self._idle_since_us = now_us()
        status = self._scenario_status(scenario)
        if status is None:
            return
        name = self._names.of(scenario)
        error_type, error_message = _error(scenario) if status not in {"passed", "skipped"} else (None, None)
        self._interrupted |= status == "interrupted"
        self._collector.record_test_end(
            name.test_id,
            "behave",
            status=status,
            duration_us=at_us - self._started_us if self._attempt else 0,
            attempt=self._attempt or 1,
            setup_us=self._setup_us,
            teardown_us=at_us - self._steps_ended_us if self._steps_ended_us else None,
            suite=name.suite,
            file=name.file,
            error_type=error_type,
            error_message=error_message,
            at_us=at_us,
        )
        self._forget_scenario()

    def _scenario_status(self, scenario: Any) -> str | None:
        """Return the scenario's status; None when it is not in behave's own results either."""
        name = scenario.status.name
        if not self._attempt:
            return "skipped" if name == "skipped" and self.runner.config.show_skipped else None
        if name == "untested" or _is_interrupted(scenario):
            return "interrupted"
        if scenario.hook_failed:  # which behave 1.2 calls failed
            return "error"
        return _STATUSES.get(name, "error")

    # Steps ----------------------------------------------------------------------------------------------------

    @guarded
    def start_step(self, step: Any) -> None:
        """Begin to wait for the step's definition, whose pattern is its name."""
        self._awaited = step
        if self._setup_us is None and self._attempt:
            self._setup_us = now_us() - self._started_us

    @guarded
    def name_step(self, registry: Any, step: Any, match: Any) -> None:
        if self._awaited is not step:
            return
        self._awaited = None
        name = f"{step.keyword} {self._patterns.of(registry, step, match)}"
        if (opened := self._collector.begin_step(name)) is not None:
            self._steps[id(step)] = opened

    @guarded
    def end_step(self, step: Any) -> None:
        if (opened := self._steps.pop(id(step), None)) is not None:
            self._collector.end_step(opened, _STEP_STATUSES.get(step.status.name, "failed"))
            self._steps_ended_us = now_us()


def _is_interrupted(scenario: Any) -> bool:
    return any(isinstance(getattr(step, "exception", None), KeyboardInterrupt) for step in scenario.all_steps)


def _error(scenario: Any) -> tuple[str | None, str | None]:
    """Return the type and the message of what ended a scenario."""
    step = next((step for step in scenario.all_steps if step.status.name not in _NO_FAILURES), scenario)
    if step.status.name == "undefined":
        return "UndefinedStep", f"undefined step: {step.keyword} {without_quoted(step.name)}"
    exception = getattr(step, "exception", None)
    message = str(exception) if exception is not None else getattr(step, "error_message", None)
    return _type_name(exception), message


def _type_name(exception: BaseException | None) -> str | None:
    return None if exception is None else type(exception).__name__


# What is put around behave's own methods ------------------------------------------------------------------------


def _wrap(owner: Any, method: str, around: Callable[..., Any]) -> None:
    original = getattr(owner, method)
    if hasattr(original, "crossbridge"):
        return

    @wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        return around(original, *args, **kwargs)

    call.crossbridge = True  # type: ignore[attr-defined]
    setattr(owner, method, call)


def _run_model(original: Callable[..., bool], runner: Any, features: Any = None) -> bool:
    guarded(Recording.begin)(runner)
    recording = Recording.of(runner)
    failed = True
    try:
        failed = original(runner, features)
    finally:
        if recording is not None:
            recording.end(failed)
    return failed


def _around(start: _Hook, end: _Hook) -> Callable[..., bool]:
    """Return what calls `start` before and `end` after a part of the model has run, however it ends."""

    def run(original: Callable[..., bool], part: Any, runner: Any, *args: Any, **kwargs: Any) -> bool:
        recording = Recording.of(runner)
        if recording is None:
            return original(part, runner, *args, **kwargs)
        start(recording, part)
        try:
            return original(part, runner, *args, **kwargs)
        finally:
            end(recording, part)

    return run


def _find_match(original: Callable[..., Any], registry: Any, step: Any) -> Any:
    match = original(registry, step)
    if Recording.current is not None:
        Recording.current.name_step(registry, step, match)
    return match
