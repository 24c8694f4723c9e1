from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from support.history import History

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossbridge.database.target import Target


@pytest.fixture
def history(migrated: Target) -> Iterator[History]:
    """An empty history in a database with the schema."""
    with psycopg.connect(**migrated.parameters(), autocommit=True) as connection:
        yield History(connection)
