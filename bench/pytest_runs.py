"""What a run of pytest pays, beside what it pays for others: for each trivial test, and once at its start.

A sample is the median of some runs of one test (start-up) and one run of many; the slope between them is what a test
costs. Each candidate's sample is compared with one of plain pytest taken just before it; the figures are medians of
these differences. Start-up is a one-test run without the wait for delivery at its end, which `end` measures.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, NamedTuple

from bench import candidates, suites
from bench.candidates import (
    ALONE,
    BROUGHT,
    FLOOR,
    FLOOR_REPORTS,
    LOCAL,
    NULL,
    OFF,
    PLAIN,
    POSTGRES,
    Candidate,
)
from bench.measure import Line, Spent, interleave, run, spread

if TYPE_CHECKING:
    from pathlib import Path

    from bench.stage import Stage

STARTS = 3


class Sample(NamedTuple):
    """Microseconds per test, milliseconds of a one-test run, seconds of the whole run of many."""

    wall_us: float
    cpu_us: float
    start_ms: float
    run_s: float


class Pair(NamedTuple):
    plain: Sample
    candidate: Sample

    def added(self, field: str) -> float:
        return getattr(self.candidate, field) - getattr(self.plain, field)


def measure(stage: Stage) -> list[Line]:
    trial = Trial(stage, stage.size(2000, 30))
    plain, *cheap = candidates.cheap(stage)
    near = [*cheap, candidates.switched_off(), candidates.alone(stage), *candidates.ours(stage)]
    if not stage.quick:  # where all is installed in one environment
        near.append(candidates.brought())
    # What is close together is told apart by more rounds.
    pairs = trial.pairs(plain, near, rounds=stage.size(15, 1))
    if peers := candidates.peers(stage):
        pairs |= trial.pairs(plain, peers, rounds=5)
    # What records nothing is compared at the start of a run only.
    recording = {name: taken for name, taken in pairs.items() if name != BROUGHT}
    return [*_per_test(recording), *_start_up(pairs), *_whole_runs(recording, trial.tests)]


class Trial:
    """Runs of one trivial test and of `tests` of them."""

    def __init__(self, stage: Stage, tests: int) -> None:
        self.tests = tests
        self._stage = stage
        self._one, self._many = suites.trivial(stage, 1), suites.trivial(stage, tests)

    def pairs(self, plain: Candidate, others: list[Candidate], *, rounds: int) -> dict[str, list[Pair]]:
        if not self._stage.quick:
            for candidate in (plain, *others):  # so that no measured run compiles anything
                self._sample(candidate)
        takes = {
            other.name: lambda other=other: Pair(self._sample(plain), self._sample(other)) for other in others
        }
        return interleave(f"{self.tests} trivial tests", takes, rounds)

    def _sample(self, candidate: Candidate) -> Sample:
        starts = [self._run(candidate, self._one, 1) for _ in range(self._stage.size(STARTS, 1))]
        whole = self._run(candidate, self._many, self.tests)
        start_s, start_cpu_s = (statistics.median(seconds) for seconds in zip(*starts, strict=True))
        return Sample(
            (whole.wall_s - start_s) / (self.tests - 1) * 1e6,
            (whole.cpu_s - start_cpu_s) / (self.tests - 1) * 1e6,
            start_s * 1e3,
            whole.wall_s,
        )

    def _run(self, candidate: Candidate, suite: Path, tests: int) -> Spent:
        environment = self._stage.environment(candidate.environment)
        ran = run(candidate.command(self._stage, suite), env=environment, cwd=suite)
        candidate.check(tests)
        return ran.spent


def _median(pairs: list[Pair], field: str) -> float:
    return statistics.median(pair.added(field) for pair in pairs)


def _per_test(pairs: dict[str, list[Pair]]) -> list[Line]:
    wall = {name: _median(taken, "wall_us") for name, taken in pairs.items()}
    rivals = {name: us for name, us in wall.items() if name not in {LOCAL, POSTGRES, ALONE, OFF, NULL}}
    beside = {NULL: wall[NULL], ALONE: wall[ALONE], **rivals}
    peers = {name: us for name, us in rivals.items() if name not in {FLOOR, FLOOR_REPORTS}}
    lines = []
    for name in (LOCAL, POSTGRES):
        noise = f"single pairs: {spread([pair.added('wall_us') for pair in pairs[name]])}"
        lines += [
            Line(f"{name}: added to a test, wall", wall[name], "µs", 25.0, beside=beside, note=noise),
            Line(f"{name}: the same, against the floor", wall[name] / wall[FLOOR], "times", 2.0),
            Line(
                f"{name}: the same, against the cheapest peer", wall[name] / min(peers.values()), "times", 1.0
            ),
        ]
    cpu = {name: _median(taken, "cpu_us") for name, taken in pairs.items()}
    others = {name: us for name, us in cpu.items() if name not in {LOCAL, POSTGRES}}
    lines += [
        Line(f"{name}: added to a test, CPU", cpu[name], "µs", beside=others) for name in (LOCAL, POSTGRES)
    ]
    return lines


def _start_up(pairs: dict[str, list[Pair]]) -> list[Line]:
    added = {name: _median(taken, "start_ms") for name, taken in pairs.items()}
    beside = {name: ms for name, ms in added.items() if name not in {LOCAL, POSTGRES}}
    lines = []
    for name, budget in ((LOCAL, 20.0), (POSTGRES, 30.0)):
        noise = f"single pairs: {spread([pair.added('start_ms') for pair in pairs[name]])}"
        lines.append(Line(f"{name}: added to start-up", added[name], "ms", budget, beside=beside, note=noise))
    return lines


def _whole_runs(pairs: dict[str, list[Pair]], tests: int) -> list[Line]:
    """What a person sees: a whole run of trivial tests, as a percentage on top of plain pytest's."""
    percent = {
        name: statistics.median(pair.added("run_s") / pair.plain.run_s * 100 for pair in taken)
        for name, taken in pairs.items()
    }
    beside = {name: value for name, value in percent.items() if name not in {LOCAL, POSTGRES}}
    plain_s = statistics.median(pair.plain.run_s for taken in pairs.values() for pair in taken)
    what = f"added to a run of {tests:,} trivial tests ({PLAIN}: {plain_s:.2f} s)"
    return [Line(f"{name}: {what}", percent[name], "%", beside=beside) for name in (LOCAL, POSTGRES)]
