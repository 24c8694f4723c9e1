"""A run that is killed, in PostgreSQL; runs that come to their end are tests/conformance's."""

from __future__ import annotations

import os
import signal

import psycopg
import pytest

from support.postgres import db_environment
from support.robot_runs import ROBOT
from support.waiting import until

TESTS = "SELECT test_id, status FROM crossbridge.tests"


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


def test_killed_run_shows_the_running_test_as_interrupted(example, environ, connection):
    process = example.start(*ROBOT, "--suite", "Steps", "tests", environ=environ)
    example.wait_for(process, '"step_name":"Shop.Pay Slowly"')
    os.kill(process.pid, signal.SIGSTOP)
    in_flight = "SELECT test_id FROM crossbridge.in_flight WHERE step_name = 'Shop.Pay Slowly'"
    until(lambda: connection.execute(in_flight).fetchall())
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    until(lambda: connection.execute("SELECT status FROM crossbridge.runs").fetchall() == [("interrupted",)])
    assert dict(connection.execute(TESTS)) == {
        "Tests.Steps.Nested Steps": "passed",
        "Tests.Steps.Slow": "interrupted",
    }
