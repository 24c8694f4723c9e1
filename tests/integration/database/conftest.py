from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from psycopg.rows import dict_row

from crossbridge.database.connection import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg

    from crossbridge.database.target import Target

    Rows = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def db(migrated: Target) -> Iterator[psycopg.Connection[Any]]:
    """A connection to a fresh database of this release."""
    with connect(migrated) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        yield connection


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
