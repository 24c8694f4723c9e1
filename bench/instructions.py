"""Instructions that an added test costs, counted by callgrind: a figure that repeats whatever the machine is doing.

The slope between two suites of trivial tests; the kernel's instructions and other processes' are not counted.
"""

from __future__ import annotations

import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from bench import candidates, suites
from bench.candidates import LOCAL, PLAIN, POSTGRES, Candidate
from bench.measure import Line, run, say

if TYPE_CHECKING:
    from bench.stage import Stage

_COLLECTED = re.compile(r"Collected : (\d+)")


def measure(stage: Stage) -> list[Line]:
    if shutil.which("valgrind") is None:
        raise RuntimeError("callgrind is not installed: apt-get install valgrind")
    few, many = stage.size(200, 2), stage.size(400, 4)
    tried = [*candidates.cheap(stage), *candidates.ours(stage), candidates.switched_off()]
    if stage.quick:
        tried = [each for each in tried if each.name in {PLAIN, LOCAL}]
    for (
        candidate
    ) in tried:  # the suites and environments are made here, and what there is to compile is compiled
        for tests in (few, many):
            _run(stage, candidate, tests)

    def count(candidate: Candidate) -> tuple[float, float]:
        """Per test, and for a run of none."""
        low, high = (_count(stage, candidate, tests) for tests in (few, many))
        return (slope := (high - low) / (many - few)), low - few * slope

    # Counts do not mind company, so every core may work.
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        counts = dict(zip([each.name for each in tried], threads.map(count, tried), strict=True))
    plain, plain_start = counts.pop(PLAIN)
    added = {name: per_test - plain for name, (per_test, _) in counts.items()}
    start = {name: (start - plain_start) / 1e6 for name, (_, start) in counts.items()}
    ours = [name for name in (LOCAL, POSTGRES) if name in counts]
    return [
        *(
            Line(
                f"{name}: instructions added to a test",
                added[name],
                "",
                150_000,
                beside={PLAIN: plain} | _others(added),
            )
            for name in ours
        ),
        *(
            Line(
                f"{name}: instructions added to start-up",
                start[name],
                "million",
                beside={PLAIN: plain_start / 1e6} | _others(start),
            )
            for name in ours
        ),
    ]


def _others(figures: dict[str, float]) -> dict[str, float]:
    return {name: figure for name, figure in figures.items() if name not in {LOCAL, POSTGRES}}


def _count(stage: Stage, candidate: Candidate, tests: int) -> int:
    say(f"callgrind: {candidate.name}, {tests} tests")
    stderr = _run(
        stage, candidate, tests, "valgrind", "--tool=callgrind", f"--callgrind-out-file={os.devnull}"
    )
    return int(_COLLECTED.search(stderr)[1])


def _run(stage: Stage, candidate: Candidate, tests: int, *under: str) -> str:
    suite = suites.trivial(stage, tests)
    environment = stage.environment(candidate.environment)
    ran = run([*under, *candidate.command(stage, suite)], env=environment, cwd=suite)
    candidate.check(tests)
    return ran.stderr
