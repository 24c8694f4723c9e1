"""What a run of Robot Framework or behave pays: for each test of three trivial steps, and once at its start.

A sample is a run of one test and a run of many; the slope between them is what a test costs. Each round takes every
candidate once, and each figure is the median over the rounds of the difference to the plain framework of the same
round. Events go to the spool and are not delivered: what is measured is what the test process does. The steps do
nothing, so a real test's overhead is a smaller part of it.
"""

from __future__ import annotations

import shutil
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from bench.measure import Line, Spent, interleave, run, spread
from bench.stage import this_python
from bench.venvs import OURS, python_with

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bench.stage import Stage

TESTS = 300
STEPS = 3
PLAIN, NULL, RECORDED, OFF = "plain", "plain again", "crossbridge", "crossbridge, off"


class Sample(NamedTuple):
    """Microseconds a test takes, by the wall clock and of the CPU; milliseconds a run of one test takes."""

    wall_us: float
    cpu_us: float
    start_ms: float

    @classmethod
    def between(cls, start: Spent, whole: Spent, tests: int) -> Sample:
        """The slope from a run of one test to a run of so many."""
        per_test = 1e6 / (tests - 1)
        return cls(
            (whole.wall_s - start.wall_s) * per_test,
            (whole.cpu_s - start.cpu_s) * per_test,
            start.wall_s * 1e3,
        )


@dataclass(frozen=True)
class Framework:
    """
    A framework and the ways to run it.

    Args:
        ours, peer: The arguments that add CrossBridge, and the peer with its results in the folder `{results}`.
        suite: The text of a suite of so many tests, `{count}` steps each.
        result: What one test leaves among the peer's results.
    """

    name: str
    packages: tuple[str, ...]
    command: tuple[str, ...]
    ours: tuple[str, ...]
    peer_name: str
    peer: tuple[str, ...]
    suite_file: str
    head: str
    test: str
    step: str
    files: Mapping[str, str] = field(default_factory=dict)
    result: str = "*-result.json"

    def write(self, folder: Path, tests: int) -> Path:
        for name, text in self.files.items():
            _write(folder / name, text)
        body = "".join(self.test.format(number) + self.step * STEPS for number in range(tests))
        _write(folder / self.suite_file, self.head + body)
        return folder


ROBOT = Framework(
    "Robot Framework",
    ("robotframework==7.5", "allure-robotframework==2.16.2", OURS),
    ("-m", "robot", "--output", "NONE", "--log", "NONE", "--report", "NONE"),
    ("--listener", "crossbridge.integrations.robot"),
    "allure-robotframework",
    ("--listener", "allure_robotframework;{results}"),
    "suite.robot",
    "*** Test Cases ***\n",
    "Test {}\n",
    "    No Operation\n",
)
BEHAVE = Framework(
    "behave",
    ("behave==1.3.3", "allure-behave==2.16.2", OURS),
    ("-m", "behave", "-f", "progress", "-o", "progress.txt"),
    ("-r", "crossbridge.integrations.behave:Runner"),
    "allure-behave",
    ("-f", "allure_behave.formatter:AllureFormatter", "-o", "{results}"),
    "features/suite.feature",
    "Feature: Suite\n",
    "  Scenario: Test {}\n",
    "    Given nothing happens\n",
    {
        "features/steps/steps.py": "from behave import given\n\n\n@given('nothing happens')\ndef nothing(context):\n    pass\n"
    },
)


def measure(stage: Stage) -> list[Line]:
    return [line for framework in (ROBOT, BEHAVE) for line in Trial(stage, framework).lines()]


class Trial:
    """Runs of a framework in all its ways."""

    def __init__(self, stage: Stage, framework: Framework) -> None:
        self._stage = stage
        self._framework = framework
        self._folder = stage.folder(framework.name.replace(" ", "-"))
        self._results = self._folder / "results"
        self._spool = self._folder / "spool"
        self._one = framework.write(self._folder / "one", 1)
        self._many = framework.write(self._folder / "many", stage.size(TESTS, 5))
        self._python = this_python() if stage.quick else python_with(framework.packages)

    def lines(self) -> list[Line]:
        samples = self._samples()
        wall_us, cpu_us, start_ms = (added(samples, figure) for figure in Sample._fields)
        plain_us = statistics.median(sample.wall_us for sample in samples[PLAIN])
        name, peer = self._framework.name, self._framework.peer_name
        of = f"a test of {STEPS} steps"
        rounds = spread(
            [a.wall_us - b.wall_us for a, b in zip(samples[RECORDED], samples[PLAIN], strict=True)]
        )
        note = f"{PLAIN}: {plain_us:,.0f}; single rounds: {rounds}"
        lines = [
            Line(f"{name}: added to {of}, wall", wall_us[RECORDED], "µs", beside=others(wall_us), note=note),
            Line(f"{name}: added to {of}, CPU", cpu_us[RECORDED], "µs", beside=others(cpu_us)),
            Line(f"{name}: added to start-up", start_ms[RECORDED], "ms", beside=others(start_ms)),
        ]
        if peer in samples:
            times = cpu_us[RECORDED] / cpu_us[peer]
            lines.insert(2, Line(f"{name}: the same, against {peer}", times, "times", 1.0))
        return lines

    def _samples(self) -> dict[str, list[Sample]]:
        framework = self._framework
        on = {"CROSSBRIDGE_PROFILING": "1", "CROSSBRIDGE_PROFILING_BACKEND": "none"}
        ways = {
            PLAIN: ((), {}),
            NULL: ((), {}),
            OFF: (framework.ours, {}),
            RECORDED: (framework.ours, {**on, "CROSSBRIDGE_SPOOL_DIR": str(self._spool)}),
        }
        if not self._stage.quick:
            ways[framework.peer_name] = (framework.peer, {})
        for way in () if self._stage.quick else ways.values():  # so that no measured run compiles anything
            self._sample(*way)
        takes = {name: lambda way=way: self._sample(*way) for name, way in ways.items()}
        return interleave(f"{framework.name}, {self._tests} tests", takes, self._stage.size(9, 1))

    @property
    def _tests(self) -> int:
        return self._stage.size(TESTS, 5)

    def _sample(self, arguments: Sequence[str], settings: Mapping[str, str]) -> Sample:
        starts = [self._run(self._one, 1, arguments, settings) for _ in range(self._stage.size(3, 1))]
        whole = self._run(self._many, self._tests, arguments, settings)
        start = Spent(*(statistics.median(seconds) for seconds in zip(*starts, strict=True)))
        return Sample.between(start, whole, self._tests)

    def _run(self, suite: Path, tests: int, arguments: Sequence[str], settings: Mapping[str, str]) -> Spent:
        for folder in (self._results, self._spool):
            shutil.rmtree(folder, ignore_errors=True)
        arguments = [argument.format(results=self._results) for argument in arguments]
        target = self._framework.suite_file.partition("/")[0]
        command = [self._python, *self._framework.command, *arguments, target]
        spent, _, _ = run(command, env=self._stage.environment(settings), cwd=suite)
        self._check(tests, arguments, settings)
        return spent

    def _check(self, tests: int, arguments: Sequence[str], settings: Mapping[str, str]) -> None:
        """Make sure that what was measured did its work."""
        if settings:
            recorded = sum(
                path.read_text().count('"type":"test_end"') for path in self._spool.glob("*/*.jsonl")
            )
        elif str(self._results) in " ".join(arguments):
            recorded = sum(1 for _ in self._results.glob(self._framework.result))
        else:
            return
        check(tests, recorded)


def check(tests: int, recorded: int) -> None:
    """
    Make sure that what was measured did its work.

    Raises:
        RuntimeError: It has not recorded the tests that ran.
    """
    if recorded != tests:
        raise RuntimeError(f"recorded were {recorded} of {tests} tests: the figures mean nothing")


def added(samples: dict[str, list[Sample]], figure: str) -> dict[str, float]:
    """What each way adds to the plain one, by rounds."""
    plain = [getattr(sample, figure) for sample in samples[PLAIN]]
    return {
        name: statistics.median(
            getattr(sample, figure) - base for sample, base in zip(taken, plain, strict=True)
        )
        for name, taken in samples.items()
        if name != PLAIN
    }


def others(figures: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in figures.items() if name != RECORDED}


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
