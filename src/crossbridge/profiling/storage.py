"""Where a shipper delivers: the configured server, or the embedded one.

The one module of `profiling` that knows a database driver. Never imported in a test process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from psycopg.adapt import Dumper

from crossbridge.database.connection import connect, translated
from crossbridge.database.migrate import migrate
from crossbridge.database.server import running_target
from crossbridge.database.target import Target
from crossbridge.errors import DatabaseUnreachable
from crossbridge.profiling.models import StorageBackendType

if TYPE_CHECKING:
    from pathlib import Path

    from psycopg import Connection

    from crossbridge.profiling.models import ProfileConfig

INGEST = "SELECT crossbridge.ingest(%s, %s, %s, %s, %s)"


class Session(Protocol):
    """A way into the database, for one thread at a time."""

    def ingest(self, segment_id: str, run_id: str, start: int, end: int, events: bytes) -> int:
        """
        Hand over the events that lie between two offsets of a segment, as a JSON array; return the offset delivered.

        What was taken is committed on return.

        Raises:
            DatabaseUnreachable: No answer; the events may have been taken or not.
            BadData: These events can never be stored.
            SchemaError, DatabaseError: Refused for another reason.
        """

    def close(self) -> None:
        """End the session; it is not to be used again."""


class Backend(Protocol):
    """A place events go to. No attribute holds a secret."""

    name: str
    target: str  # the place, for people
    patience_s: float  # how long a shipper without a living writer waits for it

    def connect(self) -> Session:
        """
        Open a session with a database whose schema is up to date; it is made so if we may.

        Raises:
            DatabaseUnreachable: Nobody answers, or nobody lets us in.
            SchemaError: The schema is missing, too old or too new, and we may not change that.
            DatabaseError: Refused for another reason.
        """


class PostgresBackend:
    """A PostgreSQL server somebody runs."""

    name = StorageBackendType.POSTGRES.value
    patience_s = 60.0

    def __init__(self, target: Target) -> None:
        self._target = target
        self.target = str(target)

    def connect(self) -> Session:
        return PostgresSession(self._target)


class LocalBackend:
    """The embedded server, while somebody has it running: no shipper starts it."""

    name = StorageBackendType.LOCAL.value
    patience_s = 0.0

    def __init__(self, data_dir: Path | None) -> None:
        self._data_dir = data_dir
        self.target = f"the embedded server in {data_dir}" if data_dir else "the embedded server"

    def connect(self) -> Session:
        target = running_target(self._data_dir)
        if target is None:
            raise DatabaseUnreachable("the embedded server is not running. Start it with 'crossbridge up'.")
        return PostgresSession(target)


class PostgresSession:
    """A connection in autocommit mode: one transaction a call. Works behind PgBouncer in transaction mode too."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._connection: Connection[Any] = connect(target, application_name="crossbridge shipper")
        try:
            migrate(self._connection)
            self._connection.adapters.register_dumper(_JsonText, _JsonTextDumper)
            if self._connection.info.encoding != "utf-8":
                self._connection.execute("SET client_encoding TO 'UTF8'")
        except BaseException:
            self._connection.close()
            raise

    def ingest(self, segment_id: str, run_id: str, start: int, end: int, events: bytes) -> int:
        with translated(self._target):
            row = self._connection.execute(
                INGEST, (segment_id, run_id, start, end, _JsonText(events))
            ).fetchone()
        assert row is not None  # noqa: S101  (a function's value)
        return int(row[0])

    def close(self) -> None:
        self._connection.close()


class _JsonText(bytes):
    """JSON as it stands in a segment, not parsed here."""


class _JsonTextDumper(Dumper):
    """Sends the bytes as they are, UTF-8 or not: the server is the judge."""

    oid = 3802  # jsonb

    def dump(self, obj: bytes) -> bytes:
        return obj


def target_of(config: ProfileConfig) -> Target:
    """Return the server the settings name; what they leave out is libpq's to find."""
    return Target(
        host=config.postgres_host,
        port=config.postgres_port if config.postgres_host else None,
        dbname=config.postgres_database,
        user=config.postgres_user,
        password=config.postgres_password,
        sslmode=config.postgres_sslmode,
    )


def make_backend(config: ProfileConfig) -> Backend | None:
    """Return the place the settings name; None when that is nowhere."""
    if config.backend is StorageBackendType.POSTGRES:
        return PostgresBackend(target_of(config))
    if config.backend is StorageBackendType.LOCAL:
        return LocalBackend(config.data_dir)
    return None
