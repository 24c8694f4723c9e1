"""What a trivial test pays, told apart in one process.

In one run CrossBridge's recorder, the floor and neither of them take turns, a block of tests each, so that they share
process, machine and minute, and a shipper at work slows all of them alike. A run's figure is the median of its blocks.
Beside them stands what two plain lines cost: only a test whose start was written can be known to have ended its process.
Slopes between whole runs scatter more, but hold what runs beside the tests: they follow.
"""

from __future__ import annotations

import json
import statistics
from dataclasses import replace
from typing import TYPE_CHECKING

from bench import candidates, suites
from bench.candidates import FLOOR, FLOOR_OF_TWO, NULL
from bench.measure import Line, interleave, run, spread
from bench.stage import REPOSITORY

if TYPE_CHECKING:
    from bench.candidates import Candidate
    from bench.stage import Stage


def measure(stage: Stage) -> list[Line]:
    takes = {each.name: lambda each=each: _take(stage, each) for each in candidates.ours(stage)}
    lines = []
    for name, taken in interleave("tests in turn", takes, stage.size(6, 1)).items():
        ours, floor, floor_of_two, null = (
            spread([blocks[kind] - blocks["plain"] for blocks in taken])
            for kind in ("ours", "floor", "floor of two", "plain again")
        )
        beside = {NULL: null.median, FLOOR: floor.median, FLOOR_OF_TWO: floor_of_two.median}
        note = f"single runs: {ours}; the floor's: {floor}"
        lines += [
            Line(f"{name}: added to a test, wall", ours.median, "µs", 25.0, beside=beside, note=note),
            Line(f"{name}: the same, against the floor", ours.median / floor.median, "times", 2.0),
        ]
    return lines


def _take(stage: Stage, ours: Candidate) -> dict[str, float]:
    """Median microseconds of a test, by who records it."""
    suite = suites.trivial(stage, stage.size(10_000, 60))
    answer = stage.scratch / "turns.json"
    candidate = replace(
        ours,
        arguments=("-p", "bench_turns"),
        environment={
            **ours.environment,
            "PYTHONPATH": str(REPOSITORY / "bench" / "plugins"),
            "BENCH_TURNS_FILE": str(answer),
            "BENCH_TURNS_BLOCK": str(stage.size(25, 2)),
            "BENCH_FLOOR_FILE": str(stage.scratch / "turns-floor.jsonl"),
        },
    )
    run(candidate.command(stage, suite), env=stage.environment(candidate.environment), cwd=suite)
    told = json.loads(answer.read_text())
    candidate.check(told["recorded"])
    return {name: statistics.median(blocks) for name, blocks in told["blocks_us"].items()}
