"""Flaky tests: the same code passed and failed. The rule stands in `flaky.sql`, and for users in docs/profiling."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  (decoding JSON into the types needs it)
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from crossbridge.analysis._rows import rows

if TYPE_CHECKING:
    from psycopg import Connection

    from crossbridge.analysis.scope import RunScope, Scope


class FlakyTest(Struct, frozen=True, kw_only=True):
    """
    The evidence against one test in a window.

    `retried_runs`: runs in which it failed and passed when retried. `commits`: commits of which some runs failed and
    others passed. `failed_runs` of `runs` ended with it failing, and `failed_attempts` of `attempts` failed.
    """

    framework: str
    test_id: str
    retried_runs: int
    commits: int
    runs: int
    failed_runs: int
    attempts: int
    failed_attempts: int
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
    """Find tests with evidence of flakiness in the window, the most evidence first."""
    return rows(connection, "flaky_tests", FlakyTest, scope)


def retried_tests(connection: Connection[Any], scope: RunScope) -> list[RetriedTest]:
    """Find tests of a run that only a retry made pass."""
    return rows(connection, "retried_tests", RetriedTest, scope)
