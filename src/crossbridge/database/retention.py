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


def months_before(connection: Connection[Any], cutoff: datetime) -> list[Month]:
    """Months of which all events are older than `cutoff`, oldest first."""
    cutoff = cutoff.astimezone(timezone.utc)
    with connection.cursor(row_factory=class_row(Month)) as cursor:
        months = cursor.execute(query("months"), {"tables": list(EVENT_TABLES)}).fetchall()
    return [month for month in months if month.month < cutoff.date().replace(day=1)]


def prune(
    connection: Connection[Any],
    target: Target,
    cutoff: datetime,
    progress: Callable[[Month], None] = lambda _month: None,
) -> int:
    """
    Drop the months before `cutoff`, and forget segments and in-flight tests that old; return how many segments.

    A month is gone when `progress` is called with it. Its events must not be delivered again: their segments
    are no longer known. Waits at most 10 s for those who read or write a table.

    Raises:
        DatabaseError: A table was busy for too long, or the user may not drop it.
    """
    with translated(target):
        connection.execute(sql.SQL("SET lock_timeout = {}").format(_LOCK_TIMEOUT_MS))
        for month in months_before(connection, cutoff):
            with connection.transaction():
                for table in EVENT_TABLES:
                    partition = sql.Identifier("crossbridge", f"{table}_{month.month:%Y%m}")
                    # The whole table first: whoever stores holds that one before he looks for the month.
                    whole = sql.Identifier("crossbridge", table)
                    connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(whole))
                    connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(partition))
            progress(month)
        connection.execute(query("forget_in_flight"), {"cutoff": cutoff})
        return connection.execute(query("forget_segments"), {"cutoff": cutoff}).rowcount
