"""Flaky tests: the same code passed and failed. The rule stands in `flaky.sql`, and for users in docs/profiling."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  (decoding JSON into the types needs it)
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from crossbridge.analysis._rows import rows
from crossbridge.analysis.statistics import wilson_low

if TYPE_CHECKING:
    from psycopg import Connection

    from crossbridge.analysis.scope import RunScope, Scope

# Tests with most failures, of which it is asked how much evidence there may be, at least and for each that is wanted;
# and those beyond the limit that are looked at closely: some turn out to have less evidence than they might have had.
_SUSPECTS = 250
_SUSPECTS_EACH = 5
_SPARE = 5


class FlakyTest(Struct, frozen=True, kw_only=True):
    """
    The evidence against one test in a window.

    `retried_runs`: runs in which it failed and passed when retried. `commits`: commits of which some runs failed and
    others passed. `failed_runs` of `runs` ended with it failing, and `failed_attempts` of `attempts` failed.
    `flips`: runs that it disturbed, those retried and those that failed of such commits; `flip_rate` is their share of
    `runs`, with 95 % confidence at least `flip_rate_low` (Wilson). `score` orders: the runs it surely disturbed,
    flip_rate_low x runs. `lost_us`: what its failing attempts took in the disturbed runs.
    """

    framework: str
    test_id: str
    retried_runs: int
    commits: int
    runs: int
    failed_runs: int
    attempts: int
    failed_attempts: int
    flips: int
    flip_rate: float = 0.0
    flip_rate_low: float = 0.0
    score: float = 0.0
    lost_us: int
    last_flaked_at: datetime


class RetriedTest(Struct, frozen=True, kw_only=True):
    """A test of a run that failed and then passed when retried, and how it failed last."""

    framework: str
    test_id: str
    attempts: int
    failed_attempts: int
    error_type: str | None
    error_message: str | None


def flaky_tests(connection: Connection[Any], scope: Scope) -> list[FlakyTest]:
    """Find tests with evidence of flakiness in the window, those that disturbed most runs first."""
    suspects = max(_SUSPECTS, _SUSPECTS_EACH * scope.limit)
    found = rows(
        connection, "flaky_tests", FlakyTest, scope, suspects=suspects, candidates=scope.limit + _SPARE
    )
    rated = [_rated(test) for test in found]
    rated.sort(key=lambda test: (-test.score, -test.last_flaked_at.timestamp(), test.framework, test.test_id))
    return rated[: scope.limit]


def _rated(test: FlakyTest) -> FlakyTest:
    low = wilson_low(test.flips, test.runs)
    return replace(test, flip_rate=test.flips / test.runs, flip_rate_low=low, score=low * test.runs)


def retried_tests(connection: Connection[Any], scope: RunScope) -> list[RetriedTest]:
    """Find tests of a run that only a retry made pass."""
    return rows(connection, "retried_tests", RetriedTest, scope)
