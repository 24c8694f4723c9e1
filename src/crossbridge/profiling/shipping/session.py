"""A connection to PostgreSQL through which segments go: the one module of `profiling` that sees the driver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg.adapt import Dumper

from crossbridge.database.connection import connect, translated
from crossbridge.database.migrate import migrate

if TYPE_CHECKING:
    from psycopg import Connection

    from crossbridge.database.target import Target

INGEST = "SELECT crossbridge.ingest(%s, %s, %s, %s, %s)"


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
