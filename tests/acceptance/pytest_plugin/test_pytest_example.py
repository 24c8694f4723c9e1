"""examples/pytest: every scenario of the conformance list, in a real database, without an edit."""

from __future__ import annotations

import os
import shutil
import signal

import psycopg
import pytest

from support.postgres import db_environment
from support.pytest_runs import REPO, Project
from support.waiting import until

PARAMETRISED = "tests/test_parametrised.py::test_parametrised"
EXPECTED = {
    ("tests/test_outcomes.py::test_passes", 1): "passed",
    ("tests/test_outcomes.py::test_fails", 1): "failed",
    ("tests/test_outcomes.py::test_errors_in_setup", 1): "error",
    ("tests/test_outcomes.py::test_errors_in_teardown", 1): "error",
    ("tests/test_outcomes.py::test_skipped", 1): "skipped",
    ("tests/test_outcomes.py::test_fails_as_expected", 1): "xfailed",
    ("tests/test_outcomes.py::test_passes_unexpectedly", 1): "xpassed",
    (f"{PARAMETRISED}[tea]", 1): "passed",
    (f"{PARAMETRISED}[gr\\xf6\\xdfe \\U0001f389]", 1): "passed",
    (f"{PARAMETRISED}[1/2 l]", 1): "passed",
    (f"{PARAMETRISED}['single' \"double\"]", 1): "passed",
    (f"{PARAMETRISED}[a::b[0]]", 1): "passed",
    (f"{PARAMETRISED}[back\\\\slash]", 1): "passed",
    ("tests/test_http.py::test_http_calls", 1): "passed",
    ("tests/test_flaky.py::test_flaky", 1): "failed",
    ("tests/test_flaky.py::test_flaky", 2): "passed",
    ("tests/test_steps.py::test_nested_steps", 1): "passed",
    ("tests/test_steps.py::test_subtests", 1): "passed",
    ("tests/test_slow.py::test_slow", 1): "passed",
}
STEPS = [
    ("test_nested_steps", "fill the cart", 0, 0, "step"),
    ("test_nested_steps", "add tea", 1, 1, "step"),
    ("test_nested_steps", "add coffee", 2, 1, "step"),
    ("test_nested_steps", "check", 3, 0, "step"),
    ("test_subtests", "add (number=1)", 0, 0, "subtest"),
    ("test_subtests", "add (number=2)", 1, 0, "subtest"),
]


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


@pytest.mark.parametrize("workers", ["0", "2"])
def test_every_scenario_is_in_the_database_when_pytest_ends(example, environ, connection, workers):
    run = example.pytest("-n", workers, environ=environ)
    assert run.returncode == 1
    rows = connection.execute(
        "SELECT test_id, attempt, status, worker, duration_us FROM crossbridge.tests"
    ).fetchall()
    assert len(rows) == len(EXPECTED)
    assert {row[:2]: row[2] for row in rows} == EXPECTED
    assert {row[3] for row in rows} == ({"gw0", "gw1"} if workers == "2" else {None})
    assert all(row[4] > 1_000_000 for row in rows if row[0].endswith("::test_slow"))
    steps = connection.execute(
        "SELECT split_part(test_id, '::', 2), step_name, step_index, depth, event_type FROM crossbridge.steps "
        "WHERE status = 'passed' ORDER BY test_id, step_index"
    ).fetchall()
    assert steps == STEPS
    assert connection.execute("SELECT status FROM crossbridge.runs").fetchall() == [("failed",)]


def test_a_slow_test_is_seen_while_it_runs(example, environ, connection):
    process = example.start("tests/test_slow.py", environ=environ)
    until(
        lambda: connection.execute(
            "SELECT 1 FROM crossbridge.in_flight WHERE test_id LIKE '%::test_slow'"
        ).fetchall()
    )
    assert process.poll() is None
    process.communicate(timeout=60)


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_killed_run_has_its_running_test_interrupted(example, environ, connection, workers):
    process = example.start("killed", "-n", workers, environ=environ)
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
