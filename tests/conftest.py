"""Fixtures for every test: a clean environment and real databases. Helpers are in tests/support."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from crossbridge.database.server import EmbeddedServer
from support.postgres import PostgresControl
from support.scratch import scratch_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from crossbridge.database.target import Target


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what runs in its background deaf to Ctrl-C, and so would be the runs that the tests interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _clear_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("CROSSBRIDGE_", "PG")):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    """A folder of the session for servers: one started by root runs as a user that cannot enter tmp_path."""
    with pytest.MonkeyPatch.context() as monkeypatch, scratch_folder() as folder:
        _clear_environment(monkeypatch)
        yield folder


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, scratch: Path) -> None:
    """No setting leaks in, and no test comes near the user's own server."""
    _clear_environment(monkeypatch)
    monkeypatch.setenv("CROSSBRIDGE_DATA_DIR", str(scratch / "default"))


@pytest.fixture(scope="session")
def server(scratch: Path) -> EmbeddedServer:
    """The session's embedded server, running."""
    # Hundreds of databases are made and dropped, and none need outlive a power cut.
    server = EmbeddedServer(scratch / "server", settings={"fsync": "off"})
    server.start()
    return server


@pytest.fixture
def database(server: EmbeddedServer) -> Iterator[Target]:
    """A fresh, empty database."""
    with _new_database(server) as target:
        yield target


@pytest.fixture
def migrated(server: EmbeddedServer, _template: str) -> Iterator[Target]:
    """A fresh database with the schema of this release."""
    with _new_database(server, template=_template) as target:
        yield target


@pytest.fixture
def postgres_control(scratch: Path) -> Iterator[PostgresControl]:
    """A running server of the test's own, to stop, kill and freeze (see its docstring)."""
    control = PostgresControl(scratch / f"control-{uuid4().hex[:8]}")
    yield control
    control.stop("immediate")


@pytest.fixture(scope="session")
def _template(server: EmbeddedServer) -> Iterator[str]:
    from crossbridge.database.migrate import migrate

    with _new_database(server) as target:
        migrate(target)
        yield str(target.dbname)


@contextmanager
def _new_database(server: EmbeddedServer, template: str = "template0") -> Iterator[Target]:
    maintenance = replace(server.start(), dbname="postgres")
    name = f"test_{uuid4().hex}"
    _execute(maintenance, "CREATE DATABASE {} TEMPLATE {}", name, template)
    yield replace(maintenance, dbname=name)
    _execute(maintenance, "DROP DATABASE {} WITH (FORCE)", name)


def _execute(target: Target, statement: str, *names: str) -> None:
    with psycopg.connect(**target.parameters(), autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
