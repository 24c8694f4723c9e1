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
from bench.candidates import FLOOR, FLOOR_REPORTS, JUNITXML, LOCAL, NULL, PLAIN, POSTGRES, Candidate
from bench.measure import Line, run, say

if TYPE_CHECKING:
    from bench.stage import Stage

_COLLECTED = re.compile(r"Collected : (\d+)")


def measure(stage: Stage) -> list[Line]:
    if shutil.which("valgrind") is None:
        raise RuntimeError("callgrind is not installed: apt-get install valgrind")
    few, many = stage.size(200, 2), stage.size(400, 4)
    wanted = {PLAIN, LOCAL} if stage.quick else {PLAIN, NULL, FLOOR, FLOOR_REPORTS, JUNITXML, LOCAL, POSTGRES}
    tried = [each for each in [*candidates.cheap(stage), *candidates.ours(stage)] if each.name in wanted]

    def per_test(candidate: Candidate) -> float:
        counts = [_count(stage, candidate, tests) for tests in (few, many)]
        return (counts[1] - counts[0]) / (many - few)

    # Counts do not mind company, so every core may work.
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        counts = dict(zip([each.name for each in tried], threads.map(per_test, tried), strict=True))
    plain = counts.pop(PLAIN)
    added = {name: count - plain for name, count in counts.items()}
    beside = {name: value for name, value in added.items() if name not in {LOCAL, POSTGRES}}
    return [
        Line(
            f"{name}: instructions added to a test", added[name], "", 150_000, beside={PLAIN: plain, **beside}
        )
        for name in (LOCAL, POSTGRES)
        if name in added
    ]


def _count(stage: Stage, candidate: Candidate, tests: int) -> int:
    """Instructions of one run. A run before it, off the record, compiles what there is to compile."""
    suite = suites.trivial(stage, tests)
    environment = stage.environment(candidate.environment)
    command = candidate.command(stage, suite)
    run(command, env=environment, cwd=suite)
    candidate.check(tests)
    say(f"callgrind: {candidate.name}, {tests} tests")
    callgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={os.devnull}"]
    ran = run([*callgrind, *command], env=environment, cwd=suite)
    candidate.check(tests)
    return int(_COLLECTED.search(ran.stderr)[1])
