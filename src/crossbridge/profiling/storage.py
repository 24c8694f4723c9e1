"""Where a shipper delivers: the configured server, or the embedded one. Never imported in a test process.

The driver is imported when the first session is opened: a shipper that finds another one at work never does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from crossbridge.database.target import Target
from crossbridge.errors import DatabaseUnreachable
from crossbridge.profiling.models import StorageBackendType

if TYPE_CHECKING:
    from pathlib import Path

    from crossbridge.profiling.models import ProfileConfig


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
        from crossbridge.profiling.shipping.session import PostgresSession  # noqa: PLC0415

        return PostgresSession(self._target)


class LocalBackend:
    """The embedded server, while somebody has it running: no shipper starts it."""

    name = StorageBackendType.LOCAL.value
    patience_s = 0.0

    def __init__(self, data_dir: Path | None, database: str | None) -> None:
        self._data_dir = data_dir
        self._database = database
        self.target = "the embedded server" + (f" in {data_dir}" if data_dir else "")
        if database:
            self.target = f"the database {database} of {self.target}"

    def connect(self) -> Session:
        from crossbridge.database.create import ensure_database  # noqa: PLC0415
        from crossbridge.database.server import running_target  # noqa: PLC0415

        target = running_target(self._data_dir, self._database)
        if target is None:
            raise DatabaseUnreachable("the embedded server is not running. Start it with 'crossbridge up'.")
        if self._database:  # the server was started with, perhaps, another one in mind
            ensure_database(target)
        return PostgresBackend(target).connect()


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
        return LocalBackend(config.data_dir, config.postgres_database)
    return None
