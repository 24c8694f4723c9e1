from __future__ import annotations

import errno
import json
import os
import re
import sys
import threading
from pathlib import Path
from uuid import UUID

import pytest

from crossbridge.profiling import segment
from crossbridge.profiling.real import Real, now_us
from crossbridge.profiling.segment_file import SegmentFile
from support.children import run_in_child
from support.segments import (
    append,
    dropped_in_header,
    fill,
    new_writer,
    numbers,
    only_segment,
    open_descriptors,
    read_events,
    segment_paths,
)


def test_a_line_is_in_the_file_when_append_returns(tmp_path):
    writer = new_writer(tmp_path)
    for number in range(3):
        assert append(writer, number)
        assert numbers(tmp_path) == list(range(number + 1))


def test_the_file_lies_at_spool_run_segment_and_is_for_its_owner_only(tmp_path):
    writer = new_writer(tmp_path / "deep" / "spool", run_id="0190a4be-1111-7000-8000-000000000001")
    path = only_segment(tmp_path)
    assert path.relative_to(tmp_path) == Path(
        "deep/spool/0190a4be-1111-7000-8000-000000000001", f"{writer.writer}.jsonl"
    )
    assert path.stat().st_mode & 0o777 == 0o600
    assert {parent.stat().st_mode & 0o777 for parent in list(path.parents)[:3]} == {0o700}


def test_the_header_begins_with_a_count_of_fixed_width(tmp_path):
    new_writer(tmp_path)
    assert re.match(
        rb'\{"dropped":0 {19},"type":"segment_start","v":1,"', only_segment(tmp_path).read_bytes()
    )


def test_the_header_says_who_writes(tmp_path):
    before = now_us()
    writer = new_writer(tmp_path, worker="gw1", labels={"team": "core"}, app_version="1.2")
    (header,) = read_events(only_segment(tmp_path))
    assert header["segment_id"] == header["writer"] == writer.writer == str(UUID(writer.writer))
    assert (header["seq"], header["parent"], header["role"]) == (0, None, "main")
    assert header["pid"] == os.getpid()
    ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    assert header["pid_start"] == ticks
    assert header["host"] == os.uname().nodename
    assert header["runtime"] == f"CPython {sys.version.split()[0]}"
    assert before <= header["at_us"] <= now_us()
    assert (header["worker"], header["labels"], header["app_version"]) == ("gw1", {"team": "core"}, "1.2")


def test_a_header_with_text_that_cannot_be_stored_is_cleaned(tmp_path):
    new_writer(tmp_path, environment="a\0b", worker="\udcff", app_version="x" * 5000, labels={"\0": "\ud800"})
    (header,) = read_events(only_segment(tmp_path))
    assert (header["environment"], header["worker"]) == ("a�b", "�")
    assert len(header["app_version"]) == 1000
    assert header["labels"] == {"�": "�"}


def test_close_writes_the_last_line_and_later_events_are_dropped(tmp_path):
    writer = new_writer(tmp_path)
    append(writer, 1)
    assert writer.close("failed")
    end = read_events(only_segment(tmp_path))[-1]
    assert end == {
        "type": "segment_end",
        "at_us": end["at_us"],
        "status": "failed",
        "collected": 1,
        "dropped": 0,
        "next": None,
    }
    assert not append(writer, 2)
    assert (writer.collected, writer.dropped) == (2, 1)
    size = only_segment(tmp_path).stat().st_size
    assert writer.close("passed")
    assert only_segment(tmp_path).stat().st_size == size


def test_nothing_is_left_open_after_close(tmp_path):
    before = open_descriptors()
    writer = new_writer(tmp_path)
    append(writer)
    writer.close(None)
    assert open_descriptors() == before


# Rotation


def test_a_full_segment_is_followed_by_another(tmp_path, monkeypatch):
    monkeypatch.setattr(segment, "ROTATE_BYTES", 4096)
    writer = new_writer(tmp_path)
    for number in range(100):
        assert append(writer, number, size=100)
    writer.close("passed")
    assert numbers(tmp_path) == list(range(100))
    by_seq = sorted(map(read_events, segment_paths(tmp_path)), key=lambda events: events[0]["seq"])
    assert [events[0]["seq"] for events in by_seq] == list(range(len(by_seq)))
    assert len(by_seq) > 2
    assert {events[0]["writer"] for events in by_seq} == {writer.writer}
    assert [events[0]["segment_id"] for events in by_seq] == writer.segment_ids
    assert [events[-1]["next"] for events in by_seq] == [*writer.segment_ids[1:], None]
    assert [events[-1]["status"] for events in by_seq] == [None] * (len(by_seq) - 1) + ["passed"]
    assert [events[-1]["collected"] for events in by_seq] == [len(events) - 2 for events in by_seq]
    assert all(path.stat().st_size < 4096 + 1000 for path in segment_paths(tmp_path))


def test_threads_lose_nothing_while_segments_rotate(tmp_path, monkeypatch):
    monkeypatch.setattr(segment, "ROTATE_BYTES", 8192)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        writer = new_writer(tmp_path)
        each = 1000
        threads = [
            threading.Thread(
                target=lambda first: [append(writer, first + number, 100) for number in range(each)],
                args=[n * each],
            )
            for n in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    writer.close("passed")
    assert numbers(tmp_path) == list(range(4 * each))
    segments = [read_events(path) for path in segment_paths(tmp_path)]
    assert len(segments) > 10
    assert all(events[-1]["type"] == "segment_end" for events in segments)
    assert sum(events[-1]["collected"] for events in segments) == writer.collected == 4 * each
    assert sorted(events[0]["seq"] for events in segments) == list(range(len(segments)))


@pytest.mark.parametrize("ending", ["rotated", "removed", "closed"])
def test_a_write_under_way_in_another_thread_is_waited_for(tmp_path, monkeypatch, ending):
    monkeypatch.setattr(segment, "LOOK_US", 0 if ending == "removed" else segment.LOOK_US)
    writer = new_writer(tmp_path)
    append(writer, 0)
    monkeypatch.setattr(segment, "APPEND_LIMIT_S", 10)
    begun, waited_for = threading.Event(), threading.Event()
    monkeypatch.setattr(Real, "sleep", lambda _s: waited_for.set())

    def write_late(fd: int, line: bytes) -> int:
        held = os.dup(fd)  # as a system call under way holds the file
        begun.set()
        waited_for.wait(2)
        written = os.write(held, line)
        os.close(held)
        return written

    line = b'{"type":"test_start","number":1}\n'
    thread = threading.Thread(target=lambda: writer.append(line, 0, write=write_late))
    thread.start()
    assert begun.wait(10)
    if ending == "rotated":
        monkeypatch.setattr(segment, "ROTATE_BYTES", only_segment(tmp_path).stat().st_size)
        writer._room = 0
    if ending == "removed":
        only_segment(tmp_path).unlink()
    if ending != "closed":
        assert append(writer, 2)
    writer.close("passed")
    thread.join()
    assert numbers(tmp_path) == [0, 1] + [2] * (ending != "closed")
    assert all(read_events(path)[-1]["type"] == "segment_end" for path in segment_paths(tmp_path))


def test_the_number_stays_for_threads_that_hold_it(tmp_path, monkeypatch):
    monkeypatch.setattr(segment, "LOOK_US", 0)
    monkeypatch.setattr(segment, "ROTATE_BYTES", 2048)
    writer = new_writer(tmp_path)
    number = writer._file.fd
    for event in range(5):
        append(writer, event, size=1000)
    next(tmp_path.rglob(writer.segment_ids[-1] + ".jsonl")).unlink()
    append(writer, 5)
    assert len(writer.segment_ids) > 2
    assert writer._file.fd == number
    assert numbers(tmp_path) == list(range(6))


def test_a_segment_that_cannot_be_followed_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(segment, "ROTATE_BYTES", 2048)
    writer = new_writer(tmp_path)
    assert append(writer, 0, size=1000)
    monkeypatch.setattr(SegmentFile, "_create", refuse)
    assert append(writer, 1, size=1000)
    monkeypatch.undo()
    assert numbers(tmp_path) == [0, 1]
    assert (len(writer.segment_ids), writer.dropped) == (1, 0)


def refuse(*_args):
    raise OSError(errno.EACCES, "refused")


# Room


def test_a_full_spool_drops_and_counts_and_takes_up_again(tmp_path, monkeypatch):
    monkeypatch.setattr(segment, "FULL_LOOK_US", 0)
    foreign = tmp_path / "0190a4be-1111-7000-8000-00000000000a" / "0190a4be-1111-7000-8000-00000000000b.jsonl"
    foreign.parent.mkdir()
    foreign.write_bytes(bytes(50_000))
    writer = new_writer(tmp_path, 64 << 10)
    taken = [append(writer, number, size=1000) for number in range(40)]
    kept = taken.index(False)
    assert 10 <= kept <= 15
    assert taken == [True] * kept + [False] * (40 - kept)
    own = next(path for path in segment_paths(tmp_path) if path != foreign)
    assert (writer.collected, writer.dropped, dropped_in_header(own)) == (40, 40 - kept, 40 - kept)
    assert sum(path.stat().st_size for path in segment_paths(tmp_path)) <= 64 << 10
    foreign.unlink()
    assert append(writer, 40, size=1000)
    writer.close("passed")
    assert numbers(tmp_path) == [*range(kept), 40]
    end = read_events(own)[-1]
    assert (end["collected"], end["dropped"]) == (41, 40 - kept)


def test_a_full_spool_is_not_measured_again_for_each_event(tmp_path, monkeypatch):
    looks = []
    monkeypatch.setattr(segment, "_spool_bytes", lambda spool: looks.append(spool) or 2000)
    writer = new_writer(tmp_path, 1000)
    assert not any(append(writer, number) for number in range(100))
    assert len(looks) == 2  # at the start, and for the first event
    assert writer.dropped == 100


def test_several_writers_together_stay_near_the_cap(tmp_path, monkeypatch):
    monkeypatch.setattr(segment, "FULL_LOOK_US", 0)
    cap = 4 << 20
    writers = [new_writer(tmp_path, cap) for _ in range(8)]
    for _ in range(1000):
        for writer in writers:
            append(writer, size=1000)
    used = sum(path.stat().st_size for path in segment_paths(tmp_path))
    assert cap * 0.99 <= used <= cap + 8 * segment.ALLOWANCE_MIN_BYTES
    assert sum(writer.dropped for writer in writers) > 0


def test_a_full_disk_drops_and_counts_and_takes_up_again(small_disk, monkeypatch):
    monkeypatch.setattr(segment, "FULL_LOOK_US", 0)
    writer = new_writer(small_disk)
    filler = fill(small_disk)
    taken = [append(writer, number, size=1000) for number in range(20)]
    assert not all(taken)
    path = only_segment(small_disk)
    assert 0 < writer.dropped == dropped_in_header(path)
    filler.unlink()
    assert append(writer, 20)
    writer.close("passed")
    whole = numbers(small_disk)
    assert whole == sorted(set(whole))
    assert 20 in whole
    end = read_events(path)[-1]
    assert (end["collected"], end["dropped"]) == (21, 21 - len(whole))


def test_a_line_of_which_a_part_went_in_is_completed_when_there_is_room(small_disk, monkeypatch):
    monkeypatch.setattr(segment, "FULL_LOOK_US", 0)
    writer = new_writer(small_disk)
    filler = fill(small_disk)
    path = only_segment(small_disk)
    number = 0
    while path.stat().st_size % 4096:  # the rest of the segment's last block
        append(writer, number, size=700)
        number += 1
    assert not path.read_bytes().endswith(b"\n")
    assert writer.dropped == 0  # it has begun, and is not lost
    assert not append(writer, number, size=700)
    assert writer.dropped == 1
    filler.unlink()
    assert append(writer, number + 1)
    assert numbers(small_disk) == [*range(number), number + 1]


def test_a_disk_too_full_for_the_first_line_leaves_no_empty_files(small_disk, monkeypatch):
    monkeypatch.setattr(segment, "FULL_LOOK_US", 0)
    filler = fill(small_disk)
    fds = open_descriptors()
    writer = new_writer(small_disk)
    assert not any(append(writer, number) for number in range(10))
    assert segment_paths(small_disk) == []
    assert open_descriptors() == fds
    filler.unlink()
    assert append(writer, 10)
    assert numbers(small_disk) == [10]
    assert dropped_in_header(only_segment(small_disk)) == writer.dropped == 10


def test_a_limit_on_file_size_drops_and_counts(tmp_path):
    printed = run_in_child(
        """
        resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
        writer = new_writer(spool)
        for number in range(100):
            append(writer, number, size=100)
        print(json.dumps([writer.collected, writer.dropped]))
        """,
        tmp_path,
    )
    collected, dropped = json.loads(printed)
    assert collected == 100
    assert 0 < dropped < 100
    path = only_segment(tmp_path)
    assert dropped_in_header(path) == dropped
    # The line that the limit cut is what remains.
    assert numbers(tmp_path) == list(range(100 - dropped - 1))
    assert not path.read_bytes().endswith(b"\n")
