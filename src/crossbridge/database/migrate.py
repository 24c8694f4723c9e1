"""
The schema: numbered files of tables and what moves them on, each applied once; functions, each in its one place.

Functions, views and triggers stand in `functions/`, in their present form. All of them are made anew in the transaction
of the last version, so a change of a function needs a version too.
"""

from __future__ import annotations

from contextlib import nullcontext
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

import psycopg

from crossbridge.database.connection import connect, translated
from crossbridge.database.target import Target
from crossbridge.errors import SchemaError

# Of the transaction, not of the session: that is what lasts behind PgBouncer.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('crossbridge migrations', 0))"
# The first table that ingest takes: batches under way are stored before a version changes what stores them, and none
# holds what we wait for while it waits for us. Readers go on.
_QUIET = "LOCK TABLE crossbridge.segments IN EXCLUSIVE MODE"
# Anybody who may use the schema may know its version: a shipper that can only ingest asks for it too.
_LEDGER = """
    DO $$ BEGIN
        IF to_regnamespace('crossbridge') IS NULL THEN  -- one made beforehand needs no right to make another
            CREATE SCHEMA crossbridge;
        END IF;
    END $$;
    CREATE TABLE crossbridge.schema_migrations (
        version    integer PRIMARY KEY,
        name       text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    );
    GRANT SELECT ON crossbridge.schema_migrations TO PUBLIC;
"""
# Not to_regclass: within a transaction it may remember what was not there before we waited for the lock.
_HAS_LEDGER = """
    SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE n.nspname = 'crossbridge' AND c.relname = 'schema_migrations'
"""
MINIMUM_SERVER = 13
_HERE = files("crossbridge.database")


class Migration(NamedTuple):
    """A file `NNNN_name.sql`."""

    version: int
    name: str
    sql: bytes


@lru_cache(maxsize=1)
def migrations() -> list[Migration]:
    """All migrations of this release, oldest first."""
    return [Migration(int(name[:4]), name[5:-4], text) for name, text in _texts("migrations")]


@lru_cache(maxsize=1)
def functions() -> bytes:
    """Statements that make or replace all functions, views and triggers of this release, with the rights to them."""
    # They call each other in any order.
    texts = [b"SET LOCAL check_function_bodies = off;", *(text for _, text in _texts("functions"))]
    return b"\n".join([*texts, (_HERE / "rights.sql").read_bytes()])


def _texts(folder: str) -> list[tuple[str, bytes]]:
    """Name and content of the folder's files, by name."""
    return sorted(
        (file.name, file.read_bytes()) for file in (_HERE / folder).iterdir() if file.name.endswith(".sql")
    )


FIRST, LATEST = migrations()[0].version, migrations()[-1].version


def mend_of_older(version: int) -> str:
    """Return what a person can do about a schema at `version`, which is older than this release's."""
    if version < FIRST:
        return "Nothing updates it. Make a new database, with 'crossbridge db init' under another CROSSBRIDGE_DB_NAME."
    return "Run 'crossbridge db migrate'."


def schema_version(connection: psycopg.Connection[Any]) -> int:
    """Return the version of the schema in this database; 0 when there is none."""
    if connection.execute(_HAS_LEDGER).fetchone() is None:
        return 0
    row = connection.execute("SELECT coalesce(max(version), 0) FROM crossbridge.schema_migrations").fetchone()
    assert row is not None  # noqa: S101  (an aggregate)
    return int(row[0])


def migrate(where: Target | psycopg.Connection[Any]) -> list[int]:
    """
    Bring the schema up to this release and return the versions applied, none when it was.

    Any number of processes may do so at once. An empty database gets all versions in one transaction; otherwise each
    is committed before the next begins. A connection must be in autocommit mode.

    Raises:
        SchemaError: The schema is newer than this release or older than the first, or the user may not change it.
        DatabaseError, DatabaseUnreachable: See `connection`.
    """
    with connect(where) if isinstance(where, Target) else nullcontext(where) as connection:
        info = connection.info
        where_text = f"{info.host}:{info.port}/{info.dbname}"
        with translated(where_text):
            try:
                return _migrate(connection, where_text)
            except psycopg.errors.InsufficientPrivilege as error:
                raise SchemaError(
                    f"user {info.user} may not change the schema crossbridge in {where_text}"
                    f" ({error.diag.message_primary}). Run 'crossbridge db migrate' as its owner."
                ) from error


def _migrate(connection: psycopg.Connection[Any], where: str) -> list[int]:
    if connection.info.server_version < MINIMUM_SERVER * 10000:
        raise SchemaError(
            f"PostgreSQL {MINIMUM_SERVER} or later is needed, {where} runs {_server(connection)}."
        )
    if (encoding := connection.info.parameter_status("server_encoding")) != "UTF8":
        raise SchemaError(
            f"{where} is encoded in {encoding}; names of tests need UTF8. Create it with 'crossbridge db init'."
        )
    version = schema_version(connection)
    if version > LATEST:
        raise SchemaError(
            f"the schema in {where} is at version {version}, this release of crossbridge knows {LATEST}."
            " Update it with: pip install --upgrade crossbridge"
        )
    if 0 < version < FIRST:
        raise SchemaError(
            f"the schema in {where} is at version {version}, older than the first release's, {FIRST}."
            f" {mend_of_older(version)}"
        )
    applied: list[int] = []
    while version < LATEST and (now := _apply(connection)):
        applied += now
    return applied


def _apply(connection: psycopg.Connection[Any]) -> list[int]:
    """Apply the next version, or all to an empty database, and return them; none when other processes were faster."""
    with connection.transaction():
        connection.execute(_LOCK)
        version = schema_version(connection)
        steps = [step for step in migrations() if step.version > version]
        if version == 0:
            connection.execute(_LEDGER)
        elif steps:
            connection.execute(_QUIET)
            del steps[1:]
        for step in steps:
            connection.execute(step.sql)
            connection.execute(
                "INSERT INTO crossbridge.schema_migrations (version, name) VALUES (%s, %s)",
                (step.version, step.name),
            )
        if migrations()[-1] in steps:
            connection.execute(functions())
    return [step.version for step in steps]


def _server(connection: psycopg.Connection[Any]) -> str:
    return connection.info.parameter_status("server_version") or str(connection.info.server_version)
