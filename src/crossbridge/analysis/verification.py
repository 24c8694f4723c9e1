"""Whether data arrive, and how they look in the large."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  (decoding JSON into the types needs it)
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from crossbridge.analysis.report import collector_health
from crossbridge.analysis.totals import Totals, status_counts, window_totals

if TYPE_CHECKING:
    from psycopg import Connection

    from crossbridge.analysis.scope import Scope


class Verification(Struct, frozen=True, kw_only=True):
    """A window: `runs` that began in it, `tests` executed (each attempt counts), by framework and by status."""

    since: datetime
    runs: int
    tests: int
    frameworks: list[Totals]
    statuses: dict[str, int]


def verify_window(connection: Connection[Any], scope: Scope) -> Verification:
    """Look at a window."""
    totals = window_totals(connection, scope)
    return Verification(
        since=scope.since,
        runs=collector_health(connection, scope).runs,
        tests=sum(total.attempts for total in totals),
        frameworks=totals,
        statuses=status_counts(totals),
    )
