"""`crossbridge db ...` as people run it."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from uuid import uuid4

import pytest

from crossbridge.cli._text import counted
from crossbridge.database.connection import connect
from crossbridge.database.migrate import LATEST, migrations
from support.cli import run_cli
from support.feed import NOON_US, Segment
from support.postgres import db_environment

DAY_US = 86_400_000_000


@pytest.fixture
def db_command(database, tmp_path):
    """Run `crossbridge db ...` on a database, in an empty project."""

    def run(*args, target=database):
        return run_cli("db", *args, env=os.environ | db_environment(target), cwd=tmp_path)

    return run


def test_init_creates_database_schema_and_roles_and_may_be_repeated(database, db_command):
    target = replace(database, dbname=f"made_{uuid4().hex}")
    try:
        first, again = db_command("init", target=target), db_command("init", target=target)

        assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
        assert f"Created the database {target}" in first.stdout
        assert f"at version {LATEST}" in first.stdout
        assert "was there" in again.stdout
        assert "nothing to do" in again.stdout
        with connect(target) as connection:
            Segment().end("a").deliver(connection)
            assert connection.execute(
                "SELECT has_schema_privilege('crossbridge_reader', 'crossbridge', 'USAGE')"
            ).fetchone() == (True,)
    finally:
        with connect(database) as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {target.dbname} WITH (FORCE)")


def test_init_by_a_user_who_may_not_create_databases(database, db_command):
    name = f"modest_{uuid4().hex[:8]}"
    with connect(database) as admin:
        admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'pw'")
        try:
            done = db_command("init", target=replace(database, dbname="not_there", user=name, password="pw"))
        finally:
            admin.execute(f"DROP ROLE {name}")

    assert done.returncode == 3
    assert "may not create the database not_there" in done.stderr
    assert "Traceback" not in done.stderr


def test_migrate_tells_what_it_did(db_command):
    first, again = db_command("migrate"), db_command("migrate", "--json")

    assert f"at version {LATEST}: {counted(len(migrations()), 'migration')} applied" in first.stdout
    assert json.loads(again.stdout)["applied"] == []


def test_migrate_without_a_server(database, db_command):
    done = db_command("migrate", target=replace(database, port=1))

    assert done.returncode == 3
    assert "refused" in done.stderr
    assert str(database.password) not in done.stderr


def test_roles_lets_users_in(database, db_command):
    db_command("migrate")
    name = f"grafana_{uuid4().hex[:8]}"
    with connect(database) as admin:
        admin.execute(f"CREATE ROLE {name}")
        try:
            done = db_command("roles", "--reader", name)
            assert done.returncode == 0, done.stderr
            assert f"given to {name}" in done.stdout
            assert admin.execute(
                "SELECT pg_has_role(%s, 'crossbridge_reader', 'MEMBER')", (name,)
            ).fetchone() == (True,)
        finally:
            admin.execute(f"DROP ROLE {name}")


def test_roles_for_a_user_who_is_not_there(db_command):
    db_command("migrate")

    done = db_command("roles", "--writer", "nobody there")

    assert done.returncode == 2
    assert "no database user 'nobody there'" in done.stderr


def test_prune_tells_what_would_go_and_then_drops_it(migrated, db_command):
    with connect(migrated) as connection:
        Segment().end("old", at_us=NOON_US - 300 * DAY_US).end("new", at_us=NOON_US).deliver(connection)

    dry, wet = db_command("prune", "--keep", "90d", "--dry-run", target=migrated), None
    with connect(migrated) as connection:
        assert connection.execute("SELECT count(*) FROM crossbridge.tests").fetchone() == (2,)
    wet = db_command("prune", "--keep", "90d", target=migrated)

    assert "would drop 2026-01" in dry.stdout
    assert re.search(r"^Would drop 1 month, .* and forget 0 segments, of what", dry.stdout, re.MULTILINE)
    assert re.search(r"^Dropped 1 month, .* and forgot 0 segments, of what", wet.stdout, re.MULTILINE)
    with connect(migrated) as connection:
        assert connection.execute("SELECT test_id FROM crossbridge.tests").fetchall() == [("new",)]
    assert json.loads(db_command("prune", "--json", target=migrated).stdout)["months"] == []


@pytest.mark.parametrize("age", ["90", "3 moons", "0d", "-1d", ""])
def test_prune_wants_an_age(db_command, age):
    done = db_command("prune", f"--keep={age}")

    assert done.returncode == 2
    assert "90d, 12w or 2y" in done.stderr


def test_prune_without_a_schema(db_command):
    done = db_command("prune")

    assert done.returncode == 3
    assert "crossbridge db migrate" in done.stderr
