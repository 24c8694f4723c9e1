"""Two connections, asked at the same time."""

from __future__ import annotations

from threading import Barrier

import psycopg
import pytest

from crossbridge.analysis._beside import asked_on_two
from crossbridge.database.connection import begin_look

RUNS = "SELECT count(*) FROM crossbridge.runs"


@pytest.fixture
def looking(migrated):
    with psycopg.connect(**migrated.parameters()) as connection:
        begin_look(connection)
        yield connection


def count(connection):
    return connection.execute(RUNS).fetchone()


def test_they_see_the_same(history, looking):
    history.run(("t", "passed"))
    assert count(looking) == (1,)
    history.run(("t", "passed"))
    assert asked_on_two(looking, count, count, count) == [(1,)] * 3


def test_both_are_asked_at_the_same_time_and_answers_are_in_order(looking):
    meeting = Barrier(2, timeout=60)

    def on(number):
        def question(connection):
            if number < 2:
                meeting.wait()
            pid, zone = connection.execute("SELECT pg_backend_pid(), current_setting('TimeZone')").fetchone()
            return number, pid, zone

        return question

    numbers, pids, zones = zip(*asked_on_two(looking, *map(on, range(5))), strict=True)
    assert numbers == (0, 1, 2, 3, 4)
    assert len(set(pids)) == 2
    assert set(zones) == {"UTC"}


def test_they_write_nothing(looking):
    def write(connection):
        connection.execute("DELETE FROM crossbridge.runs")

    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        asked_on_two(looking, write)


@pytest.mark.parametrize("beside", [False, True])
def test_what_one_raises_ends_both(looking, beside):
    asked = []
    meeting = Barrier(2, timeout=60)

    def fails(connection):
        meeting.wait()
        connection.execute("SELECT 1 / 0")

    def meets(connection):
        meeting.wait()
        asked.append(connection)

    def either(connection):
        return fails(connection) if (connection is looking) != beside else meets(connection)

    with pytest.raises(psycopg.errors.DivisionByZero):
        asked_on_two(looking, either, either)
    assert len(asked) == 1
