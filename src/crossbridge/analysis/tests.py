"""Single tests: the slow ones, the failing ones, those that run right now."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  (decoding JSON into the types needs it)
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID  # noqa: TC003

from msgspec import Struct

from crossbridge.analysis._rows import WORST_FIRST, rows

if TYPE_CHECKING:
    from psycopg import Connection

    from crossbridge.analysis.scope import RunScope, Scope

Rank = Literal["average", "max", "total", "failed"]


class RankedTest(Struct, frozen=True, kw_only=True):
    """What the attempts of one test took. `failed` counts those that failed or broke (error)."""

    framework: str
    test_id: str
    attempts: int
    failed: int
    total_us: int
    average_us: float
    max_us: int


class Failure(Struct, frozen=True, kw_only=True):
    """An attempt that failed, broke or was interrupted, and what was said of it."""

    framework: str
    test_id: str
    status: str
    attempt: int
    created_at: datetime
    duration_us: int
    error_type: str | None
    error_message: str | None


class RunningTest(Struct, frozen=True, kw_only=True):
    """An attempt that has begun and not ended; `step_name` is the innermost step it was last seen in."""

    run_id: UUID
    framework: str
    test_id: str
    attempt: int
    worker: str | None
    started_at: datetime
    step_name: str | None
    step_started_at: datetime | None


def ranked_tests(connection: Connection[Any], scope: Scope | RunScope, rank: Rank) -> list[RankedTest]:
    """Return the tests that took longest (on average, at most, in total) or failed most often; ties by name."""
    return rows(connection, "ranked_tests", RankedTest, scope, rank=rank)


def run_failures(connection: Connection[Any], scope: RunScope, statuses: tuple[str, ...]) -> list[Failure]:
    """Find tests of a run whose last attempt ended with one of `statuses`, in the order in which they ended."""
    return rows(connection, "run_failures", Failure, scope, statuses=list(statuses), worst_first=WORST_FIRST)


def latest_failures(
    connection: Connection[Any], scope: Scope, tests: list[RankedTest]
) -> dict[tuple[str, str], Failure]:
    """Find the newest failure in the window of each of these tests, by framework and test_id."""
    found = rows(
        connection,
        "latest_failures",
        Failure,
        scope,
        frameworks=[test.framework for test in tests],
        test_ids=[test.test_id for test in tests],
    )
    return {(failure.framework, failure.test_id): failure for failure in found}


def running_tests(connection: Connection[Any], scope: Scope | RunScope) -> list[RunningTest]:
    """Return the tests in flight, the longest first."""
    return rows(connection, "running_tests", RunningTest, scope)
