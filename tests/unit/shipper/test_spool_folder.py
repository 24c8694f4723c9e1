"""Finding segments, acknowledging, setting aside, tidying."""

from __future__ import annotations

import json
import os
import time

import pytest

from crossbridge.profiling.progress import Ack, read_ack
from crossbridge.profiling.shipping import folder
from crossbridge.profiling.shipping.folder import SetAside, SpoolWatch, tidy, write_ack
from support.segment_file import SegmentFile, new_id


def test_finds_segments_as_they_appear_and_go(tmp_path):
    spool = tmp_path / "spool"
    watch = SpoolWatch(spool)
    assert watch.segments() == []
    first = SegmentFile(spool)
    assert watch.segments() == [first.path]
    second = SegmentFile(spool, run_id=first.run_id)
    other = SegmentFile(spool)
    assert set(watch.segments()) == {first.path, second.path, other.path}
    first.path.unlink()
    assert set(watch.segments()) == {second.path, other.path}


def test_finds_each_of_two_segments_made_in_the_same_instant(tmp_path):
    """Some file systems' times tell no two changes apart that follow each other within a second or two."""
    first = SegmentFile(tmp_path)
    watch = SpoolWatch(tmp_path)
    assert watch.segments() == [first.path]
    instant = first.folder.stat().st_mtime_ns
    second = SegmentFile(tmp_path, run_id=first.run_id)
    os.utime(first.folder, ns=(instant, instant))
    assert set(watch.segments()) == {first.path, second.path}


def test_returns_the_same_list_while_nothing_changes(tmp_path):
    segment = SegmentFile(tmp_path)
    watch = SpoolWatch(tmp_path)
    found = watch.segments()
    segment.test("a::one")
    segment.ack_path.touch()
    assert watch.segments() is found


def test_does_not_read_a_folder_again_that_has_settled(tmp_path, monkeypatch):
    segment = SegmentFile(tmp_path)
    hour_ago = time.time() - 3600
    for path in (segment.folder, tmp_path):
        os.utime(path, (hour_ago, hour_ago))
    watch = SpoolWatch(tmp_path)
    assert watch.segments() == [segment.path]
    monkeypatch.setattr(folder.os, "listdir", lambda _path: pytest.fail("the folder was read again"))
    assert watch.segments() == [segment.path]


def test_finds_a_segment_in_a_folder_that_was_empty_for_long(tmp_path):
    run_id = new_id()
    (tmp_path / run_id).mkdir()
    hour_ago = time.time() - 3600
    for path in (tmp_path / run_id, tmp_path):
        os.utime(path, (hour_ago, hour_ago))
    watch = SpoolWatch(tmp_path)
    assert watch.segments() == []
    segment = SegmentFile(tmp_path, run_id=run_id)
    until_s = time.monotonic() + 2 * folder.QUIET_LOOK_S
    while watch.segments() != [segment.path]:
        assert time.monotonic() < until_s


def test_passes_over_what_is_no_segment(tmp_path):
    segment = SegmentFile(tmp_path)
    (tmp_path / "rejected").mkdir()
    (tmp_path / "rejected" / f"{new_id()}.jsonl").touch()
    (tmp_path / "shipper.json").touch()
    (tmp_path / new_id()).touch()
    (segment.folder / "notes.jsonl").touch()
    segment.ack_path.touch()
    assert SpoolWatch(tmp_path).segments() == [segment.path]


def test_an_ack_is_read_as_it_was_written(tmp_path):
    segment = SegmentFile(tmp_path)
    assert read_ack(str(segment.folder), segment.path.stem) == Ack()
    write_ack(segment.path, Ack(12, 3, 1, closed=True))
    assert read_ack(str(segment.folder), segment.path.stem) == Ack(12, 3, 1, closed=True)
    assert segment.ack_path.stat().st_mode & 0o777 == 0o600
    assert {path.suffix for path in segment.folder.iterdir()} == {".jsonl", ".ack"}


@pytest.mark.parametrize("content", ["", "{", "[]", '{"offset":"x"}', "\udcff"])
def test_an_ack_that_cannot_be_read_says_nothing(tmp_path, content):
    segment = SegmentFile(tmp_path)
    segment.ack_path.write_text(content, errors="surrogateescape")
    assert read_ack(str(segment.folder), segment.path.stem) == Ack()


def test_an_ack_in_a_folder_that_is_gone_is_not_missed(tmp_path):
    write_ack(tmp_path / "gone" / "x.jsonl", Ack())
    assert not (tmp_path / "gone").exists()


def test_a_line_is_set_aside_once_whoever_does_it(tmp_path):
    segment_id = new_id()
    aside = SetAside(tmp_path, segment_id)
    aside.add(offset=7, line=b"\xffoh", reason="no")
    aside.add(offset=7, line=b"\xffoh", reason="no")
    again = SetAside(tmp_path, segment_id)
    again.add(offset=7, line=b"\xffoh", reason="no")
    again.add(offset=19, line="grün".encode(), reason="no")
    lines = (tmp_path / "rejected" / f"{segment_id}.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"reason": "no", "offset": 7, "line": "\\xffoh"},
        {"reason": "no", "offset": 19, "line": "grün"},
    ]
    assert [again.count_before(offset) for offset in (7, 8, 20)] == [0, 1, 2]


def test_tidying_removes_what_is_older_than_an_hour_only(tmp_path):
    hour_ago = time.time() - folder.KEEP_S - 60
    delivered, waiting, recent = (SegmentFile(tmp_path) for _ in range(3))
    for segment in (delivered, waiting, recent):
        segment.ack_path.touch()
    delivered.path.unlink()
    recent.path.unlink()
    draft = delivered.folder / "x.ack.123.tmp"
    draft.touch()
    empty_old, empty_new = tmp_path / new_id(), tmp_path / new_id()
    foreign = tmp_path / "rejected"
    for path in (empty_old, empty_new, foreign):
        path.mkdir()
    for path in (delivered.ack_path, draft, waiting.ack_path, delivered.folder, empty_old, foreign):
        os.utime(path, (hour_ago, hour_ago))
    tidy(tmp_path)
    assert not delivered.folder.exists()
    assert not empty_old.exists()
    for path in (waiting.path, waiting.ack_path, recent.ack_path, empty_new, foreign):
        assert path.exists()


def test_tidying_a_spool_that_is_not_there_does_nothing(tmp_path):
    tidy(tmp_path / "nowhere")
