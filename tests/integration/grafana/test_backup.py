"""The guide's backup and restore, by its own commands: what comes back is what was there, and delivery goes on."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from crossbridge.database.connection import connect
from crossbridge.database.embedded.binaries import find_binaries
from crossbridge.database.migrate import migrate
from crossbridge.database.roles import grant_roles
from support.feed import Segment
from support.rollups import differences

GUIDE = Path(__file__).parents[3] / "grafana" / "GRAFANA_SETUP_GUIDE.md"
DUMP = "crossbridge.dump"


def commands(section):
    """The lines to type of a section of the guide: its first indented block, without what is said behind a #."""
    text = GUIDE.read_text().split(f"### {section}\n")[1]
    block = re.search(r"((?:^    .*\n)+)", text, re.MULTILINE)[1]
    return [re.sub(r"\s+# .*", "", line.strip()) for line in block.splitlines()]


def test_the_embedded_servers_programs_are_where_the_guide_looks_for_them():
    (line,) = re.findall(r"^    (export PATH=.*)$", GUIDE.read_text(), re.MULTILINE)
    found = find_binaries(None)
    assert found.from_wheel
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    answer = subprocess.run(
        ["sh", "-c", f"{line}; command -v pg_dump"],
        env={"PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(answer.stdout.strip()) == found.folder / "pg_dump"


@pytest.fixture
def typed(tmp_path):
    """Type a section's commands in a folder, with the environment that the guide says names the database."""

    def typed(section, target):
        environment = {
            "PGHOST": str(target.host),
            "PGPORT": str(target.port),
            "PGUSER": str(target.user),
            "PGPASSWORD": str(target.password),
            "PGDATABASE": str(target.dbname),
            "PATH": f"{find_binaries(None).folder}{os.pathsep}{os.environ['PATH']}",
        }
        for command in commands(section):
            answer = subprocess.run(
                ["sh", "-c", command],
                env=environment,
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
            )
            assert answer.returncode == 0, f"{command}: {answer.stderr}"

    return typed


@pytest.fixture
def backed_up(migrated, history, typed):
    """A database with a history, dumped while a segment was half delivered; yields it and that segment."""
    history.random_runs(12, days=60, seed=1)
    segment = Segment(
        at_us=history.runs[0].started_us, environment="ci", git_branch="main", framework="pytest"
    )
    segment.start("half").end("half").step("half", "a step").deliver(history.connection)
    with connect(migrated) as admin:
        grant_roles(admin, migrated)
    typed("Back up", migrated)
    return history.connection, segment


@pytest.fixture
def restored(backed_up, postgres_control, typed):
    """A connection to the same on a new server."""
    target = postgres_control.target
    with connect(replace(target, dbname="postgres")) as admin:
        admin.execute("DROP DATABASE crossbridge")  # `crossbridge up` has made it, empty
    typed("Restore", replace(target, dbname="postgres"))
    with psycopg.connect(**replace(target, dbname="crossbridge").parameters(), autocommit=True) as connection:
        yield connection


def contents(connection):
    """All rows of all tables, partitions by their parents."""
    tables = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'crossbridge'::regnamespace"
        " AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1"
    ).fetchall()
    return {
        table: connection.execute(f"SELECT t::text FROM crossbridge.{table} AS t ORDER BY 1").fetchall()
        for (table,) in tables
    }


def test_restored_database_holds_the_same(backed_up, restored):
    before, after = contents(backed_up[0]), contents(restored)

    assert len(before["tests"]) > 50
    assert len(before["rollup_hour"]) > 10
    assert after == before
    assert differences(restored) == {}
    assert migrate(restored) == []


def test_delivery_goes_on_exactly_once(backed_up, restored):
    source, segment = backed_up
    more = segment.start("more").end("more").close(collected=5)
    more.deliver(source)  # after the backup: the restored database has not seen it

    size = more.offsets[-1]
    answer = more.call(restored, size, size, [])
    assert answer == more.offsets[4]  # it tells where it stands, and the shipper goes back there
    for _ in range(2):
        more.call(restored, more.offsets[4], size, more.lines[4:])

    assert contents(restored).keys() == contents(source).keys()
    of_run = "SELECT test_id, attempt, status FROM crossbridge.tests WHERE run_id = %s ORDER BY 1"
    assert restored.execute(of_run, [more.run_id]).fetchall() == [
        ("half", 1, "passed"),
        ("more", 1, "passed"),
    ]
    assert differences(restored) == {}
    run = restored.execute(
        "SELECT status, tests, events_written, events_spooled FROM crossbridge.runs WHERE run_id = %s",
        [more.run_id],
    ).fetchone()
    assert run == ("passed", 2, 5, 0)


def test_new_runs_and_months_fit_in(backed_up, restored):
    Segment(at_us=1_924_992_000_000_000).start("of 2031").end("of 2031").close().deliver(restored)

    assert restored.execute(
        "SELECT count(*) FROM crossbridge.tests WHERE test_id = 'of 2031'"
    ).fetchone() == (1,)
    assert restored.execute("SELECT count(*) = count(DISTINCT id) FROM crossbridge.tests").fetchone() == (
        True,
    )


def test_rights_come_back(restored):
    restored.execute("CREATE ROLE shipper LOGIN PASSWORD 'x' IN ROLE crossbridge_writer")
    restored.execute("SET ROLE shipper")
    Segment().start("test_a").end("test_a").close().deliver(restored)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        restored.execute("SELECT crossbridge.month_of(0)")
    restored.execute("RESET ROLE")
    restored.execute("SET ROLE crossbridge_reader")
    assert restored.execute("SELECT count(*) FROM crossbridge.tests WHERE test_id = 'test_a'").fetchone() == (
        1,
    )
