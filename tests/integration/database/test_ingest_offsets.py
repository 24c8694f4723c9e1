"""A segment's bytes are taken once and in order, whoever sends them and how often."""

from __future__ import annotations

import threading

import psycopg
import pytest

from crossbridge.database.connection import connect
from support.feed import INGEST, Segment, new_id


def _count(db, table="tests"):
    return db.execute(f"SELECT count(*) FROM crossbridge.{table}").fetchone()[0]


def test_a_batch_is_stored_and_its_end_returned(db):
    segment = Segment().end("a").end("b")

    assert segment.send(db, 0, 3) == segment.offsets[3]

    assert _count(db) == 2


def test_a_batch_sent_again_is_not_stored_again(db):
    segment = Segment().end("a")
    segment.send(db, 0, 2)

    assert segment.send(db, 0, 2) == segment.offsets[2]

    assert _count(db) == 1


def test_a_batch_that_overlaps_is_refused_with_where_to_go_on(db):
    segment = Segment().end("a").end("b").end("c")
    segment.send(db, 0, 2)

    assert segment.send(db, 1, 4) == segment.offsets[2]
    assert _count(db) == 1

    assert segment.send(db, 2, 4) == segment.offsets[4]
    assert _count(db) == 3


def test_a_batch_beyond_a_gap_is_refused_with_where_to_go_on(db):
    segment = Segment().end("a").end("b")
    segment.send(db, 0, 1)

    assert segment.send(db, 2, 3) == segment.offsets[1]

    assert _count(db) == 0


def test_a_segment_the_database_does_not_know_begins_at_0(db):
    segment = Segment().end("a")

    assert segment.send(db, 1, 2) == 0

    assert _count(db) == _count(db, "segments") == _count(db, "runs") == 0


def test_nothing_stays_of_a_batch_with_bad_data_in_it(db):
    segment = Segment().end("a").end("b", status="unknown")

    with pytest.raises(psycopg.errors.CheckViolation):
        segment.send(db, 0, 3)

    assert _count(db) == _count(db, "segments") == _count(db, "runs") == _count(db, "test_dim") == 0


def test_blank_lines_move_the_offset(db):
    segment = Segment()
    end = segment.offsets[1]
    segment.send(db, 0, 1)

    assert segment.call(db, end, end + 3, []) == end + 3


def test_nothing_between_equal_offsets_is_answered_with_the_offset(db):
    segment = Segment()
    segment.send(db, 0, 1)
    end = segment.offsets[1]

    assert segment.call(db, end, end, []) == end


@pytest.mark.parametrize(
    ("start", "end"),
    [(5, 4), (-1, 4), (None, 4), (4, None)],
    ids=["falling", "negative", "no start", "no end"],
)
def test_offsets_that_make_no_sense_are_bad_data(db, start, end):
    segment = Segment().end("a")
    segment.send(db, 0, 1)

    with pytest.raises(psycopg.errors.InvalidParameterValue, match="offsets must rise from 0"):
        segment.call(db, start, end, [segment.lines[1]])


def test_events_between_equal_offsets_are_bad_data(db):
    # They could not be told from the same events sent again.
    segment = Segment().end("a")
    segment.send(db, 0, 1)
    end = segment.offsets[1]

    with pytest.raises(psycopg.errors.InvalidParameterValue, match="cannot lie between"):
        segment.call(db, end, end, [segment.lines[1]])


def test_two_shippers_of_one_segment_store_each_event_once(db, migrated):
    segment = Segment()
    for number in range(200):
        segment.end(f"t{number}")
    barrier = threading.Barrier(2)
    failures = []

    def ship(step):
        try:
            with connect(migrated) as connection:
                barrier.wait()
                line, offsets = 0, segment.offsets
                while line < len(segment.lines):
                    last = min(line + step, len(segment.lines))
                    line = offsets.index(segment.send(connection, line, last))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=ship, args=(step,)) for step in (3, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert db.execute("SELECT count(*), count(DISTINCT test_id) FROM crossbridge.tests").fetchone() == (
        200,
        200,
    )
    assert db.execute("SELECT events, delivered FROM crossbridge.segments").fetchone() == (
        200,
        segment.offsets[-1],
    )


def test_a_lost_answer_is_repaired_by_asking_again(db, migrated):
    segment = Segment().end("a").end("b")
    with connect(migrated, autocommit=False) as connection:
        segment.send(connection, 0, 2)  # never committed
        connection.rollback()
    assert segment.send(db, 2, 3) == 0
    segment.send(db, 0, 2)

    assert segment.send(db, 0, 3) == segment.offsets[2]

    assert _count(db) == 1


def test_the_level_of_isolation_must_let_a_batch_see_its_rivals(db):
    db.execute("SET default_transaction_isolation = 'repeatable read'")

    with pytest.raises(psycopg.errors.FeatureNotSupported, match="READ COMMITTED"):
        Segment().end("a").send(db, 0, 2)


def test_a_segment_may_not_be_delivered_under_the_id_of_another_run(db):
    segment = Segment().end("a")
    segment.send(db, 0, 1)
    segment.run_id = new_id()

    assert segment.send(db, 1, 2) == 0
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="calls itself"):
        segment.send(db, 0, 1)


def test_the_call_is_one_prepared_or_unprepared_statement(migrated):
    segment = Segment().end("a")
    with connect(migrated) as connection:
        connection.prepare_threshold = 0
        for _ in range(3):
            connection.execute(INGEST, (segment.id, segment.run_id, 5, 6, "[]"))
