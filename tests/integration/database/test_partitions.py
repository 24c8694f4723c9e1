"""Months are made as they are needed, by whoever comes first, and dropped when they are old."""

from __future__ import annotations

import threading
from datetime import datetime, timezone

import psycopg
import pytest

from crossbridge.database.connection import connect
from crossbridge.database.retention import EVENT_TABLES, months_before, prune
from crossbridge.errors import DatabaseError
from support.feed import NOON_US, Segment
from support.rollups import differences

DAY_US = 86_400_000_000
WRITERS = 8


def _months(db, table="tests"):
    rows = db.execute(
        "SELECT right(inhrelid::regclass::text, 6) FROM pg_inherits WHERE inhparent = %s::regclass ORDER BY 1",
        (f"crossbridge.{table}",),
    ).fetchall()
    return [month for (month,) in rows]


def test_a_month_is_made_in_all_tables_and_the_coming_one_beforehand(db):
    Segment().end("a").deliver(db)

    coming = db.execute("SELECT to_char(now() AT TIME ZONE 'UTC' + interval '1 month', 'YYYYMM')").fetchone()[
        0
    ]
    for table in EVENT_TABLES:
        assert _months(db, table) == sorted({"202611", coming})


def test_a_partition_has_the_indexes_and_constraints_of_its_table(db):
    Segment().end("a").deliver(db)

    of_partition, of_table = (
        db.execute("SELECT count(*) FROM pg_index WHERE indrelid = %s::regclass", (name,)).fetchone()
        for name in ("crossbridge.tests_202611", "crossbridge.tests")
    )
    assert of_partition == of_table
    assert of_table[0] >= 3
    with pytest.raises(psycopg.errors.CheckViolation):
        db.execute("UPDATE crossbridge.tests_202611 SET status = 'unknown'")


def test_starts_alone_make_no_month(db):
    Segment().start("a", at_us=NOON_US - 100 * DAY_US).deliver(db)

    assert "202608" not in _months(db)


def test_eight_writers_that_need_the_same_new_months_at_once(db, migrated):
    barrier, failures = threading.Barrier(WRITERS), []

    def write(number):
        segment = Segment()
        for month in range(6):
            for test in range(5):
                segment.end(f"t{test}", at_us=NOON_US + (month * 31 + number) * DAY_US).step(f"t{test}", "s")
        try:
            with connect(migrated) as connection:
                barrier.wait()
                segment.deliver(connection, 15, 30, 45)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert db.execute("SELECT count(*) FROM crossbridge.tests").fetchone() == (WRITERS * 30,)
    assert differences(db) == {}


def test_a_reader_in_mid_query_does_not_hold_up_a_new_month(db, migrated):
    Segment().end("a").deliver(db)
    with connect(migrated, autocommit=False) as reader:
        reader.execute("SELECT FROM crossbridge.tests, crossbridge.steps, crossbridge.http_calls")
        db.execute("SET lock_timeout = '5s'")

        Segment().end("a", at_us=NOON_US + 200 * DAY_US).deliver(db)

        # And those who begin now see it while the maker has not committed.
    assert len(_months(db)) == 3


CUTOFF = datetime(2026, 11, 1, tzinfo=timezone.utc)


@pytest.fixture
def history(db):
    """Three months of tests, the first segment still in flight with one."""
    old = Segment(git_branch="old").start("forgotten", at_us=NOON_US - 70 * DAY_US)
    old.end("a", at_us=NOON_US - 70 * DAY_US + 1).deliver(db)
    Segment().end("a", at_us=NOON_US - 35 * DAY_US).deliver(db)
    Segment().end("a").deliver(db)
    return db


def test_months_before_a_day_are_those_that_are_over(history):
    def names(day, month=11):
        cutoff = datetime(2026, month, day, tzinfo=timezone.utc)
        return [f"{m.month:%m}" for m in months_before(history, cutoff)]

    assert names(1) == ["09", "10"]
    assert names(30) == ["09", "10"]
    assert names(31, month=10) == ["09"]
    assert all(month.bytes > 0 for month in months_before(history, CUTOFF))


def test_pruning_drops_months_and_what_belongs_to_them_and_keeps_the_rollups(history, migrated):
    dropped = []

    pruned = prune(history, migrated, CUTOFF, dropped.append)

    assert [f"{month.month:%Y-%m}" for month in dropped] == ["2026-09", "2026-10"]
    assert "202609" not in _months(history) + _months(history, "system_metrics")
    assert history.execute("SELECT count(*) FROM crossbridge.tests").fetchone() == (1,)
    assert history.execute("SELECT sum(n) FROM crossbridge.rollup_hour").fetchone() == (3,)
    assert history.execute("SELECT count(*) FROM crossbridge.runs").fetchone() == (3,)
    assert history.execute("SELECT count(*) FROM crossbridge.in_flight").fetchone() == (0,)
    assert (pruned.months, pruned.in_flight) == (dropped, 1)
    assert pruned.segments == 0  # headers say that they began today


def test_pruning_again_finds_nothing(history, migrated):
    prune(history, migrated, CUTOFF)

    assert months_before(history, CUTOFF) == []
    assert prune(history, migrated, CUTOFF) == ([], 0, 0)


def test_old_segments_are_forgotten(db, migrated):
    for days in (0, 40):
        Segment(at_us=NOON_US - days * DAY_US).end("a").deliver(db)

    assert prune(db, migrated, CUTOFF).segments == 1


def test_late_events_make_their_month_again(history, migrated):
    prune(history, migrated, CUTOFF)

    Segment().end("late", at_us=NOON_US - 70 * DAY_US).deliver(history)

    assert "202609" in _months(history)


def test_pruning_gives_up_on_a_table_that_is_busy(history, migrated, monkeypatch):
    monkeypatch.setattr("crossbridge.database.retention._LOCK_TIMEOUT_MS", 50)
    with connect(migrated, autocommit=False) as reader:
        reader.execute("SELECT FROM crossbridge.tests")

        with pytest.raises(DatabaseError, match="lock timeout"):
            prune(history, migrated, CUTOFF)

    assert len(months_before(history, CUTOFF)) == 2
