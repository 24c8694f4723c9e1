"""Lines the database can never store are singled out; their neighbours are stored, and nothing is lost silently."""

from __future__ import annotations

import json
import os
import time

import pytest

from support.segment_file import SegmentFile, gone, now_us
from support.shipping import deliver, rejected_lines, rows, shipper, stored_tests, value, wait_until

BAD_LINES = {
    "a status there is not": b'{"type":"test_end","at_us":%d,"test_id":"bad","status":"unknown","duration_us":1}',
    "NUL": b'{"type":"test_end","at_us":%d,"test_id":"bad\\u0000","status":"passed","duration_us":1}',
    "half a surrogate pair": b'{"type":"test_end","at_us":%d,"test_id":"\\ud800","status":"passed","duration_us":1}',
    "torn": b'{"type":"test_end","at_us":%d,"test_id":"ba',
    "two lines in one": b'{"type":"system_metric","at_us":%d}{"type":"system_metric"}',
    "an array": b"[%d]",
    "a number": b"%d",
    "not UTF-8": b'{"type":"test_end","at_us":%d,"test_id":"\xff\xfe","status":"passed","duration_us":1}',
    "a date in the year 2300": b'{"type":"test_end","at_us":10413792000%06d,"test_id":"bad","status":"passed","duration_us":1}',
    "a date beyond all dates": b'{"type":"test_end","at_us":9%018d,"test_id":"bad","status":"passed","duration_us":1}',
    "a number too large": b'{"type":"test_end","at_us":%d,"test_id":"bad","status":"passed","duration_us":99999999999999999999}',
    "a negative duration": b'{"type":"test_end","at_us":%d,"test_id":"bad","status":"passed","duration_us":-1}',
    "a second header": b'{"dropped":0,"type":"segment_start","v":1,"at_us":%d}',
    "very long and torn": b'{"at_us":%d,"x":"' + b"x" * 200_000,
    "closing the array": b'%d],"x":[',
}


@pytest.mark.parametrize("line", BAD_LINES.values(), ids=BAD_LINES)
def test_a_bad_line_is_set_aside_and_its_neighbours_are_stored(spool, migrated, line):
    line = line % (now_us() % 1_000_000 if b"%0" in line else now_us())
    segment = SegmentFile(spool)
    for number in range(10):
        segment.test(f"a::{number}")
        if number == 4:
            segment.raw(line + b"\n")
    segment.end()
    deliver(spool, migrated)
    assert stored_tests(migrated) == dict.fromkeys((f"a::{number}" for number in range(10)), "passed")
    (record,) = rejected_lines(spool)
    assert record["line"] == line.decode(errors="backslashreplace")
    assert record["reason"]
    assert rows(migrated, "SELECT status, events_written, events_dropped FROM crossbridge.runs") == [
        ("passed", 20, 1)
    ]
    assert not segment.path.exists()
    assert not list(spool.glob("rejected/*.tmp"))


def test_what_was_set_aside_is_readable_by_its_owner_only(spool, migrated):
    segment = SegmentFile(spool)
    segment.raw(b"nonsense\n")
    segment.end()
    deliver(spool, migrated)
    assert (spool / "rejected").stat().st_mode & 0o777 == 0o700
    assert (spool / "rejected" / segment.path.name).stat().st_mode & 0o777 == 0o600


def test_many_bad_lines_among_good_ones(spool, migrated):
    segment = SegmentFile(spool)
    for number in range(60):
        segment.test(f"a::{number}")
        segment.raw(b"nonsense %d\n" % number)
    segment.end()
    deliver(spool, migrated)
    assert len(stored_tests(migrated)) == 60
    assert [record["line"] for record in rejected_lines(spool)] == [
        f"nonsense {number}" for number in range(60)
    ]
    assert value(migrated, "SELECT events_dropped FROM crossbridge.runs") == 60


def test_a_run_goes_on_after_a_bad_line(spool, migrated):
    segment = SegmentFile(spool)
    with shipper(spool, migrated, flush_interval=0.05) as process:
        segment.raw(b"nonsense\n")
        wait_until((spool / "rejected").exists, "the line set aside")
        segment.test("a::one")
        segment.end()
        process.wait()
    assert stored_tests(migrated) == {"a::one": "passed"}


def test_empty_lines_mean_nothing(spool, migrated):
    segment = SegmentFile(spool)
    segment.raw(b"\n\n")
    segment.test("a::one")
    segment.raw(b"\n")
    segment.end()
    segment_bytes = segment.size
    deliver(spool, migrated)
    assert stored_tests(migrated) == {"a::one": "passed"}
    assert not rejected_lines(spool)
    assert json.loads(segment.ack_path.read_text())["offset"] == segment_bytes


@pytest.mark.parametrize(
    "header", [b'{"dropped":0                   ,"type":"segm', b'{"dropped":0,"type":"segment_start"}']
)
def test_events_behind_a_header_that_cannot_be_read_are_stored(spool, migrated, header):
    """As after a disk was full just when the process began, and free again later."""
    segment = SegmentFile(spool, **gone())
    segment.path.write_bytes(header + b"\n")
    segment.test("a::one")
    _age(segment)
    deliver(spool, migrated)
    assert stored_tests(migrated) == {"a::one": "passed"}
    assert rejected_lines(spool)[0]["line"] == header.decode()
    assert rows(migrated, "SELECT status, events_dropped FROM crossbridge.runs") == [("interrupted", 1)]


def test_a_header_with_a_value_that_cannot_be_stored_loses_no_event(spool, migrated):
    segment = SegmentFile(spool, at_us=1)
    segment.test("a::one")
    segment.end()
    deliver(spool, migrated)
    assert stored_tests(migrated) == {"a::one": "passed"}


@pytest.mark.parametrize("content", [b"", b'{"dropped":0        '])
def test_a_segment_whose_writer_died_at_birth_is_cleared_away(spool, migrated, content):
    segment = SegmentFile(spool)
    segment.path.write_bytes(content)
    _age(segment)
    deliver(spool, migrated)
    assert not segment.path.exists()


def test_a_segment_of_a_later_version_is_left_for_a_later_release(spool, migrated):
    segment = SegmentFile(spool, v=2)
    segment.test("a::one")
    segment.end()
    old = time.time() - 30
    os.utime(segment.path, (old, old))
    with shipper(spool, migrated) as process:
        assert process.wait() == 0
    assert segment.path.exists()
    assert stored_tests(migrated) == {}


def _age(segment: SegmentFile) -> None:
    """Let its file look as if it had rested for eleven minutes."""
    at_s = time.time() - 660
    os.utime(segment.path, (at_s, at_s))
