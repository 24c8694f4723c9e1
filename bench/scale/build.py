"""Fill a database with made-up results: rows by INSERT .. SELECT inside the server, then the rollups from the rows.

The same seed gives the same data, but for the moment at which they end.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.measure import say
from crossbridge.database.connection import connect
from crossbridge.database.migrate import migrate
from crossbridge.database.rebuild import rebuild

if TYPE_CHECKING:
    from psycopg import Connection

    from crossbridge.database.target import Target

RUNS_AT_ONCE = 100
DAYS = 90


@dataclass
class Built:
    """What a build made, and what each part took in seconds."""

    tests: int = 0
    took_s: dict[str, float] = field(default_factory=dict)


def build(target: Target, *, tests: int, seed: int = 1, ends: datetime | None = None) -> Built:
    """Fill the empty database `target` with about so many tests, the last of them ending at `ends`: now."""
    ends = ends or datetime.now(timezone.utc)
    built = Built()
    migrate(target)
    with connect(target) as connection:
        connection.execute("SET synchronous_commit = off")
        _timed(built, "rows", lambda: _make_rows(connection, built, tests, seed, ends))
        _timed(built, "rollups", lambda: rebuild(connection, target, progress=_tell_day))
        _timed(built, "vacuum", lambda: _vacuum(connection))
    return built


def _make_rows(connection: Connection[Any], built: Built, tests: int, seed: int, ends: datetime) -> None:
    connection.execute(Path(__file__).with_name("data.sql").read_bytes())
    _call(connection, "SELECT bench.make_runs(%s, %s, %s, %s)", tests, DAYS, ends, seed)
    connection.execute("ANALYZE bench.runs, bench.tests")
    months = {
        (ends - timedelta(days=age)).astimezone(timezone.utc).date().replace(day=1) for age in range(DAYS + 2)
    }
    _call(connection, "SELECT crossbridge.ensure_partitions(%s)", sorted(months))
    chunks = connection.execute(
        "SELECT min(n), max(n) FROM (SELECT n, (row_number() OVER (ORDER BY n) - 1) / %s AS chunk FROM bench.runs)"
        " AS x GROUP BY chunk ORDER BY chunk",
        (RUNS_AT_ONCE,),
    ).fetchall()
    for number, (first, last) in enumerate(chunks, 1):
        built.tests += _call(connection, "SELECT bench.make_rows(%s, %s, %s)", first, last, ends)
        if number % 10 == 0 or number == len(chunks):
            say(f"{built.tests:,} tests, {number} of {len(chunks)} parts")


def _vacuum(connection: Connection[Any]) -> None:
    """As autovacuum does sooner or later: statistics, hint bits, summaries of the BRIN indexes."""
    connection.execute("VACUUM (ANALYZE)")


def _tell_day(done: int, whole: int) -> None:
    if done % 10 == 0 or done == whole:
        say(f"rollups: {done} of {whole} days")


def _timed(built: Built, what: str, act: Any) -> None:
    began_s = time.monotonic()
    act()
    built.took_s[what] = round(time.monotonic() - began_s, 1)
    say(f"{what}: {built.took_s[what]:.0f} s")


def _call(connection: Connection[Any], query: str, *parameters: Any) -> Any:
    row = connection.execute(query, parameters).fetchone()
    return row[0] if row else None
