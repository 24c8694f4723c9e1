"""Old events go, a month at a time: dropping partitions takes a moment and gives the space back. Rollups stay."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg import sql
from psycopg.rows import class_row

from crossbridge.database.connection import translated
from crossbridge.database.queries import query

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg import Connection

    from crossbridge.database.target import Target

# Taken in the order in which ingest fills them.
EVENT_TABLES = ("tests", "steps", "http_calls", "driver_commands", "system_metrics")
_LOCK_TIMEOUT_MS = 10_000


class Month(NamedTuple):
    """The partitions of one month of UTC; `rows` is what the server last estimated, `bytes` what they take on disk."""

    month: date
    rows: int
    bytes: int


class Old(NamedTuple):
    """
    What is older than a moment.

    Args:
        months: Of which all events are older, oldest first.
        segments: Rows of the ledger whose last event is older.
        in_flight: Tests that began before it and were never told to have ended.
    """

    months: list[Month]
    segments: int
    in_flight: int

    @property
    def bytes(self) -> int:
        return sum(month.bytes for month in self.months)


def months_before(connection: Connection[Any], cutoff: datetime) -> list[Month]:
    """Months of which all events are older than `cutoff`, oldest first."""
    cutoff = cutoff.astimezone(timezone.utc)
    with connection.cursor(row_factory=class_row(Month)) as cursor:
        months = cursor.execute(query("months"), {"tables": list(EVENT_TABLES)}).fetchall()
    return [month for month in months if month.month < cutoff.date().replace(day=1)]


def older_than(connection: Connection[Any], target: Target, cutoff: datetime) -> Old:
    """Tell what `prune` would remove; change nothing."""
    with translated(target):
        segments, in_flight = connection.execute(query("count_old"), {"cutoff": cutoff}).fetchone() or (0, 0)
        return Old(months_before(connection, cutoff), segments, in_flight)


def prune(
    connection: Connection[Any],
    target: Target,
    cutoff: datetime,
    progress: Callable[[Month], None] = lambda _month: None,
) -> Old:
    """
    Drop the months before `cutoff`, and the ledger rows and in-flight tests that old; return what is gone.

    Runs, the names of tests and the rollups stay. Of a segment its id and how far it was delivered are kept: should
    its file be delivered again, nothing is stored or counted twice. A month is gone when `progress` is called with it.
    Waits at most 10 s for those who read or write a table. The connection must be in autocommit mode.

    Raises:
        DatabaseError: A table was busy for too long, or the user may not drop it.
    """
    with translated(target):
        connection.execute(sql.SQL("SET lock_timeout = {}").format(_LOCK_TIMEOUT_MS))
        months = months_before(connection, cutoff)
        for month in months:
            with connection.transaction():
                _drop(connection, month.month)
            progress(month)
        in_flight = connection.execute(query("forget_in_flight"), {"cutoff": cutoff}).rowcount
        segments = connection.execute(query("forget_segments"), {"cutoff": cutoff}).rowcount
        return Old(months, segments, in_flight)


def _drop(connection: Connection[Any], month: date) -> None:
    for table in EVENT_TABLES:
        partition = sql.Identifier("crossbridge", f"{table}_{month:%Y%m}")
        # The whole table first: whoever stores holds that one before he looks for the month.
        whole = sql.Identifier("crossbridge", table)
        connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(whole))
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(partition))
    connection.execute(query("note_pruned_month"), {"month": month})
