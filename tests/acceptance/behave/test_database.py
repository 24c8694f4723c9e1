"""From `behave` to rows in PostgreSQL, by the shipper that the run itself starts."""

from __future__ import annotations

import os
import signal

import psycopg
import pytest

from support.behave_runs import BEHAVE, EXAMPLE
from support.cli import run_cli
from support.postgres import db_environment
from support.pytest_runs import clean_environ
from support.waiting import until

TESTS = "SELECT test_id, attempt, status FROM crossbridge.tests ORDER BY started_at"


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


def test_run_is_in_the_database_when_behave_ends(example, environ, connection):
    run = example.run(*BEHAVE, environ=environ)
    assert run.returncode == 1
    assert "delivered to" in run.line
    assert connection.execute(TESTS).fetchall() == EXAMPLE
    assert connection.execute("SELECT status, framework FROM crossbridge.runs").fetchall() == [
        ("failed", "behave")
    ]
    steps = connection.execute(
        "SELECT step_name, depth, status FROM crossbridge.steps WHERE test_id = %s ORDER BY step_index",
        ["features/steps.feature::Nested Steps"],
    ).fetchall()
    assert steps[1:4] == [
        ('When I log in as "{user}" with "{password}"', 0, "passed"),
        ("And I add all of these", 0, "passed"),
        ('When I add "{item}"', 1, "passed"),
    ]


def test_killed_run_shows_the_running_scenario_as_interrupted(example, environ, connection):
    process = example.start(*BEHAVE, "features/steps.feature", environ=environ)
    example.wait_for(process, '"step_name":"When I pay slowly"')
    os.kill(process.pid, signal.SIGSTOP)
    in_flight = "SELECT test_id FROM crossbridge.in_flight WHERE step_name = 'When I pay slowly'"
    until(lambda: connection.execute(in_flight).fetchall())
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    until(lambda: connection.execute("SELECT status FROM crossbridge.runs").fetchall() == [("interrupted",)])
    assert connection.execute(TESTS).fetchall() == [
        ("features/steps.feature::Nested Steps", 1, "passed"),
        ("features/steps.feature::Slow", 1, "interrupted"),
    ]


def test_run_without_a_database_is_ingested_later(example, environ, connection):
    example.run(*BEHAVE, environ=environ | {"CROSSBRIDGE_PROFILING_BACKEND": "none"})
    done = run_cli("ingest", cwd=example.folder, env=clean_environ(**environ))
    assert done.returncode == 0, done.stderr
    assert connection.execute(TESTS).fetchall() == EXAMPLE
