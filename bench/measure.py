"""Measuring on a machine that others use too: rounds that take every candidate in turn, and the middle of many.

What is compared is measured in the same round, so that a slow minute slows all alike; a candidate that is the
baseline once more (the null) shows how much of a difference is noise.
"""

from __future__ import annotations

import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

T = TypeVar("T")


@dataclass
class Line:
    """
    One row of the page: what was measured and what it must not pass.

    Args:
        budget: The bound; None for a figure given for orientation.
        at_least: The bound is the least allowed, not the most.
        beside: Limits and peers of the same run, in the same unit.
        note: What the reader needs to know to read the figure.
    """

    what: str
    measured: float
    unit: str
    budget: float | None = None
    at_least: bool = False
    beside: dict[str, float] = field(default_factory=dict)
    note: str = ""

    @property
    def met(self) -> bool:
        if self.budget is None:
            return True
        return self.measured >= self.budget if self.at_least else self.measured <= self.budget

    def __str__(self) -> str:
        verdict = "" if self.budget is None else ", met" if self.met else ", NOT MET"
        return f"{self.what}: {self.measured:,.4g} {self.unit}{verdict}"

    def as_dict(self) -> dict[str, object]:
        return {**asdict(self), "met": self.met}


class Spent(NamedTuple):
    """What a process took, in seconds: wall time, and user and system time of it and the children it waited for."""

    wall_s: float
    cpu_s: float


class Spread(NamedTuple):
    """The median, and the lowest and highest."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.low:,.1f} to {self.high:,.1f}"


def say(text: str) -> None:
    """Progress, on stderr."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


class Ran(NamedTuple):
    """A program that ran to its end: what it took, what it wrote."""

    spent: Spent
    stdout: str
    stderr: str


def run(arguments: Sequence[object], *, env: Mapping[str, str], cwd: Path) -> Ran:
    """
    Run a program to its end.

    Raises:
        RuntimeError: It failed; the message ends with its last words.
    """
    command = [str(argument) for argument in arguments]
    with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
        started_s = time.perf_counter()
        process = subprocess.Popen(
            command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - started_s
        process.returncode = os.waitstatus_to_exitcode(status)
        texts = [file.seek(0) or file.read() for file in (stdout, stderr)]
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {''.join(texts)[-2000:]}")
    return Ran(Spent(wall_s, usage.ru_utime + usage.ru_stime), *texts)


def interleave(what: str, candidates: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """Call every candidate once a round, each round in another order; return each one's answers, by round."""
    order = list(candidates)
    answers: dict[str, list[T]] = {name: [] for name in order}
    for number in range(rounds):
        say(f"{what}: round {number + 1} of {rounds}")
        random.Random(number).shuffle(order)
        for name in order:
            answers[name].append(candidates[name]())
    return answers


def spread(values: Sequence[float]) -> Spread:
    return Spread(statistics.median(values), min(values), max(values))


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` of all do not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def wait_until(condition: Callable[[], bool], *, what: str, timeout_s: float, every_s: float = 0.01) -> None:
    """
    Wait for a condition.

    Raises:
        TimeoutError: It did not come true in time.
    """
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"after {timeout_s:g} s still waiting for {what}")
        time.sleep(every_s)
