from __future__ import annotations

import gc
import os
import shutil
import warnings
from typing import TYPE_CHECKING

import pytest

from crossbridge.profiling import segment
from crossbridge.profiling.descriptor import LOWEST_FD, is_marked
from crossbridge.profiling.real import now_us
from crossbridge.profiling.segment_file import SegmentFile
from support.children import run_in_child
from support.segments import (
    append,
    dropped_in_header,
    new_writer,
    numbers,
    only_segment,
    read_events,
    segment_paths,
)

if TYPE_CHECKING:
    from pathlib import Path

    from crossbridge.profiling.segment import SegmentWriter


def test_the_descriptor_is_high_marked_and_not_inherited(tmp_path):
    writer = new_writer(tmp_path)
    assert writer._file.fd >= LOWEST_FD
    assert is_marked(writer._file.fd)
    assert not os.get_inheritable(writer._file.fd)
    writer.close(None)


def test_it_works_where_there_are_no_high_descriptors(tmp_path):
    run_in_child(
        """
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        writer = new_writer(spool)
        assert append(writer, 1) and writer._file.fd < 64
        os.close(writer._file.fd)
        assert append(writer, 2)
        """,
        tmp_path,
    )
    assert numbers(tmp_path) == [1, 2]


def test_a_closed_descriptor_is_opened_again(tmp_path):
    writer = new_writer(tmp_path)
    append(writer, 1)
    os.close(writer._file.fd)
    assert append(writer, 2)
    assert len(writer.segment_ids) == 1
    writer.close("passed")
    assert numbers(tmp_path) == [1, 2]


@pytest.mark.parametrize("mode", ["wb", "ab"])
def test_a_number_that_is_another_files_by_now_is_left_to_it(tmp_path, mode):
    writer = new_writer(tmp_path / "spool")
    append(writer, 1)
    os.close(writer._file.fd)
    with (tmp_path / "users").open(mode) as users:
        os.dup2(users.fileno(), writer._file.fd)
        number = writer._file.fd
        for event in (2, 3):
            assert append(writer, event)
        assert writer._file.fd != number
        os.write(number, b"theirs")
        writer.close("passed")
        os.write(number, b" still")
        os.close(number)
    assert (tmp_path / "users").read_bytes() == b"theirs still"
    assert numbers(tmp_path / "spool") == [1, 2, 3]


def test_where_files_bear_no_mark_device_and_inode_tell(tmp_path):
    run_in_child(
        """
        import fcntl
        del fcntl.F_GETSIG, fcntl.F_SETSIG
        for name in [name for name in sys.modules if name.startswith("crossbridge")]:
            del sys.modules[name]
        from crossbridge.profiling import descriptor, segment
        assert descriptor.probe is descriptor._compare_identity
        segment.ROTATE_BYTES = 2000
        import support.segments
        support.segments.SegmentWriter, append.__globals__["now_us"] = segment.SegmentWriter, segment.now_us
        writer = new_writer(spool / "spool")
        for number in range(20):
            assert append(writer, number, size=200)
        assert len(writer.segment_ids) > 1
        with (spool / "users").open("ab") as users:
            os.dup2(users.fileno(), writer._file.fd)
            assert append(writer, 20)
        os.close(writer._file.fd)
        assert append(writer, 21)
        """,
        tmp_path,
    )
    assert numbers(tmp_path / "spool") == list(range(22))
    assert (tmp_path / "users").read_bytes() == b""


# The file's disappearance


def test_a_removed_segment_is_put_back_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(segment, "LOOK_US", 0)
    writer = new_writer(tmp_path / "spool")
    for number in range(3):
        append(writer, number)
    path = only_segment(tmp_path)
    before = path.read_bytes()
    shutil.rmtree(tmp_path / "spool")
    assert append(writer, 3)
    assert only_segment(tmp_path) == path
    assert path.read_bytes().startswith(before)
    assert path.stat().st_mode & 0o777 == 0o600
    writer.close("passed")
    assert numbers(tmp_path) == [0, 1, 2, 3]
    assert list(path.parent.iterdir()) == [path]


def test_a_removed_segment_is_put_back_when_the_run_ends_at_the_latest(tmp_path):
    writer = new_writer(tmp_path / "spool")
    append(writer, 1)
    shutil.rmtree(tmp_path / "spool")
    assert append(writer, 2)
    writer.close("passed")
    assert numbers(tmp_path) == [1, 2]
    assert read_events(only_segment(tmp_path))[-1]["type"] == "segment_end"


def test_removal_is_noticed_without_more_events_than_a_fifth_of_a_second_brings(tmp_path):
    writer = new_writer(tmp_path / "spool")
    append(writer, 1)
    shutil.rmtree(tmp_path / "spool")
    writer.append(b'{"type":"test_start","number":2}\n', now_us() + segment.LOOK_US)
    assert numbers(tmp_path) == [1, 2]


class Alarm(Exception):
    pass


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("occasion", ["rotation", "removal"])
def test_an_exception_in_the_midst_of_a_change_of_files_loses_nothing(
    tmp_path, monkeypatch, occasion, moment
):
    # As a signal handler of the user's raises it.
    monkeypatch.setattr(segment, "LOOK_US", 0)
    writer = new_writer(tmp_path)
    append(writer, 0, size=1000)
    adopt = SegmentFile._adopt

    def adopt_and_raise(file, fd):
        if moment == "after":
            adopt(file, fd)
        raise Alarm

    monkeypatch.setattr(SegmentFile, "_adopt", adopt_and_raise)
    if occasion == "rotation":
        monkeypatch.setattr(segment, "ROTATE_BYTES", 2500)
        writer._room = 0
        lost = 2
        append(writer, 1)
    else:
        only_segment(tmp_path).unlink()
        lost = 1
    with pytest.raises(Alarm):
        append(writer, lost, size=1000)
    monkeypatch.setattr(SegmentFile, "_adopt", adopt)
    files = segment_paths(tmp_path)
    assert len(files) == 1 + (occasion == "rotation" and moment == "after")
    current = os.fstat(writer._file.fd).st_ino
    for path in files:
        if path.stat().st_ino == current:
            path.unlink()  # what is put back is that one, and overwrites no other
    for number in range(lost + 1, 10):
        assert append(writer, number, size=500)
    writer.close("passed")
    assert numbers(tmp_path) == [number for number in range(10) if number != lost]
    for first, *_events, last in map(read_events, segment_paths(tmp_path)):
        assert (first["type"], bool(_events)) == ("segment_start", True)
        assert last["type"] == "segment_end" or moment == "after"


def test_removed_and_closed_at_once_a_new_segment_begins(tmp_path):
    writer = new_writer(tmp_path / "spool")
    append(writer, 1)
    shutil.rmtree(tmp_path / "spool")
    os.close(writer._file.fd)
    assert append(writer, 2)
    header, *events = read_events(only_segment(tmp_path))
    assert (header["seq"], header["writer"]) == (1, writer.writer)
    assert [event["number"] for event in events] == [2]


def test_a_removed_segment_comes_back_with_its_count_of_dropped_events(tmp_path, monkeypatch):
    monkeypatch.setattr(segment, "LOOK_US", 0)
    writer = new_writer(tmp_path / "spool")
    writer.drop()
    shutil.rmtree(tmp_path / "spool")
    append(writer, 1)
    assert dropped_in_header(only_segment(tmp_path)) == 1


# The spool that is none


def test_a_spool_below_a_file_drops_and_counts(tmp_path):
    (tmp_path / "file").write_text("")
    writer = new_writer(tmp_path / "file" / "spool")
    assert not append(writer, 1)
    assert (writer.collected, writer.dropped) == (1, 1)
    writer.close("passed")


def test_a_spool_that_may_not_be_written_drops_and_counts(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    printed = run_in_child(
        """
        if os.geteuid() == 0:
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
        writer = new_writer(spool / "closed" / "spool")
        print(append(writer), writer.collected, writer.dropped)
        writer.close("passed")
        """,
        tmp_path,
    )
    assert printed.split() == ["False", "1", "1"]
    assert list(closed.iterdir()) == []


def test_the_working_folder_may_go_away(tmp_path):
    run_in_child(
        """
        os.makedirs(spool / "cwd")
        os.chdir(spool / "cwd")
        writer = new_writer(spool)
        append(writer, 1)
        os.rmdir(spool / "cwd")
        append(writer, 2)
        os.close(writer._file.fd)
        append(writer, 3)
        writer.close("passed")
        """,
        tmp_path,
    )
    assert numbers(tmp_path) == [1, 2, 3]


def test_a_spool_that_changes_while_it_is_measured_warns_of_nothing(tmp_path, monkeypatch):
    writer = new_writer(tmp_path)
    (tmp_path / "not-a-run").write_text("")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "gone.jsonl").symlink_to(tmp_path / "nowhere")
    (tmp_path / "run" / "there.jsonl").write_bytes(bytes(100))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        own = only_own_size(tmp_path, writer)
        assert segment._spool_bytes(str(tmp_path)) == 100 + own
        gc.collect()


def only_own_size(spool: Path, writer: SegmentWriter) -> int:
    return next(spool.rglob(f"{writer.writer}.jsonl")).stat().st_size
