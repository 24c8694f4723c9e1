from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from psycopg.rows import dict_row

from crossbridge.database.connection import connect
from crossbridge.database.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg

    from crossbridge.database.server import EmbeddedServer
    from crossbridge.database.target import Target

    Rows = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def db(migrated: Target) -> Iterator[psycopg.Connection[Any]]:
    """A connection to a fresh database of this release."""
    with connect(migrated) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        yield connection


@pytest.fixture(scope="module")
def shared_db(server: EmbeddedServer) -> Iterator[psycopg.Connection[Any]]:
    """One database for all tests of a module: for those that look at nothing but their own run."""
    name = f"test_{uuid4().hex}"
    maintenance = replace(server.start(), dbname="postgres")
    with connect(maintenance) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        target = replace(maintenance, dbname=name)
        migrate(target)
        with connect(target) as connection:
            yield connection
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def rows(db: psycopg.Connection[Any]) -> Rows:
    """Rows of a query as dictionaries."""

    def fetch(query: str, *parameters: Any) -> list[dict[str, Any]]:
        with db.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query, parameters or None).fetchall()

    return fetch


@pytest.fixture
def one(rows: Rows) -> Callable[..., dict[str, Any]]:
    """The only row of a query."""

    def fetch(query: str, *parameters: Any) -> dict[str, Any]:
        (row,) = rows(query, *parameters)
        return row

    return fetch
