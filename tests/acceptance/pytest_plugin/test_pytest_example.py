"""examples/pytest where runs, workers or databases die; its rows when nothing does are tests/conformance's."""

from __future__ import annotations

import os
import shutil
import signal

import psycopg
import pytest

from support.postgres import db_environment
from support.pytest_runs import REPO, Project
from support.waiting import until


@pytest.fixture
def example(tmp_path):
    left_overs = shutil.ignore_patterns(".crossbridge", ".pytest_cache", "__pycache__")
    return Project(shutil.copytree(REPO / "examples" / "pytest", tmp_path / "shop", ignore=left_overs))


@pytest.fixture
def environ(migrated):
    return db_environment(migrated) | {
        "CROSSBRIDGE_PROFILING_BACKEND": "postgres",
        "CROSSBRIDGE_DRAIN_TIMEOUT": "60",
    }


@pytest.fixture
def connection(migrated):
    with psycopg.connect(**migrated.parameters(), autocommit=True) as connection:
        yield connection


def test_a_killed_run_with_workers_has_its_running_test_interrupted(example, environ, connection):
    process = example.start("killed", "-n", "2", environ=environ)
    until(
        lambda: connection.execute(
            "SELECT 1 FROM crossbridge.in_flight WHERE test_id LIKE '%::test_killed'"
        ).fetchall(),
        60,
    )
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    until(
        lambda: connection.execute("SELECT status FROM crossbridge.runs").fetchall() == [("interrupted",)], 60
    )
    until(lambda: not connection.execute("SELECT 1 FROM crossbridge.in_flight").fetchall(), 60)
    rows = connection.execute("SELECT test_id, status FROM crossbridge.tests").fetchall()
    assert sorted(rows) == [
        ("killed/test_killed.py::test_before", "passed"),
        ("killed/test_killed.py::test_killed", "interrupted"),
    ]


def test_a_worker_that_dies_leaves_one_row_of_its_test(example, environ, connection):
    example.write("tests/test_dies.py", "import os\ndef test_dies(): os._exit(3)\ndef test_other(): pass")
    run = example.pytest("-n", "2", "tests/test_dies.py", environ=environ)
    assert run.returncode == 1
    until(lambda: connection.execute("SELECT status FROM crossbridge.runs").fetchall() == [("failed",)], 60)
    rows = connection.execute("SELECT test_id, status, worker FROM crossbridge.tests ORDER BY 1").fetchall()
    assert [row[:2] for row in rows] == [
        ("tests/test_dies.py::test_dies", "failed"),
        ("tests/test_dies.py::test_other", "passed"),
    ]
    assert rows[0][2] in {"gw0", "gw1"}
    assert connection.execute("SELECT count(*) FROM crossbridge.in_flight").fetchone() == (0,)


def test_without_a_database_the_events_are_kept_and_told(example):
    environ = {"CROSSBRIDGE_PROFILING_BACKEND": "postgres", "CROSSBRIDGE_DB_HOST": "127.0.0.1", "CROSSBRIDGE_DB_PORT": "1"}  # fmt: skip
    run = example.pytest("tests/test_outcomes.py", environ=environ)
    assert run.returncode == 1
    assert run.line.startswith("crossbridge: 14 events kept in .crossbridge/spool: ")
    assert "127.0.0.1:1" in run.line
    assert run.line.endswith("Deliver them with 'crossbridge ingest'.")
    assert len(run.ends) == 7


def test_without_an_embedded_server_the_events_are_kept_and_told(example, tmp_path):
    environ = {"CROSSBRIDGE_PROFILING_BACKEND": "local", "CROSSBRIDGE_DATA_DIR": str(tmp_path / "no_server")}
    run = example.pytest("tests/test_outcomes.py", environ=environ)
    assert run.line == (
        "crossbridge: 14 events kept in .crossbridge/spool: the embedded server is not running. "
        "'crossbridge report' delivers and shows them."
    )
