"""A project run twice, without and with profiling: the user sees the same, and every test that ended is recorded."""

from __future__ import annotations

import re
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.pytest_runs import Project

if TYPE_CHECKING:
    from support.pytest_runs import Run

# Errors of ours are raised, so that one that is only counted shows too.
OFF = {"CROSSBRIDGE_PROFILING": "false"}
STRICT = {"CROSSBRIDGE_STRICT": "1"}
_SUMMARY = re.compile(r"^(?:=+ )?((?:\d+ [a-z]+(?:, )?)+) in [\d.]+s", re.MULTILINE)
_SLACK_US = 100_000


class Hazard(Project):
    """A project with a hazard in its tests."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (folder / "pytest.ini").write_text("[pytest]\n")

    def run(
        self,
        *args: object,
        plugins: tuple[str, ...] = (),
        environ: dict[str, str] | None = None,
        **options: Any,
    ) -> Recorded:
        """
        Run pytest without us and with us, see that the user sees no difference, and return what was recorded.

        Of other plugins only `plugins` are there, by the names of their entry points.
        """
        shutil.rmtree(self.folder / ".crossbridge", ignore_errors=True)
        environ = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} | (environ or {})
        # Where only the working tree is on the path, there is no entry point.
        ours = "crossbridge.integrations.pytest" if "python" in options else "crossbridge"
        args = (*(word for name in (ours, *plugins) for word in ("-p", name)), *args)
        without = self.pytest(*args, environ=OFF | environ, on=False, **options)
        assert not without.segments
        began_us = time.time_ns() // 1000
        run = self.pytest(*args, environ=STRICT | environ, **options)
        ended_us = time.time_ns() // 1000
        assert run.returncode == without.returncode, run.output
        assert _summary(run) == _summary(without), run.output
        return Recorded(run, began_us, ended_us)


class Recorded:
    """What a run has left in its segments, checked on the way for what holds for each: times, order, one start an end."""

    def __init__(self, run: Run, began_us: int, ended_us: int) -> None:
        self.run = run
        self.returncode = run.returncode
        took_us = ended_us - began_us
        for header in run.headers:
            assert began_us - _SLACK_US <= header["at_us"] <= ended_us + _SLACK_US
        for event in run.events:
            if event["type"] == "segment_end":
                continue
            assert began_us - _SLACK_US <= event["at_us"] <= ended_us + _SLACK_US, event
            if "duration_us" in event:
                assert 0 <= event["duration_us"] <= took_us, event
                assert event["at_us"] - event["duration_us"] >= began_us - _SLACK_US, event
        assert [header["role"] for header in run.headers].count("main") == 1
        assert all(header["dropped"] == 0 for header in run.headers)
        starts = [event["test_id"] for event in run.of_type("test_start")]
        assert len(starts) == len(set(starts))
        assert set(run.statuses) <= set(starts)
        self.running = {_short(test_id) for test_id in set(starts) - set(run.statuses)}
        self.tests = {_short(test_id): status for test_id, status in run.statuses.items()}

    def steps(self) -> list[str]:
        """The names of the steps that have ended, in the order of time."""
        return [
            event["step_name"]
            for event in sorted(self.run.of_type("step_end"), key=lambda event: event["at_us"])
        ]


def python_of(version: str) -> str:
    """An interpreter of another version, from the path or from pyenv; the test is skipped where there is none."""
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        return sys.executable
    found = shutil.which(f"python{version}")
    if (
        found and Path(found).parent.name == "shims"
    ):  # pyenv's: answers only for versions that are switched on
        pyenv = sorted(Path(found).parents[1].glob(f"versions/{version}.*/bin/python"))
        found = str(pyenv[-1]) if pyenv else None
    if found is None:
        pytest.skip(f"no Python {version} here")
    return found


def _summary(run: Run) -> str | None:
    found = _SUMMARY.findall(run.stdout)
    return found[-1] if found else None


def _short(test_id: str) -> str:
    return test_id.partition("::")[2] or test_id
