"""Data that can never be stored are refused with SQLSTATE class 22, 23 or 54: the shipper singles the line out."""

from __future__ import annotations

import psycopg
import pytest

from support.feed import INGEST, NOON_US, Segment, new_id

YEAR_2000_US, YEAR_2100_US = 946_684_800_000_000, 4_102_444_800_000_000
END = {"type": "test_end", "at_us": NOON_US, "test_id": "a", "status": "passed", "duration_us": 1}
STEP = {"type": "step_end", "at_us": NOON_US, "test_id": "a", "step_name": "s", "duration_us": 1}
CALL = {"type": "http_call", "at_us": NOON_US, "endpoint": "e", "method": "GET", "duration_us": 1}
COMMAND = {"type": "driver_command", "at_us": NOON_US, "command": "click", "duration_us": 1}
START = {"type": "test_start", "at_us": NOON_US, "test_id": "a"}
FINISH = {"type": "segment_end", "at_us": NOON_US, "status": "passed"}


def _without(event, field):
    return {name: value for name, value in event.items() if name != field}


BAD_LINES = {
    "status not in the list": (END | {"status": "unknown"}, "23514"),
    "status in capitals": (END | {"status": "PASSED"}, "23514"),
    "step status not in the list": (STEP | {"status": "error"}, "23514"),
    "end status not in the list": (FINISH | {"status": "ok"}, "23514"),
    "negative duration": (END | {"duration_us": -1}, "23514"),
    "negative set-up": (END | {"setup_us": -1}, "23514"),
    "duration with a fraction": (END | {"duration_us": 1.5}, "22P02"),
    "duration in words": (END | {"duration_us": "long"}, "22P02"),
    "duration true": (END | {"duration_us": True}, "22P02"),
    "duration of 30 days, too long for integer milliseconds": (
        END | {"duration_us": 30 * 86400 * 10**6},
        "22003",
    ),
    "duration of 2**63": (END | {"duration_us": 2**63}, "22003"),
    "duration of 2**63 - 1": (END | {"duration_us": 2**63 - 1}, "22"),
    "attempt 0": (END | {"attempt": 0}, "23514"),
    "attempt of 2**31": (END | {"attempt": 2**31}, "22003"),
    "before the year 2000": (END | {"at_us": YEAR_2000_US - 1}, "22008"),
    "after the year 2099": (END | {"at_us": YEAR_2100_US}, "22008"),
    "milliseconds in place of microseconds": (END | {"at_us": NOON_US // 1000}, "22008"),
    "time of 2**63": (END | {"at_us": 2**63}, "22003"),
    "time as text of a date": (END | {"at_us": "2026-11-17"}, "22P02"),
    "no time": (_without(END, "at_us"), "22023"),
    "time null": (END | {"at_us": None}, "22023"),
    "no test_id": (_without(END, "test_id"), "22023"),
    "test_id null": (END | {"test_id": None}, "22023"),
    "test_id a number": (END | {"test_id": 7}, "22023"),
    "test_id an object": (END | {"test_id": {"a": 1}}, "22023"),
    "test_id too long": (END | {"test_id": "".join(map(chr, range(0x400, 0x400 + 501)))}, "23514"),
    "framework too long": (END | {"framework": "x" * 1001}, "23514"),
    "no status": (_without(END, "status"), "23502"),
    "no duration": (_without(END, "duration_us"), "23502"),
    "no type": (_without(END, "type"), "22023"),
    "type null": (END | {"type": None}, "22023"),
    "start without test_id": (_without(START, "test_id"), "22023"),
    "start with attempt 0": (START | {"attempt": 0}, "23514"),
    "step without test_id": (_without(STEP, "test_id"), "22023"),
    "step without name": (_without(STEP, "step_name"), "23502"),
    "step name a list": (STEP | {"step_name": ["s"]}, "22023"),
    "step name too long": (STEP | {"step_name": "y" * 1001}, "23514"),
    "step depth negative": (STEP | {"depth": -1}, "23514"),
    "call without endpoint": (_without(CALL, "endpoint"), "23502"),
    "call without method": (_without(CALL, "method"), "23502"),
    "call without duration": (_without(CALL, "duration_us"), "23502"),
    "endpoint an object": (CALL | {"endpoint": {}}, "22023"),
    "status_code in words": (CALL | {"status_code": "OK"}, "22P02"),
    "command without name": (_without(COMMAND, "command"), "23502"),
    "retry_count negative": (COMMAND | {"retry_count": -1}, "23514"),
    "cpu in words": ({"type": "system_metric", "at_us": NOON_US, "cpu_percent": "hot"}, "22P02"),
    "dropped without count": ({"type": "dropped", "at_us": NOON_US}, "22023"),
    "dropped a negative count": ({"type": "dropped", "at_us": NOON_US, "count": -1}, "22023"),
    "rejected without count": ({"type": "rejected"}, "22023"),
    "end with a negative collected": (FINISH | {"collected": -1}, "22023"),
    "end with a negative dropped": (FINISH | {"dropped": -1}, "22023"),
    "end with a negative torn": (FINISH | {"torn": -1}, "22023"),
    "a second segment_start": ({"type": "segment_start", "at_us": NOON_US, "v": 1}, "22023"),
    "a number": (7, "22023"),
    "a text": ("test_end", "22023"),
    "null": (None, "22023"),
    "a list": ([END], "22023"),
}

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
