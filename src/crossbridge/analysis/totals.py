"""How many passed, how many failed, and what they took: a run or a window, by framework."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from crossbridge.analysis._rows import WORST_FIRST, rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from psycopg import Connection

    from crossbridge.analysis.scope import RunScope, Scope

FAILING = ("failed", "error", "interrupted")
STATUSES = ("passed", "failed", "error", "skipped", "xfailed", "xpassed", "interrupted")


class Totals(Struct, frozen=True, kw_only=True):
    """
    One framework's figures.

    In a window the seven counts are of attempts, as in the dashboards. In a run they are of tests: each counts once,
    as its last attempt ended; `tests` and `retried` are None in a window. Times are of all attempts everywhere.
    """

    framework: str
    attempts: int
    tests: int | None = None
    retried: int | None = None
    passed: int
    failed: int
    error: int
    skipped: int
    xfailed: int
    xpassed: int
    interrupted: int
    total_us: int
    average_us: float
    p95_us: float | None = None
    max_us: int

    @property
    def counted(self) -> int:
        """What the seven counts add up to."""
        return self.attempts if self.tests is None else self.tests


class _P95(Struct, frozen=True, kw_only=True):
    framework: str
    p95_us: float | None


def window_totals(connection: Connection[Any], scope: Scope) -> list[Totals]:
    """Each framework's figures in a window, the fastest first; p95 is read from histograms (bins of 4 %)."""
    return with_p95(window_sums(connection, scope), window_p95(connection, scope))


def window_sums(connection: Connection[Any], scope: Scope) -> list[Totals]:
    """Read the same without p95, which takes longer."""
    return rows(connection, "window_totals", Totals, scope)


def window_p95(connection: Connection[Any], scope: Scope) -> dict[str, float | None]:
    """Read each framework's p95, in microseconds."""
    return {row.framework: row.p95_us for row in rows(connection, "window_p95", _P95, scope)}


def with_p95(totals: list[Totals], p95: dict[str, float | None]) -> list[Totals]:
    """Put p95 to the totals; the bin of the longest attempt may reach beyond it."""
    return [
        replace(
            total, p95_us=None if (found := p95.get(total.framework)) is None else min(found, total.max_us)
        )
        for total in totals
    ]


def run_totals(connection: Connection[Any], scope: RunScope) -> list[Totals]:
    """Each framework's figures in one run, the fastest first."""
    return rows(connection, "run_totals", Totals, scope, worst_first=WORST_FIRST)


def status_counts(totals: Iterable[Totals]) -> dict[str, int]:
    """How many of each status, all frameworks together; statuses that do not occur are left out."""
    totals = list(totals)
    counts = {status: sum(getattr(total, status) for total in totals) for status in STATUSES}
    return {status: count for status, count in counts.items() if count}
