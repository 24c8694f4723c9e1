"""A run that is killed, in PostgreSQL; runs that come to their end are tests/conformance's."""

from __future__ import annotations

import os
import signal

import psycopg
import pytest

from support.behave_runs import BEHAVE
from support.postgres import db_environment
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
