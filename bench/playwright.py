"""What a Playwright test pays: without a reporter, with the built-in `line`, with ours, and with allure-playwright.

The tests need no browser: they are empty, or have three steps that do nothing; a real test's overhead is a smaller part of it. One worker
runs them, so that a reporter's work, which is done in the process of the command line, can be hidden on a second core: CPU tells all of it. A
sample is a run of one test and a run of many; the slope between them is what a test costs. Each round takes every candidate once, and each
figure is the median over the rounds of the difference to the run without a reporter of the same round. Events go to the spool and are not delivered.
"""

from __future__ import annotations

import shutil
import statistics
from typing import TYPE_CHECKING

from bench.frameworks import NULL, OFF, PLAIN, RECORDED, Sample, added, check, others
from bench.measure import Line, Spent, interleave, run, spread
from support.playwright import PLAYWRIGHT, REPORTER
from support.third_party import node_modules

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bench.stage import Stage

TESTS = 300
STEPS = 3
BUILT_IN = "line"
PEER = "allure-playwright"
PACKAGES = (PLAYWRIGHT, "allure-playwright@3.12.2")
# Playwright's own name for a reporter that does nothing.
NOTHING = "null"
STEP = "await test.step('step', async () => {});"


def measure(stage: Stage) -> list[Line]:
    return [
        *Trial(stage, 0, "a trivial test").lines(),
        *Trial(stage, STEPS, f"a test of {STEPS} steps").lines(),
    ]


class Trial:
    """Runs of Playwright in all its ways, on tests of so many steps."""

    def __init__(self, stage: Stage, steps: int, of: str) -> None:
        self._stage = stage
        self._of = of
        self._folder = stage.folder(f"playwright-{steps}")
        self._results = self._folder / "allure-results"
        self._spool = self._folder / "spool"
        self._tests = stage.size(TESTS, 3)
        (self._folder / "node_modules").symlink_to(node_modules(*PACKAGES))
        (self._folder / "playwright.config.js").write_text("module.exports = { workers: 1 };\n")
        self._write("one", 1, steps)
        self._write("many", self._tests, steps)

    def lines(self) -> list[Line]:
        samples = self._samples()
        wall_us, cpu_us, start_ms = (added(samples, figure) for figure in Sample._fields)
        plain = {f: statistics.median(getattr(s, f) for s in samples[PLAIN]) for f in ("wall_us", "cpu_us")}
        rounds = spread([a.cpu_us - b.cpu_us for a, b in zip(samples[RECORDED], samples[PLAIN], strict=True)])
        note = f"{PLAIN}: {plain['cpu_us']:,.0f}; single rounds: {rounds}"
        budget = None if self._stage.quick else 1.0
        return [
            Line(f"Playwright: added to {self._of}, CPU", cpu_us[RECORDED], "µs", beside=others(cpu_us), note=note),
            Line(f"Playwright: added to {self._of}, wall", wall_us[RECORDED], "µs", beside=others(wall_us),
                 note=f"{PLAIN}: {plain['wall_us']:,.0f}"),
            Line(f"Playwright: added to {self._of}, CPU, against {PEER}", cpu_us[RECORDED] / cpu_us[PEER], "times", budget),
            Line(f"Playwright: added to start-up with {self._of}", start_ms[RECORDED], "ms", beside=others(start_ms)),
        ]  # fmt: skip

    def _samples(self) -> dict[str, list[Sample]]:
        on = {"CROSSBRIDGE_PROFILING": "1", "CROSSBRIDGE_PROFILING_BACKEND": "none"}
        ours = f"{NOTHING},{REPORTER}"
        ways: dict[str, tuple[str, dict[str, str]]] = {
            PLAIN: (NOTHING, {}),
            NULL: (NOTHING, {}),
            BUILT_IN: (BUILT_IN, {}),
            OFF: (ours, {}),
            RECORDED: (ours, {**on, "CROSSBRIDGE_SPOOL_DIR": str(self._spool)}),
            PEER: (f"{NOTHING},{PEER}", {}),
        }
        takes = {name: lambda way=way: self._sample(*way) for name, way in ways.items()}
        return interleave(f"Playwright, {self._tests} times {self._of}", takes, self._stage.size(5, 1))

    def _sample(self, reporters: str, settings: Mapping[str, str]) -> Sample:
        start = self._run("one", 1, reporters, settings)
        whole = self._run("many", self._tests, reporters, settings)
        return Sample.between(start, whole, self._tests)

    def _run(self, suite: str, tests: int, reporters: str, settings: Mapping[str, str]) -> Spent:
        for folder in (self._results, self._spool):
            shutil.rmtree(folder, ignore_errors=True)
        cli = self._folder / "node_modules" / "@playwright" / "test" / "cli.js"
        command = ("node", cli, "test", f"{suite}.spec.js", "--reporter", reporters)
        spent, _, _ = run(command, env=self._stage.environment(settings), cwd=self._folder)
        if settings:
            check(tests, sum(path.read_text().count('"test_end"') for path in self._spool.glob("*/*.jsonl")))
        elif PEER in reporters:
            check(tests, sum(1 for _ in self._results.glob("*-result.json")))
        return spent

    def _write(self, name: str, tests: int, steps: int) -> Path:
        body = "".join(f"test('t{number}', async () => {{{STEP * steps}}});\n" for number in range(tests))
        path = self._folder / f"{name}.spec.js"
        path.write_text(f"const {{ test }} = require('@playwright/test');\n{body}")
        return path
