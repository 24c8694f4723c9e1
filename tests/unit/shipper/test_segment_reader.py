"""Reading a segment file while it grows: whole lines only, from any offset, whatever lies in it."""

from __future__ import annotations

import json
import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossbridge.profiling.shipping import reader
from crossbridge.profiling.shipping.reader import Batch, open_segment, read_header
from support.segment_file import SegmentFile, new_id

LINES = st.lists(
    st.sampled_from([b"", b"1", b"22", b'{"type":"dropped"}', b'{"type":"test_end"}']), max_size=30
)


@pytest.fixture
def file(tmp_path) -> SegmentFile:
    return SegmentFile(tmp_path)


def test_a_line_counts_only_with_its_end(file):
    segment = open_segment(file.path)
    header_end = segment.whole
    assert header_end == file.size
    file.raw(b"12345")
    segment.look()
    assert (segment.whole, segment.size) == (header_end, header_end + 5)
    assert segment.read_batch(header_end, 10) is None
    file.raw(b"6\n7")
    segment.look()
    assert segment.whole == header_end + 7
    assert segment.read_batch(header_end, 10) == Batch(header_end, b"123456\n")


def test_a_batch_holds_at_most_so_many_lines(file):
    file.raw(b"1\n2\n3\n4\n5\n")
    segment = open_segment(file.path)
    start = segment.whole - 10
    assert segment.read_batch(start, 2) == Batch(start, b"1\n2\n")
    assert segment.read_batch(start + 4, 9) == Batch(start + 4, b"3\n4\n5\n")


def test_a_batch_holds_at_most_so_many_bytes_and_one_line_at_least(file, monkeypatch):
    monkeypatch.setattr(reader, "BATCH_MAX_BYTES", 16)
    start = file.size
    file.raw(b"x" * 10 + b"\n" + b"y" * 10 + b"\n" + b"z" * 100 + b"\n")
    segment = open_segment(file.path)
    assert segment.read_batch(start, 9).data == b"x" * 10 + b"\n"
    assert segment.read_batch(start + 11, 9).data == b"y" * 10 + b"\n"
    assert segment.read_batch(start + 22, 9).data == b"z" * 100 + b"\n"
    assert segment.whole == file.size


@given(LINES, st.integers(1, 40))
def test_halving_ends_with_single_lines_and_loses_no_byte(lines, start):
    def pieces(batch: Batch) -> list[Batch]:
        return [batch] if len(batch.lines) <= 1 else [p for half in batch.halves() for p in pieces(half)]

    batch = Batch(start, b"".join(line + b"\n" for line in lines))
    found = pieces(batch)
    assert b"".join(piece.data for piece in found) == batch.data
    assert [line for piece in found for line in piece.lines] == [line for line in lines if line]
    assert [piece.start for piece in found[1:]] == [piece.end for piece in found[:-1]]
    assert sum(piece.count_events() for piece in found) == batch.count_events()


def test_a_payload_is_the_lines_as_they_stand(file):
    assert Batch(5, b'{"a": 1}\n\n[2]\n').payload == b'[{"a": 1},[2]]'
    assert Batch(5, b"\n").payload == b"[]"


@pytest.mark.parametrize("kind", ["dropped", "run_info", "rejected", "segment_end"])
def test_bookkeeping_is_no_event(kind):
    assert Batch(5, b'{"type":"%s","at_us":1}\n{"type":"test_end"}\n' % kind.encode()).count_events() == 1
    assert Batch(5, b'{"at_us":1, "type" : "%s"}\n' % kind.encode()).count_events() == 0


def test_what_a_test_is_called_makes_no_bookkeeping_of_it():
    line = json.dumps({"type": "test_end", "test_id": '"type":"dropped"'}, separators=(",", ":")).encode()
    assert Batch(5, line + b"\n").count_events() == 1


def test_the_header_is_no_event_whatever_its_labels_are():
    header = b'{"dropped":0,"type":"segment_start","labels":{"type":"dropped"}}\n'
    assert Batch(0, header).count_events() == 0
    assert Batch(0, header + b'{"type":"test_end"}\n').count_events() == 1


def test_counts_the_events_before_an_offset(file, monkeypatch):
    monkeypatch.setattr(reader, "BATCH_MAX_BYTES", 64)
    for number in range(20):
        file.test(f"a::{number}")
    middle = file.size
    file.test("a::more")
    file.end()
    segment = open_segment(file.path)
    assert segment.count_events(middle) == 40
    assert segment.count_events(file.size) == 42
    assert segment.count_events(0) == 0
    assert segment.count_events(1 << 40) == 42


def test_sees_that_a_segment_has_ended(file):
    segment = open_segment(file.path)
    assert not segment.ended
    file.test('a::"segment_end"')
    segment.look()
    assert not segment.ended
    file.end()
    segment.look()
    assert segment.ended


def test_a_segment_is_not_ended_when_something_follows(file):
    file.raw(b'{"type":"segment_end","at_us":1}\n{"type":"test_end"}\n')
    assert not open_segment(file.path).ended


def test_sees_the_end_behind_a_backlog_larger_than_it_reads_at_once(file, monkeypatch):
    monkeypatch.setattr(reader, "BATCH_MAX_BYTES", 500)
    for number in range(100):
        file.test(f"a::{number}")
    file.end()
    segment = open_segment(file.path)
    assert segment.ended
    assert segment.whole == file.size


def test_notes_how_long_what_has_grown_waits(file):
    segment = open_segment(file.path)
    segment.sent_all()
    assert (segment.grown_lines, segment.grown_at_s) == (0, None)
    before = time.monotonic()
    file.test("a::one")
    segment.look()
    first = segment.grown_at_s
    assert before <= first <= time.monotonic()
    file.test("a::two")
    segment.look()
    assert (segment.grown_lines, segment.grown_at_s) == (4, first)


def test_notices_that_the_file_is_gone(file):
    segment = open_segment(file.path)
    file.path.unlink()
    segment.look()
    assert segment.vanished
    assert segment.read_batch(0, 1) is None
    assert segment.count_events(100) == 0
    assert segment.read_dropped() == 0


def test_survives_that_the_file_is_cut_short(file):
    file.test("a::one")
    segment = open_segment(file.path)
    os.truncate(file.path, 10)
    segment.look()
    assert segment.read_batch(0, 10) is None


def test_reads_the_number_of_dropped_events_as_it_grows(file):
    segment = open_segment(file.path)
    assert segment.read_dropped() == 0
    file.drop(12)
    assert segment.read_dropped() == 12


def test_reads_the_header(file):
    header = read_header(file.path)
    assert (header.segment_id, header.run_id, header.writer) == (
        file.segment_id,
        file.run_id,
        file.segment_id,
    )
    assert (header.pid, header.host, header.seq, header.app_version) == (
        os.getpid(),
        os.uname().nodename,
        0,
        "1.0",
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"dropped":0                   ,"type":"segment_start"',
        b"[]\n",
        b"\xff\n",
        b'{"type":"test_end"}\n',
        b'{"type":"segment_start","segment_id":"../../etc/passwd","run_id":"x"}\n',
        b'{"type":"segment_start","segment_id":1,"run_id":2}\n',
    ],
)
def test_what_is_no_header_is_not_read_as_one(file, content):
    file.path.write_bytes(content)
    assert read_header(file.path) is None
    assert open_segment(file.path) is None  # its writer may be about to write it


def test_after_a_while_a_segment_without_header_is_followed_by_its_name(file):
    file.path.write_bytes(b"nonsense\n")
    os.utime(file.path, (1e9, 1e9))
    header = open_segment(file.path).header
    assert (header.segment_id, header.run_id, header.pid) == (file.segment_id, file.run_id, None)


def test_a_segment_without_header_and_name_is_not_followed(tmp_path):
    path = tmp_path / "something.jsonl"
    path.write_bytes(b"nonsense\n")
    os.utime(path, (1e9, 1e9))
    assert open_segment(path) is None


def test_what_cannot_be_read_is_not_followed(tmp_path):
    path = tmp_path / new_id() / f"{new_id()}.jsonl"
    path.mkdir(parents=True)  # root may read any file, but no folder as one
    os.utime(path, (1e9, 1e9))
    assert open_segment(path) is None


def test_the_spool_is_where_the_runs_folder_lies(file, tmp_path):
    assert open_segment(file.path).spool == file.spool
    loose = tmp_path / "loose" / f"{new_id()}.jsonl"
    loose.parent.mkdir()
    file.path.rename(loose)
    assert open_segment(loose).spool == loose.parent
