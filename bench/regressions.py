"""Slow-downs found, and false alarms, by the analysis behind `crossbridge regressions`.

Made-up histories: 1,000 tests in 60 runs; each test has a noise of its own (median 6 %, some 20 %), 3 % of attempts hang
for up to some ten times as long, the machines' speed differs by 15 % from run to run and drifts. Real ones: the test
suites of pluggy and more-itertools, run again and again on this machine, one unmeasured run first; their durations are
stretched a thousandfold, since changes below a millisecond are left out. In either, 20 tests are slowed down from a run on.
"""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING
from uuid import UUID

from bench.measure import Line, say
from bench.stage import Stage, this_python
from crossbridge.analysis.history import RunPlace, Series, history_of
from crossbridge.analysis.regressions import judge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLOWED = 20
LEAST_CHANGE = 0.05
SUITES = {"pluggy": ("1.6.0", "testing", "src"), "click": ("8.1.8", "tests", "src")}
RECORDER = """
import json, os
durations = {}
def pytest_runtest_logreport(report):
    if report.when == "call" and report.passed:
        durations[report.nodeid] = report.duration
def pytest_sessionfinish(session):
    with open(os.environ["DURATIONS"], "w") as file:
        json.dump(durations, file)
"""
History = list[list[float | None]]  # a test's logarithms of microseconds, run by run


@dataclass
class Judged:
    """What one history led to: tests reported rightly, at the very run, and wrongly."""

    found: int
    located: int
    wrong: int
    tests: int


def measure(stage: Stage) -> list[Line]:
    lines: list[Line] = []
    dice = random.Random(2026)
    trials = stage.size(10, 1)
    tests, runs = stage.size(1000, 60), stage.size(60, 30)
    lines += _lines("made-up", lambda: _made_up(dice, tests, runs), dice, trials, judge_it=True)
    for suite in list(SUITES)[: stage.size(2, 0)]:
        real = _real(stage, suite, 36)
        say(f"{suite}: {len(real)} tests in {len(real[0])} runs")
        lines += _lines(suite, lambda real=real: _shuffled(dice, real), dice, trials, judge_it=False)
    return lines


def _lines(name: str, draw, dice: random.Random, trials: int, *, judge_it: bool) -> Iterator[Line]:
    unchanged = [_judge(draw(), {}, 0) for _ in range(trials)]
    tests = sum(one.tests for one in unchanged)
    yield Line(
        f"{name}: false alarms where nothing changed",
        1000 * sum(one.wrong for one in unchanged) / tests,
        "of 1,000 tests",
        2 if judge_it else None,
        note=f"{tests:,} tests judged",
    )
    for percent, least in ((10, None), (20, 70), (50, 90)):
        for after in (5, 15):
            judged = [_slowed(draw(), dice, percent / 100, after) for _ in range(trials)]
            found = sum(one.found for one in judged)
            wrong = sum(one.wrong for one in judged)
            yield Line(
                f"{name}: slow-downs of {percent} % found after {after} runs",
                100 * found / (trials * SLOWED),
                "%",
                least if judge_it and after == 15 else None,
                at_least=True,
                note=f"first run named to the run {_percent(sum(one.located for one in judged), found)},"
                f" false alarms among the reports {_percent(wrong, found + wrong)}",
            )


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"


def _slowed(history: History, dice: random.Random, change: float, after: int) -> Judged:
    runs = len(history[0])
    slowed = dict.fromkeys(dice.sample(range(len(history)), SLOWED), runs - after)
    for test, since in slowed.items():
        history[test] = [
            ln if ln is None or place < since else ln + math.log1p(change)
            for place, ln in enumerate(history[test])
        ]
    return _judge(history, slowed, runs - after)


def _judge(history: History, slowed: dict[int, int], since: int) -> Judged:
    runs = [_run(place) for place in range(len(history[0]))]
    series = [
        Series(
            framework="bench",
            test_id=str(test),
            places=[place for place, ln in enumerate(lns) if ln is not None],
            lns=[ln for ln in lns if ln is not None],
        )
        for test, lns in enumerate(history)
    ]
    reported = judge(history_of(series, runs), LEAST_CHANGE)
    right = [one for one in reported if int(one.test_id) in slowed and one.ratio > 1]
    return Judged(
        found=len(right),
        located=sum(one.since_at == runs[since].started_at for one in right),
        wrong=len(reported) - len(right),
        tests=len(history),
    )


def _run(place: int) -> RunPlace:
    return RunPlace(
        run_id=UUID(int=place),
        started_at=datetime(2026, 1, 1, tzinfo=timezone.utc) + timedelta(hours=place),
        git_commit=None,
        git_branch=None,
        app_version=None,
        environment=None,
    )


def _made_up(dice: random.Random, tests: int, runs: int) -> History:
    drift, speeds = 0.0, []
    for _ in range(runs):
        drift += dice.gauss(0, 0.02)
        speeds.append(drift + dice.gauss(0, 0.15))
    history: History = []
    for _ in range(tests):
        usual, noise = dice.gauss(math.log(80_000), 1.5), dice.lognormvariate(math.log(0.06), 0.7)
        history.append(
            [
                usual + speed + dice.gauss(0, noise) + (dice.expovariate(1) if dice.random() < 0.03 else 0)
                for speed in speeds
            ]
        )
    return history


def _shuffled(dice: random.Random, real: History) -> History:
    """The real runs from another one on: as many histories as there are runs, order and neighbours kept."""
    turn = dice.randrange(len(real[0]))
    return [lns[turn:] + lns[:turn] for lns in real]


def _real(stage: Stage, suite: str, runs: int) -> History:
    folder, tests, imports = _unpacked(stage, suite)
    found: list[dict[str, float]] = []
    for number in range(runs + 1):
        output = folder / "durations.json"
        environment = stage.environment(
            {
                "PYTHONPATH": os.pathsep.join([str(folder / imports), str(folder / "recorder")]),
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                "DURATIONS": str(output),
            }
        )
        subprocess.run(
            [
                this_python(),
                "-m",
                "pytest",
                "-q",
                "-W",
                "ignore",
                "-p",
                "recorder",
                "-p",
                "no:cacheprovider",
                tests,
            ],
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=600,
            check=False,
        )
        if number:
            found.append(json.loads(output.read_text()))
    names = [name for name in found[0] if all(name in run for run in found)]
    assert len(names) > 50, f"{suite}: {len(names)} tests ran"
    return [[math.log(max(1.0, run[name] * 1e9)) for run in found] for name in names]


def _unpacked(stage: Stage, suite: str) -> tuple[Path, str, str]:
    version, tests, imports = SUITES[suite]
    folder = stage.folder(f"suite-{suite}")
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "--no-binary",
        ":all:",
        "-d",
        folder,
    ]
    subprocess.run([*command, f"{suite}=={version}"], check=True)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as source:
        source.extractall(folder, filter="data")
    root = next(path for path in folder.iterdir() if path.is_dir())
    recorder = root / "recorder"
    recorder.mkdir()
    (recorder / "recorder.py").write_text(RECORDER)
    return root, tests, imports
