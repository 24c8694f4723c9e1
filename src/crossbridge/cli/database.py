"""`db`: the database's schema, roles and old data."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import asdict

from crossbridge.cli._common import Json, is_local, print_json, say, start_embedded
from crossbridge.cli._text import counted, safe, size
from crossbridge.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crossbridge.database.retention import Month
    from crossbridge.database.target import Target

db = typer.Typer(name="db", help="Set up and look after the database.", no_args_is_help=True)

Writers = Annotated[
    list[str] | None,
    typer.Option("--writer", metavar="USER", help="A user that delivers events; may be given several times."),
]
Readers = Annotated[
    list[str] | None,
    typer.Option("--reader", metavar="USER", help="A user that looks at results, such as Grafana's."),
]

_AGE = re.compile(r"(\d{1,5})\s*([dwy])")
_DAYS = {"d": 1, "w": 7, "y": 365}


def register(app: typer.Typer) -> None:
    app.add_typer(db)


@db.command()
def init(as_json: Json = False) -> None:
    """
    Make the database, its schema and its roles.

    What is there already stays as it is.

    \b
    Examples:
      crossbridge db init
      CROSSBRIDGE_DB_HOST=db CROSSBRIDGE_DB_NAME=crossbridge crossbridge db init
    """
    from crossbridge.database.connection import connect
    from crossbridge.database.create import ensure_database
    from crossbridge.database.migrate import LATEST, migrate
    from crossbridge.database.roles import grant_roles

    target = _target()
    created = ensure_database(target)
    with connect(target) as connection:
        applied = migrate(connection)
        grant_roles(connection, target)
    if as_json:
        print_json({"database": str(target), "created": created, "applied": applied, "version": LATEST})
        return
    print(
        f"{'Created the' if created else 'The'} database {safe(str(target))}{'' if created else ' was there'}."
    )
    print(_applied(applied))
    print("Roles: crossbridge_writer delivers events, crossbridge_reader looks at them.")
    say("Next: let users in with 'crossbridge db roles --writer USER --reader USER'.")


@db.command("migrate")
def migrate_(as_json: Json = False) -> None:
    """
    Bring the schema up to this release.

    Safe at any time, from any number of machines at once.

    \b
    Examples:
      crossbridge db migrate
      crossbridge db migrate --json | jq .applied
    """
    from crossbridge.database.migrate import LATEST, migrate

    target = _target()
    applied = migrate(target)
    if as_json:
        print_json({"database": str(target), "applied": applied, "version": LATEST})
    else:
        print(_applied(applied))


@db.command()
def roles(writer: Writers = None, reader: Readers = None, as_json: Json = False) -> None:
    """
    Let users deliver events, or look at results.

    Makes the roles crossbridge_writer and crossbridge_reader, and makes the users members of them.

    A writer can deliver events and do nothing else; a reader can look at everything and change nothing.

    \b
    Examples:
      crossbridge db roles --writer ci --reader grafana
    """
    from crossbridge.database.connection import connect
    from crossbridge.database.roles import READER, WRITER, grant_roles

    target = _target()
    writers, readers = writer or [], reader or []
    with connect(target) as connection:
        grant_roles(connection, target, writers, readers)
    if as_json:
        print_json({"database": str(target), WRITER: writers, READER: readers})
        return
    for role, can, members in (
        (WRITER, "deliver events", writers),
        (READER, "look at results", readers),
    ):
        given = f"; given to {', '.join(map(safe, members))}" if members else ""
        print(f"{role}: members can {can}{given}.")


@db.command()
def prune(
    keep: Annotated[str, typer.Option(metavar="AGE", help="What to keep: 90d, 12w or 2y.")] = "90d",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would go.")] = False,
    as_json: Json = False,
) -> None:
    """
    Drop the months whose events are all older than --keep.

    Runs and rollups stay, so trends do too. Of segments of that age only the id is remembered: one that is delivered
    again is not counted again.

    \b
    Examples:
      crossbridge db prune --keep 90d --dry-run
      crossbridge db prune --keep 1y
    """
    from crossbridge.database.connection import connect
    from crossbridge.database.retention import older_than
    from crossbridge.database.retention import prune as prune_

    cutoff = datetime.now(timezone.utc) - _age(keep)
    target = _target()
    with connect(target) as connection:
        if dry_run:
            old = older_than(connection, target, cutoff)
        else:
            old = prune_(connection, target, cutoff, _tell_nothing if as_json else _tell_dropped)
    if as_json:
        months = [_month(month) for month in old.months]
        counts = {"bytes": old.bytes, "segments": old.segments, "in_flight": old.in_flight}
        print_json({"dry_run": dry_run, "cutoff": cutoff, "months": months, **counts})
        return
    if dry_run:
        for month in old.months:
            print(f"would drop {_described(month)}")
    dropped, forgot = ("Would drop", "forget") if dry_run else ("Dropped", "forgot")
    print(
        f"{dropped} {counted(len(old.months), 'month')}, {size(old.bytes)}, and {forgot} "
        f"{counted(old.segments, 'segment')}, of what is older than {cutoff:%Y-%m-%d}. Runs and rollups stay."
    )


@db.command("rebuild-rollups")
def rebuild_rollups(
    since: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="Only days from then on: an age (7d, 2w, 1y) or an ISO date."),
    ] = None,
    as_json: Json = False,
) -> None:
    """
    Compute the rollups anew from the rows.

    For dashboards and reports. Needed after rows were loaded, changed or deleted by hand; what is delivered as
    usual keeps them right by itself. Tests may go on being delivered meanwhile. Cut short, it goes on where it was
    when it is called again. Months that were pruned keep the rollups they have.

    \b
    Examples:
      crossbridge db rebuild-rollups
      crossbridge db rebuild-rollups --since 7d --json
    """
    from crossbridge.analysis.scope import parse_since
    from crossbridge.database.connection import connect
    from crossbridge.database.rebuild import rebuild

    first_day = parse_since(since).date() if since else None
    target = _target()
    with connect(target) as connection, _rebuilding() as progress:
        done = rebuild(connection, target, first_day, progress)
    if as_json:
        print_json({"since": first_day, **asdict(done)})
        return
    if done.resumed:
        say("Went on with a rebuild that had been cut short.")
    print(
        f"Rebuilt the rollups of {counted(done.days, 'day')}: {counted(done.attempts, 'attempt')}, "
        f"{counted(done.steps, 'step')}."
    )


@contextmanager
def _rebuilding() -> Iterator[Callable[[int, int], None]]:
    """Show days done on a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("Rebuilding"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("days"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, whole: bar.update(task, completed=done, total=whole)


def _target() -> Target:
    """Return the configured server's database, else the embedded one, started."""
    from crossbridge.profiling.models import ProfileConfig
    from crossbridge.profiling.storage import target_of

    config = ProfileConfig.load()
    return start_embedded(config) if is_local(config) else target_of(config)


def _age(text: str) -> timedelta:
    match = _AGE.fullmatch(text.strip().lower())
    if match is None or int(match[1]) == 0:
        raise UsageError(f"--keep must be an age such as 90d, 12w or 2y, got {text!r}.")
    return timedelta(days=int(match[1]) * _DAYS[match[2]])


def _applied(versions: list[int]) -> str:
    from crossbridge.database.migrate import LATEST

    if not versions:
        return f"The schema is at version {LATEST}, nothing to do."
    return f"The schema is at version {LATEST}: {counted(len(versions), 'migration')} applied."


def _described(month: Month) -> str:
    return f"{month.month:%Y-%m}: about {counted(month.rows, 'row')}, {size(month.bytes)}"


def _month(month: Month) -> dict[str, object]:
    return {"month": f"{month.month:%Y-%m}", "rows": month.rows, "bytes": month.bytes}


def _tell_dropped(month: Month) -> None:
    print(f"dropped {_described(month)}")


def _tell_nothing(month: Month) -> None:
    pass
