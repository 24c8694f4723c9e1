from __future__ import annotations

import re
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from crossbridge.analysis.flaky import flaky_tests
from crossbridge.analysis.scope import Scope
from crossbridge.database.connection import connect
from crossbridge.database.migrate import LATEST, Migration, functions, migrate, migrations, schema_version
from crossbridge.errors import DatabaseError, SchemaError
from support.feed import Segment
from support.history import History
from support.rollups import differences, rows_rolled_up

PROCESSES = 20
# Functions, views and triggers, with who may call the functions.
# Rights but those of the reader, a role of the whole server: another test may make it meanwhile.
DEFINITIONS = """
    SELECT p.oid::regprocedure::text, pg_get_functiondef(p.oid),
           ARRAY(SELECT a::text FROM unnest(p.proacl) AS a WHERE a::text NOT LIKE 'crossbridge_reader=%')::text
      FROM pg_proc AS p WHERE p.pronamespace = 'crossbridge'::regnamespace AND p.prokind <> 'a'
     UNION ALL
    SELECT tgname, pg_get_triggerdef(oid), NULL FROM pg_trigger WHERE NOT tgisinternal
     UNION ALL
    SELECT viewname, definition, NULL FROM pg_views WHERE schemaname = 'crossbridge'
     ORDER BY 1
"""


ALL = [step.version for step in migrations()]
FIRST = ALL[0]


def test_an_empty_database_gets_all_versions_in_order(database):
    assert migrate(database) == ALL

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
    # Each is connected before any begins.
    program = (
        "import sys; from crossbridge.database.connection import connect;"
        " from crossbridge.database.migrate import migrate; from crossbridge.database.target import Target;"
        f" connection = connect(Target({database.host!r}, {database.port}, {database.dbname!r}, {database.user!r},"
        f" sys.stdin.readline().strip(), {database.sslmode!r}));"
        " print('ready', flush=True); sys.stdin.readline(); print(*migrate(connection))"
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
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * PROCESSES
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=120) for process in processes]

    assert [process.returncode for process in processes] == [0] * PROCESSES, [
        err for _, err in answers if err
    ]
    applied = sorted(int(version) for out, _ in answers for version in out.split())
    assert applied == ALL


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


def test_a_schema_older_than_the_first_release_is_refused(migrated):
    with connect(migrated) as connection:
        connection.execute("DELETE FROM crossbridge.schema_migrations")
        connection.execute("INSERT INTO crossbridge.schema_migrations VALUES (%s, 'earlier')", (FIRST - 1,))

        with pytest.raises(
            SchemaError, match=rf"at version {FIRST - 1}, older than the first release's, {FIRST}\..*db init"
        ):
            migrate(connection)


LATER = Migration(LATEST + 1, "later", b"DROP FUNCTION crossbridge.merge_names(text, text[])")


def test_a_schema_of_the_release_before_gets_the_new_version_and_all_functions(migrated, monkeypatch):
    """So does one whose functions differ, in a transaction with the last version."""
    with connect(migrated) as connection:
        before = connection.execute(DEFINITIONS).fetchall()
        connection.execute(
            "CREATE OR REPLACE FUNCTION crossbridge.hist_bin(duration_us bigint) RETURNS integer LANGUAGE sql AS 'SELECT 7';"
            " DROP TRIGGER add_run_to_version ON crossbridge.runs; DROP VIEW crossbridge.run_choices"
        )
    monkeypatch.setattr("crossbridge.database.migrate.migrations", lambda: [*migrations(), LATER])
    monkeypatch.setattr("crossbridge.database.migrate.LATEST", LATER.version)

    assert migrate(migrated) == [LATER.version]

    with connect(migrated) as connection:
        assert connection.execute(DEFINITIONS).fetchall() == before
        assert schema_version(connection) == LATER.version


def test_tests_that_failed_under_schema_16_are_found_by_test_and_told_flaky(migrated):
    with connect(migrated) as connection:
        history = History(connection)
        history.run(("t", "failed", "passed"), ("u", "failed"))
        connection.execute(
            "DROP TABLE crossbridge.rollup_test_week, crossbridge.rolled_weeks;"
            "DROP INDEX crossbridge.troubles_test_key, crossbridge.tests_created_at_brin;"
            "DELETE FROM crossbridge.schema_migrations WHERE version > 16"
        )

    assert migrate(migrated) == [version for version in ALL if version > 16]

    with connect(migrated) as connection:
        (found,) = flaky_tests(connection, Scope(history.ago(days=1)))
        assert (found.test_id, found.retried_runs) == ("t", 1)
        connection.execute("SET enable_seqscan = off")
        plan = connection.execute("EXPLAIN SELECT * FROM crossbridge.troubles WHERE test_key = 1").fetchone()
    assert "using troubles_test_key" in plan[0]


def test_versions_of_an_upgrade_are_committed_one_by_one(migrated, monkeypatch):
    broken = Migration(LATER.version + 1, "broken", b"SELECT 1 / 0")
    monkeypatch.setattr("crossbridge.database.migrate.migrations", lambda: [*migrations(), LATER, broken])
    monkeypatch.setattr("crossbridge.database.migrate.LATEST", broken.version)

    with pytest.raises(DatabaseError, match="division by zero"):
        migrate(migrated)

    with connect(migrated) as connection:
        assert schema_version(connection) == LATER.version
        # Functions come with the last version alone.
        assert connection.execute("SELECT to_regproc('crossbridge.merge_names')").fetchone() == (None,)


def test_events_arrive_while_versions_are_applied(migrated, monkeypatch):
    """A migration takes tables in another order than ingest does, and neither fails."""
    rounds = [
        Migration(
            LATEST + number, "later", b"ALTER TABLE crossbridge.tests ADD COLUMN extra_%d integer" % number
        )
        for number in range(1, 5)
    ]
    known, delivered, done, failures = migrations(), threading.Semaphore(0), threading.Event(), []

    def write():
        try:
            with connect(migrated) as connection:
                while not done.is_set():
                    Segment().start("a").end("a").step("a", "s").close().deliver(connection)
                    delivered.release()
        except BaseException as error:
            failures.append(error)

    writers = [threading.Thread(target=write) for _ in range(3)]
    for writer in writers:
        writer.start()
    try:
        for number, step in enumerate(rounds, 1):
            later = [*known, *rounds[:number]]
            monkeypatch.setattr("crossbridge.database.migrate.migrations", lambda later=later: later)
            monkeypatch.setattr("crossbridge.database.migrate.LATEST", step.version)
            for _ in range(3 * len(writers)):  # all of them are at it
                assert delivered.acquire(timeout=20), failures
            while delivered.acquire(blocking=False):
                pass
            assert migrate(migrated) == [step.version]
    finally:
        done.set()
        for writer in writers:
            writer.join()

    assert failures == []
    with connect(migrated) as connection:
        assert rows_rolled_up(connection) > 0
        assert differences(connection) == {}


def test_every_function_is_checked_by_the_server(migrated):
    """They are made without it, because they call each other in any order."""
    unchecked, checked = b"SET LOCAL check_function_bodies = off;", b"SET LOCAL check_function_bodies = on;"
    assert functions().startswith(unchecked)

    with connect(migrated) as connection, connection.transaction():
        connection.execute(functions().replace(unchecked, checked))


def test_every_function_stands_once(migrated):
    """What is defined twice would be in the database as the file that comes last has it."""
    made = [
        name
        for text in (*(step.sql for step in migrations()), functions())
        for name in re.findall(
            rb"^CREATE (?:OR REPLACE )?(?:FUNCTION|AGGREGATE|VIEW) crossbridge\.(\w+(?:\(numeric\))?)",
            text,
            re.MULTILINE,
        )
    ]
    with connect(migrated) as connection:
        (there,) = connection.execute(
            """SELECT (SELECT count(*) FROM pg_proc WHERE pronamespace = 'crossbridge'::regnamespace)
                      + (SELECT count(*) FROM pg_views WHERE schemaname = 'crossbridge')"""
        ).fetchone()
    assert len(made) == len(set(made)) == there


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
    assert list(range(FIRST, LATEST + 1)) == ALL
