"""A made-up history of runs, delivered to a database and kept in memory to compare with what is read back."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from support.feed import Segment

if TYPE_CHECKING:
    import psycopg

EPOCH = datetime.fromtimestamp(0, timezone.utc)
STATUSES = ("passed", "failed", "error", "skipped", "xfailed", "xpassed")
FAILING = ("failed", "error")


@dataclass(frozen=True)
class RunMade:
    run_id: str
    environment: str
    branch: str
    commit: str | None
    started_us: int


@dataclass(frozen=True)
class Attempt:
    """One row of `tests`, with what is known of its run."""

    run: RunMade
    framework: str
    test_id: str
    attempt: int
    status: str
    duration_us: int
    at_us: int

    @property
    def created_at(self) -> datetime:
        return EPOCH + timedelta(microseconds=self.at_us)


@dataclass
class History:
    """What was delivered so far; all of it before `now`, the moment the history was begun."""

    connection: psycopg.Connection[Any]
    now: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    attempts: list[Attempt] = field(default_factory=list)
    runs: list[RunMade] = field(default_factory=list)

    def ago(self, **age: float) -> datetime:
        return self.now - timedelta(**age)

    def run(
        self,
        *tests: tuple[str, ...],
        hours_ago: float = 1.0,
        environment: str = "ci",
        branch: str = "main",
        commit: str | None = None,
        framework: str = "pytest",
        status: str | None = "passed",
        **header: Any,
    ) -> RunMade:
        """
        Deliver a run, one segment, and return it.

        Args:
            tests: Each a test_id and then its attempts in order, as `status` or `status:milliseconds`.
            status: Of the run; None leaves the segment open.
            header: More fields of its first line.
        """
        started_us = (self.ago(hours=hours_ago) - EPOCH) // timedelta(microseconds=1)
        segment = Segment(
            header.pop("run_id", None) or str(uuid4()),
            at_us=started_us,
            framework=framework,
            environment=environment,
            git_branch=branch,
            git_commit=commit,
            **header,
        )
        made = RunMade(segment.run_id, environment, branch, commit, started_us)
        self.runs.append(made)
        for test_id, *attempts in tests:
            for number, text in enumerate(attempts, 1):
                self._attempt(segment, made, test_id, number, text)
        if status:
            segment.close(status, collected=len(segment.lines) - 1)
        segment.deliver(self.connection)
        return made

    def _attempt(self, segment: Segment, run: RunMade, test_id: str, attempt: int, text: str) -> None:
        status, _, ms = text.partition(":")
        duration_us = round(float(ms or 10) * 1000)
        error = {"error_type": "AssertionError", "error_message": f"{status} {attempt}\nsecond line"}
        segment.start(test_id, attempt=attempt)
        segment.end(
            test_id,
            status,
            duration_us,
            attempt=attempt,
            at_us=segment.now_us + duration_us,
            **(error if status in FAILING else {}),
        )
        framework = segment.lines[0]["framework"]
        self.attempts.append(Attempt(run, framework, test_id, attempt, status, duration_us, segment.now_us))

    def random_runs(self, count: int, *, days: float, seed: int, tests: int = 12) -> None:
        """Deliver runs spread over the last `days`, of all statuses, frameworks, environments and branches."""
        rng = random.Random(seed)
        for _ in range(count):
            self.run(
                *(
                    (f"tests/test_{n % 4}.py::test_{n}", *_attempts(rng))
                    for n in rng.sample(range(tests), rng.randint(1, tests))
                ),
                hours_ago=rng.uniform(0.05, days * 24),
                environment=rng.choice(["ci", "staging"]),
                branch=rng.choice(["main", "feature/x"]),
                framework=rng.choice(["pytest", "robot", "playwright"]),
                commit=rng.choice(["aaaa", "bbbb", "cccc", None]),
            )


def _attempts(rng: random.Random) -> list[str]:
    statuses = rng.choices(STATUSES, [80, 8, 3, 5, 2, 2])
    if rng.random() < 0.1:
        statuses = ["failed", rng.choice(["passed", "failed"])]
    return [f"{status}:{rng.lognormvariate(3, 1.5):.3f}" for status in statuses]
