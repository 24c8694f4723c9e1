"""Which collector records in this process, which test runs, which step is open.

One test runs at a time in a process of every runner we know, so the running test is a plain attribute: a
thread that the test starts belongs to it too, which a ContextVar would not see. Steps nest per thread and
per task, so they are one.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from contextvars import ContextVar
from itertools import count

from crossbridge.steps import Active

__all__ = ["Active", "OpenStep", "RunningTest", "current_step"]


class RunningTest:
    """
    An attempt that has begun; `started_us` is wall time in microseconds, `where` its suite, file and worker.

    `identity` and `place` are for `encode` to fill in: what events say of it, encoded.
    """

    place: str
    steps: count[int] | None = None

    def __init__(
        self,
        test_id: str,
        attempt: int,
        framework: str | None,
        started_us: int,
        where: tuple[str | None, ...] = (),
    ) -> None:
        self.test_id = test_id
        self.attempt = attempt
        self.framework = framework
        self.started_us = started_us
        self.where = where
        self.identity = ""


class OpenStep:
    """
    A step that has begun; `started_us` is wall time in microseconds.

    Generators leave their steps in any order, so a parent may have ended before its child.
    """

    __slots__ = ("depth", "ended", "event_type", "index", "name", "parent", "started_us", "test")

    depth: int
    ended: bool
    parent: OpenStep | None
    test: RunningTest

    def __init__(self, name: str, event_type: str | None, test: RunningTest, started_us: int) -> None:
        parent = current_step.get()
        while parent is not None and (parent.ended or parent.test is not test):
            parent = parent.parent
        self.name = name
        self.event_type = event_type
        self.test = test
        self.parent = parent
        self.depth = parent.depth + 1 if parent is not None else 0
        # setdefault: of threads that begin the first step at once one makes the counter.
        self.index = next(test.steps or vars(test).setdefault("steps", count()))
        self.started_us = started_us
        self.ended = False


current_step: ContextVar[OpenStep | None] = ContextVar("crossbridge_step", default=None)
