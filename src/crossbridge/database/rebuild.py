"""Making the rollups anew from the rows, a day at a time; how stands in functions/rebuild.sql."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from crossbridge.database.connection import translated
from crossbridge.database.queries import query

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from psycopg import Connection

    from crossbridge.database.target import Target


class Rebuilt(Struct, frozen=True, kw_only=True):
    """
    What a rebuild did: days of UTC that had rows, and how many of `tests` and `steps` those are.

    `resumed`: it went on with one that was cut short.
    """

    days: int
    attempts: int
    steps: int
    resumed: bool


def rebuild(
    connection: Connection[Any],
    target: Target,
    since: date | None = None,
    progress: Callable[[int, int], None] = lambda _done, _whole: None,
) -> Rebuilt:
    """
    Rebuild the rollups of all days that have rows, or of those from `since` on; the newest first.

    A day is one transaction: readers see it as it was or as it is, and events that arrive for it meanwhile wait until
    it is done, as long as that takes (about 10 us an attempt). Killed at any moment, it is gone on with by the next
    call that asks for the same days. Several processes at once share the work. Days of pruned months are left alone.
    Weeks are rolled up at the end; one that events arrive for just then is left to be read by its days.
    `progress` is called after each day with the days done and all of them. The connection must be in autocommit mode.

    Raises:
        DatabaseError: The user does not own the schema.
    """
    with translated(target):
        left, resumed = connection.execute(query("queue_rebuild"), {"since": since}).fetchone() or (0, False)
        done = days = attempts = steps = 0
        while row := connection.execute("SELECT * FROM crossbridge.rebuild_next()").fetchone():
            day, day_attempts, day_steps = row
            if day is None:
                break
            days += bool(day_attempts or day_steps)
            attempts += day_attempts or 0
            steps += day_steps or 0
            done += 1
            progress(done, left)
        for environment, week in connection.execute(query("weeks_to_roll_up"), {"since": since}).fetchall():
            connection.execute("SELECT crossbridge.roll_up_week(%s, %s)", (environment, week))
        return Rebuilt(days=days, attempts=attempts, steps=steps, resumed=resumed)
