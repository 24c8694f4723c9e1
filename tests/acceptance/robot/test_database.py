"""From `robot` and `pabot` to rows in PostgreSQL, by the shipper that the run itself starts."""

from __future__ import annotations

import os
import signal

import psycopg
import pytest

from support.cli import run_cli
from support.postgres import db_environment
from support.pytest_runs import clean_environ
from support.robot_runs import EXAMPLE, LISTENER, ROBOT
from support.waiting import until

TESTS = "SELECT test_id, status, framework, attempt, worker FROM crossbridge.tests ORDER BY started_at"


@pytest.fixture
def environ(migrated):
    """What leads the example's runs to a database of this test's own."""
    return db_environment(migrated) | {
        "CROSSBRIDGE_PROFILING_BACKEND": "postgres",
        "CROSSBRIDGE_DRAIN_TIMEOUT": "30",
    }


@pytest.fixture
def connection(migrated):
    with psycopg.connect(**migrated.parameters(), autocommit=True) as connection:
        yield connection


def test_run_is_in_the_database_when_robot_ends(example, environ, connection):
    run = example.run(*ROBOT, "tests", environ=environ)
    assert run.returncode == 5
    assert f"{len(run.of_type('test_end'))} kept" not in run.line
    assert "delivered to" in run.line
    rows = connection.execute(TESTS).fetchall()
    assert {row[0]: row[1] for row in rows} == EXAMPLE
    assert {row[2:] for row in rows} == {("robot", 1, None)}
    assert connection.execute("SELECT status, framework FROM crossbridge.runs").fetchall() == [
        ("failed", "robot")
    ]
    steps = connection.execute(
        "SELECT step_name, depth, event_type, status FROM crossbridge.steps WHERE test_id = %s ORDER BY step_index",
        ["Tests.Steps.Nested Steps"],
    ).fetchall()
    assert len(steps) == 15
    assert steps[1] == ("Log In As ${user} With ${password}", 0, "keyword", "passed")
    assert steps[4] == ("ITERATION", 1, "control", "passed")


def test_pabot_is_one_run_in_the_database(example, environ, connection):
    command = ("pabot.pabot", "--processes", "2", "--outputdir", "results", "--listener", LISTENER, "tests")
    example.run(*command, environ=environ)
    until(lambda: connection.execute("SELECT count(*) FROM crossbridge.tests").fetchone() == (13,))
    until(lambda: connection.execute("SELECT status FROM crossbridge.runs").fetchall() == [("failed",)])
    rows = connection.execute(TESTS).fetchall()
    assert {row[0]: row[1] for row in rows} == EXAMPLE
    assert {row[4] for row in rows} == {"pabot0", "pabot1"}


def test_retries_are_rows_of_their_own(example, environ, connection):
    example.run(*ROBOT, "--listener", "RetryFailed:1", "--test", "Flaky", "tests", environ=environ)
    rows = connection.execute(TESTS).fetchall()
    assert [(row[1], row[3]) for row in rows] == [("failed", 1), ("passed", 2)]


def test_killed_run_shows_the_running_test_as_interrupted(example, environ, connection):
    process = example.start(*ROBOT, "--suite", "Steps", "tests", environ=environ)
    example.wait_for(process, '"step_name":"Shop.Pay Slowly"')
    os.kill(process.pid, signal.SIGSTOP)
    in_flight = "SELECT test_id FROM crossbridge.in_flight WHERE step_name = 'Shop.Pay Slowly'"
    until(lambda: connection.execute(in_flight).fetchall())
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    until(lambda: connection.execute("SELECT status FROM crossbridge.runs").fetchall() == [("interrupted",)])
    rows = connection.execute(TESTS).fetchall()
    assert {row[0]: row[1] for row in rows} == {
        "Tests.Steps.Nested Steps": "passed",
        "Tests.Steps.Slow": "interrupted",
    }


def test_run_without_a_database_is_ingested_later(example, environ, connection):
    example.run(*ROBOT, "tests", environ=environ | {"CROSSBRIDGE_PROFILING_BACKEND": "none"})
    assert connection.execute("SELECT count(*) FROM crossbridge.tests").fetchone() == (0,)
    done = run_cli("ingest", cwd=example.folder, env=clean_environ(**environ))
    assert done.returncode == 0, done.stderr
    assert {row[0]: row[1] for row in connection.execute(TESTS)} == EXAMPLE
