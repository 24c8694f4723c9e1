"""What the reading commands share: their options, and a database that is open and up to date."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from crossbridge.analysis.scope import Scope, parse_since
from crossbridge.errors import CrossbridgeError, SchemaError, ServerError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from psycopg import Connection

    from crossbridge.database.target import Target
    from crossbridge.profiling.models import ProfileConfig
    from crossbridge.profiling.spool import DeliveryReport

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Markdown = Annotated[
    bool, typer.Option("--markdown", help="Print Markdown, for a comment on a pull request.")
]
Since = Annotated[
    str,
    typer.Option(
        metavar="WHEN", help="How far back: an age (90m, 24h, 7d, 2w, 1y) or an ISO date (2026-11-01)."
    ),
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


def is_stdout(file: Path) -> bool:
    """Whether a person means stdout by the name of a file."""
    return str(file) == "-"


def write_file(file: Path, content: bytes) -> None:
    """
    Write a file that a person asked for; an existing one is replaced, and `-` is stdout.

    Raises:
        UsageError: It cannot be written there.
    """
    if is_stdout(file):
        sys.stdout.buffer.write(content)
        return
    try:
        file.write_bytes(content)
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror or error}. Name another file.") from error


def one_format(*, as_json: bool, markdown: bool) -> None:
    """Refuse two formats at once."""
    if as_json and markdown:
        raise UsageError("--json and --markdown exclude each other. Leave one of them out.")


def say(text: str) -> None:
    """Tell a person something that is no data, after the data printed so far."""
    print(end="", flush=True)
    print(text, file=sys.stderr)


def scope_of(
    since: str, environment: str | None, branch: str | None, framework: str | None, limit: int = 10
) -> Scope:
    """Return the window and filters of the shared options."""
    return Scope(parse_since(since), environment, branch, framework, limit)


def mend_of_nothing(scope: Scope) -> str:
    """Say what to do where there is nothing to show: it may be the filter's doing."""
    if scope.environment or scope.branch or scope.framework:
        return "'crossbridge runs' lists the environments, branches and frameworks there are."
    return NOTHING_YET


def is_local(config: ProfileConfig) -> bool:
    """Whether data are read from the embedded server: no other one is configured."""
    from crossbridge.profiling.models import StorageBackendType

    return config.backend is not StorageBackendType.POSTGRES and not config.postgres_host


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
        SchemaError: The schema is missing, or too old for this release.
    """
    from crossbridge.database.connection import begin_look, connect, translated

    target = prepare_target(config)
    with connect(target, autocommit=False) as connection, translated(target):
        begin_look(connection)
        _require_schema(connection, target)
        yield connection


def prepare_target(config: ProfileConfig) -> Target:
    """
    Return the database that the settings mean, the embedded one started, migrated and given what the spool holds.

    The spool of a configured server is its shipper's; a person is told when there is none at work.
    """
    from crossbridge.database.migrate import migrate
    from crossbridge.profiling.spool import find_segments
    from crossbridge.profiling.storage import target_of

    if not is_local(config):
        _tell_of_spool(config)
        return target_of(config)
    target = start_embedded(config)
    migrate(target)
    try:
        if segments := find_segments([config.spool_path]):
            deliver(config, target, paths=segments)
    except CrossbridgeError as error:
        say(f"crossbridge: not all of the spool is delivered: {error}")
    return target


def deliver(config: ProfileConfig, target: Target, **options: Any) -> DeliveryReport:
    """Deliver what lies in the spool, with a progress bar on a terminal; `options` are those of `deliver_spool`."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    from crossbridge.profiling.spool import deliver_spool

    console = Console(stderr=True)
    columns = TextColumn("Delivering the spool"), BarColumn(), DownloadColumn(binary_units=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("")
        return deliver_spool(
            config, target, lambda done, whole: bar.update(task, completed=done, total=whole), **options
        )


def start_embedded(config: ProfileConfig) -> Target:
    """Start the embedded server unless it runs, and return the database that the settings name."""
    from crossbridge.cli.server import waiting
    from crossbridge.database.server import EmbeddedServer

    try:
        with waiting() as progress:
            server = EmbeddedServer(config.data_dir, database=config.postgres_database, progress=progress)
            return server.start()
    except ServerError as error:
        message = str(error).rstrip(".")
        raise ServerError(f"{message}. Or name a server of your own with CROSSBRIDGE_DB_HOST.") from error


def _tell_of_spool(config: ProfileConfig) -> None:
    from crossbridge.profiling.progress import shipper_state
    from crossbridge.profiling.spool import find_segments

    try:
        waiting = len(find_segments([config.spool_path]))
    except UsageError as error:
        say(f"crossbridge: not all of the spool can be seen: {error}")
        return
    if waiting and not shipper_state(str(config.spool_path)).alive:
        say(
            f"crossbridge: {waiting} {'segment waits' if waiting == 1 else 'segments wait'} in {config.spool_dir}, not"
            " delivered yet. Deliver with 'crossbridge ingest'."
        )


def _require_schema(connection: Connection[Any], target: Target) -> None:
    """Refuse a schema that lacks what this release reads; a newer one only adds to it."""
    from crossbridge.database.migrate import LATEST, mend_of_older, schema_version

    version = schema_version(connection)
    if version == 0:
        raise SchemaError(f"there is no schema crossbridge in {target}. Make it with 'crossbridge db init'.")
    if version < LATEST:
        raise SchemaError(
            f"the schema in {target} is at version {version}, this release reads {LATEST}."
            f" {mend_of_older(version)}"
        )
