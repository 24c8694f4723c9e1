"""A writer can deliver events and nothing else; a reader can look and change nothing."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from crossbridge.database.connection import connect
from crossbridge.database.migrate import LATEST, migrate, schema_version
from crossbridge.database.roles import grant_roles
from crossbridge.errors import DatabaseError, SchemaError, UsageError
from support.feed import NOON_US, Segment

TABLES = """
    SELECT relname FROM pg_class WHERE relnamespace = 'crossbridge'::regnamespace AND relkind IN ('r', 'p') ORDER BY 1
"""


@pytest.fixture
def users(db, migrated):
    """Connections of a writer and of a reader."""
    made = []
    for role in ("writer", "reader"):
        name = f"{role}_{migrated.dbname[-20:]}"
        db.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'pw'")
        made.append(replace(migrated, user=name, password="pw"))
    grant_roles(db, migrated, writers=[made[0].user], readers=[made[1].user])
    with connect(made[0]) as writer, connect(made[1]) as reader:
        yield writer, reader
    for target in made:
        db.execute(f"DROP OWNED BY {target.user}")
        db.execute(f"DROP ROLE {target.user}")


def _refused(connection, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


def test_a_writer_delivers_events_also_of_months_without_partitions(db, users):
    writer, _ = users
    segment = (
        Segment()
        .start("a")
        .end("a")
        .step("a", "s")
        .add("http_call", endpoint="e", method="GET", duration_us=1)
    )
    segment.end("b", at_us=NOON_US + 200 * 86_400_000_000).start("c").close().deliver(writer)

    assert db.execute("SELECT count(*) FROM crossbridge.tests").fetchone() == (3,)


def test_a_writer_may_ask_for_the_version(users):
    writer, _ = users

    assert schema_version(writer) == LATEST
    assert migrate(writer) == []


def test_a_writer_can_do_nothing_else(db, users):
    writer, _ = users
    Segment().end("a").deliver(writer)

    tables = [name for (name,) in db.execute(TABLES).fetchall()]
    assert len(tables) > 20
    for table in tables:
        if table != "schema_migrations":
            _refused(writer, f"SELECT FROM crossbridge.{table}")
        _refused(writer, f"DELETE FROM crossbridge.{table}")
        _refused(writer, f"INSERT INTO crossbridge.{table} DEFAULT VALUES")
        _refused(writer, f"TRUNCATE crossbridge.{table}")
    functions = db.execute(
        """SELECT p.oid::regprocedure::text FROM pg_proc AS p
            WHERE p.pronamespace = 'crossbridge'::regnamespace AND p.proname <> 'ingest'
              AND has_function_privilege(%s, p.oid, 'EXECUTE')""",
        (writer.info.user,),
    ).fetchall()
    assert functions == []
    _refused(writer, "CREATE TABLE crossbridge.mine ()")


def test_a_writers_search_path_does_not_lead_ingest_astray(db, users):
    writer, _ = users
    db.execute(f"CREATE SCHEMA evil AUTHORIZATION {writer.info.user}")
    writer.execute(
        "CREATE FUNCTION evil.to_timestamp(double precision) RETURNS timestamptz LANGUAGE sql AS"
        " $$ SELECT timestamptz '2026-11-01' $$"
    )
    writer.execute("SET search_path = evil, pg_catalog")
    assert writer.execute("SELECT to_timestamp(0) > '2026-01-01'").fetchone() == (True,)

    Segment().end("a", at_us=NOON_US).deliver(writer)

    assert db.execute("SELECT created_at::text FROM crossbridge.tests").fetchone() == (
        "2026-11-17 12:00:00+00",
    )


def test_a_reader_looks_at_everything_also_at_what_comes_later(db, users):
    _, reader = users
    Segment().end("a", at_us=NOON_US + 400 * 86_400_000_000).deliver(db)

    for (table,) in db.execute(TABLES).fetchall():
        reader.execute(f"SELECT FROM crossbridge.{table}")
    assert reader.execute(
        "SELECT crossbridge.hist_percentile((h).lo, (h).cnt, 0.5) > 0"
        " FROM (SELECT crossbridge.hist_sum(lo, cnt) AS h FROM crossbridge.hist_day) AS x"
    ).fetchone() == (True,)


def test_a_reader_changes_nothing(db, users):
    _, reader = users
    Segment().end("a").deliver(db)

    for (table,) in db.execute(TABLES).fetchall():
        for statement in ("DELETE FROM", "TRUNCATE", "DROP TABLE"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(f"{statement} crossbridge.{table}")
    _refused(reader, "SELECT crossbridge.ingest(NULL, NULL, 0, 0, '[]')")


def test_nobody_else_can_do_anything(db, migrated):
    db.execute("CREATE ROLE outsider LOGIN PASSWORD 'pw'")
    try:
        grant_roles(db, migrated)
        with connect(replace(migrated, user="outsider", password="pw")) as outsider:
            _refused(outsider, "SELECT FROM crossbridge.tests")
            _refused(outsider, "SELECT crossbridge.ingest(NULL, NULL, 0, 0, '[]')")
    finally:
        db.execute("DROP ROLE outsider")


def test_roles_made_for_another_database_are_taken(db, migrated):
    for _ in range(2):
        grant_roles(db, migrated)


def test_a_user_that_is_not_there_is_told_and_nobody_is_let_in(db, migrated):
    with pytest.raises(UsageError, match="no database user 'nobody there'"):
        grant_roles(db, migrated, writers=["nobody there"])


def test_without_a_schema_the_mend_is_told(database):
    with connect(database) as connection, pytest.raises(SchemaError, match="db migrate"):
        grant_roles(connection, database)


def test_a_user_who_may_not_is_told(db, migrated):
    grant_roles(db, migrated)
    db.execute("CREATE ROLE plain LOGIN PASSWORD 'pw'")
    plain = replace(migrated, user="plain", password="pw")
    try:
        with connect(plain) as connection, pytest.raises(DatabaseError, match="plain may not set up roles"):
            grant_roles(connection, plain)
    finally:
        db.execute("DROP ROLE plain")
