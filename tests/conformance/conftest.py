from __future__ import annotations

import psycopg
import pytest

from crossbridge.database.migrate import migrate
from support.cli import run_cli
from support.conformance import FRAMEWORKS, Example
from support.conformance_rows import Store
from support.needs import give_up
from support.postgres import db_environment
from support.pytest_runs import clean_environ


@pytest.fixture(params=FRAMEWORKS, ids=lambda framework: framework.name)
def framework(request):
    """Each framework with a file of expected rows and everything it needs on this machine."""
    if missing := request.param.missing:
        give_up(f"{request.param.name} needs {', '.join(missing)}, not found on PATH")
    return request.param


@pytest.fixture(params=["postgres", "local"])
def store(request):
    """
    Where the rows go.

    With `postgres` the run's own shipper brings them; with `local` no server runs during the tests, and
    `crossbridge ingest` brings them to the embedded server.
    """
    return request.getfixturevalue(f"_{request.param}")


@pytest.fixture
def _postgres(migrated):
    environ = db_environment(migrated) | {
        "CROSSBRIDGE_PROFILING_BACKEND": "postgres",
        "CROSSBRIDGE_DRAIN_TIMEOUT": "60",
    }
    with psycopg.connect(**migrated.parameters(), autocommit=True) as connection:
        yield Store(connection, environ, deliver=lambda folder: None)


@pytest.fixture
def _local(server, scratch, tmp_path):
    target = server.start()
    migrate(target)
    local = {"CROSSBRIDGE_PROFILING_BACKEND": "local"}
    reading = clean_environ(**local, CROSSBRIDGE_DATA_DIR=str(scratch / "server"))

    def deliver(folder):
        done = run_cli("ingest", cwd=folder, env=reading)
        assert done.returncode == 0, done.stderr

    with psycopg.connect(**target.parameters(), autocommit=True) as connection:
        environ = local | {"CROSSBRIDGE_DATA_DIR": str(tmp_path / "no_server")}
        yield Store(connection, environ, deliver)


@pytest.fixture
def example(framework, store, tmp_path):
    """A copy of the framework's example whose rows go to `store`."""
    return Example(framework, tmp_path / "project", store)
