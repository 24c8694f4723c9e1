"""What the reading commands share: their options, and a database that is open and up to date."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from crossbridge.analysis.scope import Scope, parse_since
from crossbridge.errors import SchemaError, ServerError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from psycopg import Connection

    from crossbridge.database.target import Target
    from crossbridge.profiling.models import ProfileConfig

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Since = Annotated[
    str,
    typer.Option(metavar="WHEN", help="How far back: an age (90m, 24h, 7d, 2w) or an ISO date (2026-11-01)."),
]
Environment = Annotated[
    str | None, typer.Option("--env", metavar="NAME", help="Only runs of this environment.")
]
Branch = Annotated[str | None, typer.Option(metavar="NAME", help="Only runs of this git branch.")]
Framework = Annotated[str | None, typer.Option(metavar="NAME", help="Only this framework.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, metavar="N", help="Most rows of a list.")]

NOTHING_YET = (
    "Switch profiling on with CROSSBRIDGE_PROFILING=true and run your tests, or try 'crossbridge demo'; "
    "'crossbridge doctor' finds out what is wrong."
)


def print_json(value: Any) -> None:
    """Print one JSON document, exact and indented."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2)
    sys.stdout.buffer.write(text + b"\n")
    sys.stdout.buffer.flush()


def say(text: str) -> None:
    """Tell a person something that is no data."""
    print(text, file=sys.stderr)


def scope_of(
    since: str, environment: str | None, branch: str | None, framework: str | None, limit: int = 10
) -> Scope:
    """Return the window and filters of the shared options."""
    return Scope(parse_since(since), environment, branch, framework, limit)


def is_local(config: ProfileConfig) -> bool:
    """Whether data are read from the embedded server: no other one is configured."""
    from crossbridge.profiling.models import StorageBackendType

    return config.backend is not StorageBackendType.POSTGRES and not config.postgres_host


def target_from_settings(config: ProfileConfig) -> Target:
    """Return the configured server's database; what is not set is left to libpq."""
    from crossbridge.database.target import Target

    return Target(
        config.postgres_host,
        config.postgres_port if config.postgres_host else None,
        config.postgres_database,
        config.postgres_user,
        config.postgres_password,
        config.postgres_sslmode,
    )


def database_of_settings() -> AbstractContextManager[Connection[Any]]:
    """Open the database that environment and files name; see `open_database`."""
    from crossbridge.profiling.config import load

    return open_database(load())


@contextmanager
def open_database(config: ProfileConfig) -> Iterator[Connection[Any]]:
    """
    Open the database that the settings mean, for one consistent look at it: a read-only transaction, in UTC.

    With the embedded server, that one is started and what lies in the spool is delivered first.

    Raises:
        ServerError, DatabaseUnreachable: There is no database to be reached.
        SchemaError: The schema is missing, or is not of this release.
    """
    from crossbridge.database.connection import connect, translated

    target = embedded_target(config) if is_local(config) else target_from_settings(config)
    with connect(target, autocommit=False) as connection, translated(target):
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connection.execute("SET LOCAL TIME ZONE 'UTC'")
        connection.execute("SET LOCAL jit = off")  # compiling these queries takes longer than they do
        require_schema(connection, target)
        yield connection


def embedded_target(config: ProfileConfig) -> Target:
    """Start the embedded server unless it runs, bring its schema up to date and deliver the spool."""
    from crossbridge.cli.server import waiting
    from crossbridge.database.migrate import migrate
    from crossbridge.database.server import EmbeddedServer

    try:
        with waiting() as progress:
            target = EmbeddedServer(config.data_dir, progress=progress).start()
    except ServerError as error:
        raise ServerError(
            f"{str(error).rstrip('.')}. Or name a server of your own: CROSSBRIDGE_DB_HOST."
        ) from error
    migrate(target)
    return target


def require_schema(connection: Connection[Any], target: Target) -> None:
    """
    Make sure that the schema can be read by this release; a newer one only adds to it.

    Raises:
        SchemaError: There is none, or an older one.
    """
    from crossbridge.database.migrate import LATEST, schema_version

    version = schema_version(connection)
    if version == 0:
        raise SchemaError(f"there is no schema crossbridge in {target}. Make it with 'crossbridge db init'.")
    if version < LATEST:
        raise SchemaError(
            f"the schema in {target} is at version {version}, this release reads {LATEST}."
            " Run 'crossbridge db migrate'."
        )
