"""Which database a reading command opens, and what it says when it cannot."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import psycopg
import pytest

from crossbridge.cli import _common
from crossbridge.database.migrate import FIRST, LATEST
from crossbridge.errors import DatabaseError
from crossbridge.profiling import spool
from crossbridge.profiling.config import load
from support.cli import run_cli

RECORD = """
from crossbridge.profiling.collector import MetricsCollector
collector = MetricsCollector.get_instance()
assert collector.start(framework="pytest")
collector.record_test_start("t")
collector.record_test_end("t", status="passed")
collector.shutdown(status="passed", timeout_s=0)
"""


def record(**variables):
    subprocess.run(
        [sys.executable, "-c", RECORD],
        env={
            **os.environ,
            "CROSSBRIDGE_PROFILING": "true",
            "CROSSBRIDGE_PROFILING_BACKEND": "none",
            **variables,
        },
        check=True,
        timeout=60,
    )


@pytest.fixture
def laptop(tmp_path, scratch, monkeypatch):
    """A project on a machine without a server of its own."""
    monkeypatch.setenv("CROSSBRIDGE_DATA_DIR", str(scratch / "laptop"))
    (tmp_path / ".crossbridge").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_on_a_laptop_reading_starts_the_server_and_delivers_the_spool_first(laptop):
    record()
    record()
    answer = run_cli("runs", "--json")
    assert (answer.returncode, answer.stderr) == (0, "")
    runs = json.loads(answer.stdout)["runs"]
    assert [(run["passed"], run["status"]) for run in runs] == [(1, "passed")] * 2
    assert list(laptop.rglob("*.jsonl")) == []
    assert len(json.loads(run_cli("runs", "--json").stdout)["runs"]) == 2


def test_a_spool_that_cannot_be_delivered_does_not_keep_from_reading(laptop, monkeypatch, capsys):
    def refuse(*_args, **_options):
        raise DatabaseError("the database is full")

    record()
    monkeypatch.setattr(spool, "deliver_spool", refuse)
    with _common.open_database(load()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert capsys.readouterr().err == "crossbridge: not all of the spool is delivered: the database is full\n"


def test_with_a_server_the_spool_is_left_to_its_shipper_and_told_of(project, history):
    record()
    answer = run_cli("runs", "--json")
    assert json.loads(answer.stdout)["runs"] == []
    assert answer.stderr == (
        "crossbridge: 1 segment waits in .crossbridge/spool, not delivered yet. Deliver with 'crossbridge ingest'.\n"
    )


def test_reading_is_one_look_that_changes_nothing(project, history):
    history.run(("t", "passed"))
    with _common.open_database(load()) as connection:
        count = "SELECT count(*) FROM crossbridge.runs"
        assert connection.execute(count).fetchone() == (1,)
        history.run(("t", "passed"))
        assert connection.execute(count).fetchone() == (1,)
        with pytest.raises(DatabaseError, match="read-only"), _common.open_database(load()) as another:
            another.execute("DELETE FROM crossbridge.runs")


@pytest.mark.parametrize("command", ["runs", "report", "slowest", "flaky", "verify"])
def test_a_database_without_the_schema_is_told_in_one_line(project, migrated, command):
    with psycopg.connect(**migrated.parameters(), autocommit=True) as connection:
        connection.execute("DROP SCHEMA crossbridge CASCADE")
    answer = run_cli(command)
    assert (answer.returncode, answer.stdout) == (3, "")
    assert answer.stderr == (
        f"crossbridge: there is no schema crossbridge in {migrated}. Make it with 'crossbridge db init'.\n"
    )


def test_an_old_schema_and_a_newer_one(project, history):
    history.connection.execute("INSERT INTO crossbridge.schema_migrations VALUES (9999, 'later')")
    assert run_cli("runs").returncode == 0
    history.connection.execute("DELETE FROM crossbridge.schema_migrations WHERE version > %s", (FIRST,))
    answer = run_cli("runs")
    assert answer.returncode == 3
    assert (
        f"is at version {FIRST}, this release reads {LATEST}. Run 'crossbridge db migrate'.\n"
        in answer.stderr
    )
    history.connection.execute("UPDATE crossbridge.schema_migrations SET version = %s", (FIRST - 1,))
    answer = run_cli("runs")
    assert answer.returncode == 3
    assert (
        f"is at version {FIRST - 1}, this release reads {LATEST}. Nothing updates it. Make a" in answer.stderr
    )


def test_a_role_that_may_not_read_is_told_in_one_line(project, history, monkeypatch):
    role = f"writer_only_{os.getpid()}"
    history.connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'only for this test'")
    monkeypatch.setenv("CROSSBRIDGE_DB_USER", role)
    monkeypatch.setenv("CROSSBRIDGE_DB_PASSWORD", "only for this test")
    try:
        history.connection.execute(f"GRANT USAGE ON SCHEMA crossbridge TO {role}")
        answer = run_cli("report")
        assert (answer.returncode, answer.stderr.count("\n")) == (3, 1)
        assert "permission denied" in answer.stderr
        assert "only for this test" not in answer.stderr
    finally:
        history.connection.execute(f"DROP OWNED BY {role}")
        history.connection.execute(f"DROP ROLE {role}")


def test_a_reader_made_by_db_roles_may_run_every_reading_command(project, history, monkeypatch):
    role = f"reader_only_{os.getpid()}"
    history.run(("t", "failed", "passed"), hours_ago=60)
    history.run(("t", "passed"))
    history.connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'only for this test'")
    try:
        assert run_cli("db", "roles", "--reader", role).returncode == 0
        monkeypatch.setenv("CROSSBRIDGE_DB_USER", role)
        monkeypatch.setenv("CROSSBRIDGE_DB_PASSWORD", "only for this test")
        for command in ("runs", "report", "report --since 7d", "slowest", "flaky", "verify", "doctor"):
            answer = run_cli(*command.split())
            assert (answer.returncode, answer.stderr) == (0, ""), command
            assert answer.stdout
    finally:
        history.connection.execute(f"DROP OWNED BY {role}")
        history.connection.execute(f"DROP ROLE {role}")


def test_a_server_that_is_not_there_is_told_in_one_line(project, monkeypatch):
    monkeypatch.setenv("CROSSBRIDGE_DB_PORT", "1")
    answer = run_cli("report")
    assert (answer.returncode, answer.stdout, answer.stderr.count("\n")) == (3, "", 1)
    assert answer.stderr.startswith("crossbridge: database unreachable at 127.0.0.1:1/")


def test_no_server_to_start_names_both_ways_out(laptop, monkeypatch):
    monkeypatch.setenv("CROSSBRIDGE_DATA_DIR", "/dev/null/nowhere")
    answer = run_cli("runs")
    assert (answer.returncode, answer.stderr.count("\n")) == (3, 1)
    assert "CROSSBRIDGE_DATA_DIR" in answer.stderr
    assert "CROSSBRIDGE_DB_HOST" in answer.stderr
