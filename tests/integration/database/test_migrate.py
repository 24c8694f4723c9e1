from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from crossbridge.database.connection import connect
from crossbridge.database.migrate import LATEST, migrate, migrations, schema_version
from crossbridge.errors import DatabaseError, SchemaError
from support.feed import Segment

PROCESSES = 20


def test_an_empty_database_gets_all_versions_in_order(database):
    assert migrate(database) == list(range(1, LATEST + 1))

    with connect(database) as connection:
        assert schema_version(connection) == LATEST
        ledger = connection.execute(
            "SELECT version, name FROM crossbridge.schema_migrations ORDER BY 1"
        ).fetchall()
        Segment().end("a").deliver(connection)
    assert ledger == [(step.version, step.name) for step in migrations()]


def test_a_schema_of_this_release_is_left_alone(migrated):
    assert migrate(migrated) == []


def test_a_database_without_schema_is_at_version_0(database):
    with connect(database) as connection:
        assert schema_version(connection) == 0


def test_twenty_processes_at_once_apply_each_version_once(database):
    # Each waits for the line on its standard input, so that they start together.
    program = (
        "import sys; from crossbridge.database.migrate import migrate; from crossbridge.database.target import Target;"
        f" target = Target({database.host!r}, {database.port}, {database.dbname!r}, {database.user!r},"
        f" sys.stdin.readline().strip(), {database.sslmode!r}); print(*migrate(target))"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    for process in processes:
        process.stdin.write(f"{database.password}\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=120) for process in processes]

    assert [process.returncode for process in processes] == [0] * PROCESSES, [
        err for _, err in answers if err
    ]
    applied = sorted(int(version) for out, _ in answers for version in out.split())
    assert applied == list(range(1, LATEST + 1))


def test_a_version_that_fails_leaves_nothing_behind(database, monkeypatch):
    broken = migrations()[0]._replace(sql=b"CREATE TABLE crossbridge.half (); SELECT 1 / 0")
    monkeypatch.setattr("crossbridge.database.migrate.migrations", lambda: [broken])

    with pytest.raises(DatabaseError):
        migrate(database)

    with connect(database) as connection:
        assert schema_version(connection) == 0
        assert connection.execute("SELECT to_regnamespace('crossbridge')").fetchone() == (None,)


def test_a_newer_schema_is_refused(migrated):
    with connect(migrated) as connection:
        connection.execute("INSERT INTO crossbridge.schema_migrations VALUES (%s, 'later')", (LATEST + 2,))

    with pytest.raises(
        SchemaError, match=rf"at version {LATEST + 2}, this release of crossbridge knows {LATEST}.*pip"
    ):
        migrate(migrated)


@pytest.fixture
def stranger(database):
    """A user that may log in and nothing else."""
    with connect(database) as admin:
        admin.execute("DROP ROLE IF EXISTS stranger")
        admin.execute("CREATE ROLE stranger LOGIN PASSWORD 'pw'")
        yield replace(database, user="stranger", password="pw")
        admin.execute("DROP OWNED BY stranger CASCADE")
        admin.execute("DROP ROLE stranger")


def test_a_user_who_may_not_make_a_schema_is_told(stranger):
    with pytest.raises(SchemaError, match=r"stranger may not change the schema.*as its owner"):
        migrate(stranger)


def test_a_schema_made_beforehand_needs_no_right_to_make_one(database, stranger):
    with connect(database) as admin:
        admin.execute("CREATE SCHEMA crossbridge AUTHORIZATION stranger")

    assert migrate(stranger)[-1] == LATEST
    with connect(stranger) as connection:
        Segment().end("a").deliver(connection)


def test_a_user_who_may_not_look_into_the_schema_is_told(migrated):
    with connect(migrated) as admin:
        admin.execute("CREATE ROLE blind LOGIN PASSWORD 'pw'")
        try:
            with pytest.raises(SchemaError, match="blind may not change the schema"):
                migrate(replace(migrated, user="blind", password="pw"))
        finally:
            admin.execute("DROP ROLE blind")


def test_a_read_only_database_is_told(database):
    with connect(database) as connection:
        connection.execute(f"ALTER DATABASE {database.dbname} SET default_transaction_read_only = on")

    with pytest.raises(DatabaseError, match="is read-only"):
        migrate(database)


def test_a_database_not_in_utf8_is_told(database):
    with connect(database) as admin:
        admin.execute(
            f"CREATE DATABASE {database.dbname}_latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        )
    latin = replace(database, dbname=f"{database.dbname}_latin")

    with pytest.raises(SchemaError, match="encoded in LATIN1"):
        migrate(latin)

    with connect(database) as admin:
        admin.execute(f"DROP DATABASE {latin.dbname} WITH (FORCE)")


def test_versions_are_numbered_without_gaps():
    assert [step.version for step in migrations()] == list(range(1, LATEST + 1))
