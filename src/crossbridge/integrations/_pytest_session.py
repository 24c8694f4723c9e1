"""A recorded session from its start to the line it ends with: alone, as pytest-xdist's controller, or as its worker.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossbridge.errors import CrossbridgeError
from crossbridge.integrations import _libraries
from crossbridge.integrations._pytest_recorder import Collection, Recorder, Reruns
from crossbridge.integrations._pytest_xdist import SHARED, Controller, Worker
from crossbridge.integrations.pytest import Recording, say
from crossbridge.profiling.collector import MetricsCollector
from crossbridge.profiling.config import load
from crossbridge.profiling.guard import Faults, caught
from crossbridge.profiling.real import Real
from crossbridge.profiling.summary import summary

if TYPE_CHECKING:
    from crossbridge.integrations._pytest_reported import Reported
    from crossbridge.profiling.models import ProfileConfig

FRAMEWORK = "pytest"


def begin(session: pytest.Session, root: Path | None) -> bool:
    """
    Start the collector and register what records; return False when the settings say off.

    Without a root this is a worker, whose controller has said what to do.

    Raises:
        CrossbridgeError: A setting is wrong, or the collector could not start.
    """
    config = session.config
    told = None if root else config.workerinput[SHARED]  # type: ignore[attr-defined]
    settings = load(told["settings"], Path(told["root"])) if told else _own_settings(root)
    if not settings.enabled:
        return False
    collector = MetricsCollector.get_instance(settings)
    is_guest = collector.running  # in a program that records, and has called pytest.main
    if not collector.start(
        framework=FRAMEWORK,
        framework_version=pytest.__version__,
        worker=os.environ.get("PYTEST_XDIST_WORKER"),
        parent=told["writer"] if told else None,
    ):
        raise CrossbridgeError(f"the collector could not start ({Faults.first}).")
    _register(session, collector, is_guest=is_guest, is_child=told is not None)
    Recording.on = True
    return True


def _own_settings(root: Path | None) -> ProfileConfig:
    settings = load(project_root=root)
    if settings.run_id is None and (run := os.environ.get("PYTEST_XDIST_TESTRUNUID")):
        # Workers that a late conftest.py has switched on, unknown to their controller.
        settings = settings.replace(run_id=load({"CROSSBRIDGE_RUN_ID": run}).run_id)
    return settings


def _register(
    session: pytest.Session, collector: MetricsCollector, *, is_guest: bool, is_child: bool
) -> None:
    config = session.config
    framework = FRAMEWORK if is_guest else None  # else as the segment says
    plugins: list[object]
    if config.pluginmanager.hasplugin("dsession"):
        controller = Controller(collector, framework, grouped=config.option.dist == "loadgroup")
        plugins = [controller, Ending(session, collector, None, controller, is_guest=is_guest)]
    else:
        recorder = _recorder(config, collector, framework)
        ending = (
            Worker(config, collector, recorder)
            if is_child
            else Ending(session, collector, recorder, None, is_guest=is_guest)
        )
        plugins = [recorder, ending]
        if isinstance(recorder, Recorder) and hasattr(config.option, "reruns"):
            plugins.append(Reruns(recorder))
        if isinstance(recorder, Recorder) and hasattr(config.option, "retry_outcome"):
            from crossbridge.integrations._pytest_retry import Retries  # noqa: PLC0415  (seldom needed)

            plugins.append(Retries(recorder))
        _libraries.watch()
    if not is_child:
        plugins.append(Collection(config, collector, framework))
    for plugin in plugins:
        config.pluginmanager.register(plugin, f"crossbridge_{type(plugin).__name__.lower()}")


def _recorder(
    config: pytest.Config, collector: MetricsCollector, framework: str | None
) -> Recorder | Reported:
    grouped = getattr(config.option, "loadgroup", False)

    def reported() -> Reported:
        from crossbridge.integrations._pytest_reported import Reported  # noqa: PLC0415  (seldom needed)

        return Reported(collector, framework, grouped=grouped)

    if config.pluginmanager.hasplugin("parallelrunner"):  # pytest-parallel
        return reported()

    def several_run(recorder: Recorder) -> Reported:
        instead = reported()
        config.pluginmanager.unregister(recorder)
        config.pluginmanager.register(instead, "crossbridge_reported")
        return instead

    return Recorder(collector, framework, grouped=grouped, several_run=several_run)


class Ending:
    """Closes the recording of a process that answers for itself, and says in one line where its events are."""

    def __init__(
        self,
        session: pytest.Session,
        collector: MetricsCollector,
        recorder: Recorder | Reported | None,
        controller: Controller | None,
        *,
        is_guest: bool,
    ) -> None:
        self._session = session
        self._collector = collector
        self._recorder = recorder
        self._controller = controller
        self._is_guest = is_guest
        self._pid = Real.getpid()
        self._interrupted = False
        self._ended = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        # pytest and pytest-xdist stop themselves by an exception of this name: at --maxfail, after collection errors.
        stopped_itself = excinfo.typename == "Interrupted" and self._session.testsfailed
        self._interrupted = not stopped_itself
        self._finish_test()

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        self._finish_test()

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, config: pytest.Config) -> None:
        self._end(config, troubles_only=config.option.verbose < -1)

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        self._end(config, troubles_only=True)

    def _finish_test(self) -> None:
        if self._recorder is not None:
            self._recorder.finish()

    def _end(self, config: pytest.Config, *, troubles_only: bool) -> None:
        if self._ended or Real.getpid() != self._pid:
            return
        self._ended = True
        Recording.on = False
        try:
            self._finish_test()
            self._shut_down()
            line, is_trouble = summary(self._collector, self._controller.stats if self._controller else ())
            if is_trouble or not troubles_only:
                say(config, line)
        except Exception as error:  # noqa: BLE001
            caught(error, "the end of the session")

    def _shut_down(self) -> None:
        collector = self._collector
        status = self._status()
        collector.shutdown(status=status)
        while collector.running and not self._is_guest:  # a fixture that began and did not end
            collector.shutdown(status=status)
        _libraries.leave(collector)

    def _status(self) -> str:
        if self._interrupted:
            return "interrupted"
        return "passed" if self._session.exitstatus == pytest.ExitCode.OK else "failed"
