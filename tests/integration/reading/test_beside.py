"""A second connection, asked meanwhile."""

from __future__ import annotations

import psycopg
import pytest

from crossbridge.analysis._beside import asked_beside
from crossbridge.database.connection import begin_look

RUNS = "SELECT count(*) FROM crossbridge.runs"


@pytest.fixture
def looking(migrated):
    with psycopg.connect(**migrated.parameters()) as connection:
        begin_look(connection)
        yield connection


def count(connection):
    return connection.execute(RUNS).fetchone()


def test_it_sees_what_the_first_one_sees(history, looking):
    history.run(("t", "passed"))
    assert count(looking) == (1,)
    history.run(("t", "passed"))
    with asked_beside(looking, count) as beside:
        assert (beside.result(), count(looking)) == ((1,), (1,))


def test_it_writes_nothing(looking):
    with (
        asked_beside(looking, lambda other: other.execute("DELETE FROM crossbridge.runs")) as beside,
        pytest.raises(psycopg.errors.ReadOnlySqlTransaction),
    ):
        beside.result()


def test_it_is_another_one_that_is_asked_meanwhile(looking):
    def pid(connection):
        return connection.execute("SELECT pg_backend_pid(), current_setting('TimeZone')").fetchone()

    with asked_beside(looking, pid) as beside:
        other, zone = beside.result()
        assert other != pid(looking)[0]
        assert zone == "UTC"
