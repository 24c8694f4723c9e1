"""What a JUnit test pays in the JVM: plain, with our listener, and with allure-junit5's.

JUnit's console launcher runs trivial tests in one JVM; Maven's own time and surefire's pipe to it stay out. A sample is a run of one test
and a run of many; the slope between them is what a test costs, in a JVM as cold as that of most builds. Each round takes every
candidate once, and each figure is the median over the rounds of the difference to the plain launcher of the same round.
Events go to the spool and are not delivered.
"""

from __future__ import annotations

import shutil
import statistics
from typing import TYPE_CHECKING

from bench.frameworks import NULL, OFF, PLAIN, RECORDED, Sample, added, check, others
from bench.measure import Line, Spent, interleave, run, spread
from support.junit_console import compile_java, console_jar, joined
from support.maven import LOCAL, agent_jar, jars

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bench.stage import Stage

TESTS = 4000
IN_A_CLASS = 100
PLATFORM = "1.13.4"
PEER = "allure-junit5"
ALLURE = "io.qameta.allure:allure-junit5:2.29.1"


def measure(stage: Stage) -> list[Line]:
    return Trial(stage).lines()


class Trial:
    """Runs of the launcher in all its ways."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._folder = stage.folder("jvm")
        self._results = self._folder / "allure-results"
        self._spool = self._folder / "spool"
        self._tests = stage.size(TESTS, 2)
        self._one = self._compiled("one", 1)
        self._many = self._compiled("many", self._tests)
        self._peer = joined(
            path for path in jars(ALLURE).glob("*.jar") if not path.name.startswith(("junit-", "opentest4j"))
        )

    def lines(self) -> list[Line]:
        samples = self._samples()
        wall_us, cpu_us, start_ms = (added(samples, figure) for figure in Sample._fields)
        plain_us = statistics.median(sample.wall_us for sample in samples[PLAIN])
        rounds = spread(
            [a.wall_us - b.wall_us for a, b in zip(samples[RECORDED], samples[PLAIN], strict=True)]
        )
        note = f"{PLAIN}: {plain_us:,.0f}; single rounds: {rounds}"
        times = wall_us[RECORDED] / wall_us[PEER]
        return [
            Line("JUnit: added to a trivial test, wall", wall_us[RECORDED], "µs", beside=others(wall_us), note=note),
            Line("JUnit: added to a trivial test, CPU", cpu_us[RECORDED], "µs", beside=others(cpu_us)),
            Line(f"JUnit: the same by the wall clock, against {PEER}", times, "times", None if self._stage.quick else 1.0),
            Line("JUnit: added to start-up", start_ms[RECORDED], "ms", beside=others(start_ms)),
        ]  # fmt: skip

    def _samples(self) -> dict[str, list[Sample]]:
        agent = str(agent_jar())
        on = LOCAL | {"CROSSBRIDGE_SPOOL_DIR": str(self._spool)}
        ways = {
            PLAIN: ("", {}),
            NULL: ("", {}),
            OFF: (agent, {}),
            RECORDED: (agent, on),
            PEER: (self._peer, {}),
        }
        takes = {name: lambda way=way: self._sample(*way) for name, way in ways.items()}
        return interleave(f"JUnit, {self._tests} tests", takes, self._stage.size(7, 1))

    def _sample(self, class_path: str, settings: Mapping[str, str]) -> Sample:
        start = self._run(self._one, 1, class_path, settings)
        whole = self._run(self._many, self._tests, class_path, settings)
        return Sample.between(start, whole, self._tests)

    def _run(self, classes: Path, tests: int, class_path: str, settings: Mapping[str, str]) -> Spent:
        for folder in (self._results, self._spool):
            shutil.rmtree(folder, ignore_errors=True)
        path = joined(part for part in (console_jar(PLATFORM), classes, class_path) if part)
        launcher = ("org.junit.platform.console.ConsoleLauncher", "execute", "--disable-banner")
        command = (
            "java", f"-Dallure.results.directory={self._results}", "-cp", path, *launcher,
            "--details=none", f"--scan-classpath={classes}",
        )  # fmt: skip
        spent, _, _ = run(command, env=self._stage.environment(settings), cwd=self._folder)
        if settings:
            check(tests, sum(p.read_text().count('"test_end"') for p in self._spool.glob("*/*.jsonl")))
        elif class_path == self._peer:
            check(tests, sum(1 for _ in self._results.glob("*-result.json")))
        return spent

    def _compiled(self, name: str, tests: int) -> Path:
        sources = self._folder / f"{name}-sources"
        sources.mkdir()
        for first in range(0, tests, IN_A_CLASS):
            methods = "".join(
                f"@Test void t{number}() {{}}\n" for number in range(min(IN_A_CLASS, tests - first))
            )
            text = f"import org.junit.jupiter.api.Test;\nclass T{first}Test {{\n{methods}}}\n"
            (sources / f"T{first}Test.java").write_text(text)
        classes = self._folder / name
        compile_java(sources.glob("*.java"), classes, console_jar(PLATFORM))
        return classes
