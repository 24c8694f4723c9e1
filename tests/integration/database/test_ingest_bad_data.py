"""Data that can never be stored are refused with SQLSTATE class 22, 23 or 54: the shipper singles the line out."""

from __future__ import annotations

import psycopg
import pytest

from support.bad_lines import BAD_LINES, END, YEAR_2000_US, YEAR_2100_US
from support.feed import INGEST, Segment, new_id

BAD_HEADERS = {
    "another version": ({"v": 2}, "22023"),
    "no version": ({"v": None}, "22023"),
    "another segment": ({"segment_id": new_id()}, "22023"),
    "another run": ({"run_id": new_id()}, "22023"),
    "no run": ({"run_id": None}, "22023"),
    "run id not a UUID": ({"run_id": "mine"}, "22P02"),
    "no writer": ({"writer": None}, "23502"),
    "no seq": ({"seq": None}, "23502"),
    "no framework": ({"framework": None}, "23502"),
    "no time": ({"at_us": None}, "22023"),
    "a child without parent": ({"role": "child"}, "23514"),
    "a main with a parent": ({"parent": new_id()}, "23514"),
    "labels a list": ({"labels": ["a"]}, "22023"),
    "not a header": ({"type": "test_end"}, "22023"),
}


def _state(db, segment, *sent):
    with pytest.raises(psycopg.Error) as caught:
        segment.call(db, *sent)
    return caught.value.sqlstate


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_bad_line_is_refused_with_its_whole_batch(shared_db, name):
    db = shared_db
    line, state = BAD_LINES[name]
    segment = Segment().deliver(db)
    end = segment.offsets[-1]

    assert _state(db, segment, end, end + 10, [END | {"test_id": "good"}, line]).startswith(state)

    stored = db.execute(
        "SELECT count(*) FROM crossbridge.tests WHERE run_id = %s", (segment.run_id,)
    ).fetchone()
    assert stored == (0,)
    assert segment.call(db, end, end + 5, [END]) == end + 5


@pytest.mark.parametrize("name", BAD_HEADERS)
def test_a_bad_header_is_refused(shared_db, name):
    db = shared_db
    change, state = BAD_HEADERS[name]
    segment = Segment()
    segment.lines[0] |= change

    assert _state(db, segment, 0, 100, segment.lines) == state

    kept = db.execute(
        "SELECT count(*) FROM crossbridge.segments WHERE run_id = %s", (segment.run_id,)
    ).fetchone()
    assert kept == (0,)


def test_a_segment_that_begins_with_something_else_is_refused(db):
    segment = Segment().end("a")

    assert _state(db, segment, 0, 100, [segment.lines[1]]) == "22023"
    assert _state(db, segment, 0, 100, []) == "22023"
    assert _state(db, segment, 0, 100, [segment.lines[1], segment.lines[0]]) == "22023"


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("{", "22P02"),
        ('[{"type":"test_end","test_id":"\\u0000"}]', "22P05"),
        ('[{"type":"test_end","test_id":"\\ud800"}]', "22P02"),
        ("[" * 60_000 + "]" * 60_000, "54001"),
        ("{}", "22023"),
        ("7", "22023"),
        ("null", "22023"),
        (None, "22023"),
    ],
    ids=["torn", "NUL", "lone surrogate", "deep", "object", "number", "null", "no events"],
)
def test_what_is_no_list_of_events_is_refused(shared_db, text, state):
    db = shared_db
    segment = Segment().deliver(db)
    end = segment.offsets[-1]

    with pytest.raises(psycopg.Error) as caught:
        db.execute(INGEST, (segment.id, segment.run_id, end, end + 9, text))

    assert caught.value.sqlstate == state


def test_dates_at_the_very_ends_are_taken(db):
    segment = Segment()
    segment.end("a", at_us=YEAR_2000_US, duration_us=10**12).end("b", at_us=YEAR_2100_US - 1).deliver(db)

    assert db.execute("SELECT count(*) FROM crossbridge.tests").fetchone() == (2,)
    # Only the months that hold something, and the coming one.
    assert db.execute(
        "SELECT count(*) FROM pg_inherits WHERE inhparent = 'crossbridge.tests'::regclass"
    ).fetchone() == (4,)


def test_a_rejected_line_counts_as_dropped(db):
    segment = Segment().end("a").add("rejected", count=1, reason="23514 ...").close(collected=2).deliver(db)

    assert db.execute(
        "SELECT events_collected, events_written, events_dropped, events_spooled FROM crossbridge.runs"
    ).fetchone() == (2, 1, 1, 0)
    assert segment.delivered == len(segment.lines)
