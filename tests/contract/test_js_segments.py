"""Segments written in JavaScript: the form of the samples, what our reader makes of them, what happens when it cannot."""

from __future__ import annotations

import json
import resource
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from crossbridge.profiling.real import new_uuid
from crossbridge.profiling.shipping.reader import open_segment
from support.git import untracked
from support.node import NodeProcess
from support.segments import dropped_in_header, only_segment, read_events, read_spool, segment_paths
from support.spec import SPEC
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = Draft202012Validator(json.loads((SPEC / "events.schema.json").read_text(encoding="utf-8")))
PLENTY_BYTES = 1 << 30
UNKNOWN = {"git_commit": None, "git_branch": None, "ci_provider": None, "ci_url": None}


@pytest.fixture
def node(tmp_path: Path) -> Iterator[NodeProcess]:
    process = NodeProcess(tmp_path)
    yield process
    process.kill9()


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def open_writer(node: NodeProcess, spool: Path, max_bytes: int = PLENTY_BYTES, **limits: int) -> str:
    origin: dict[str, Any] = {
        "runId": new_uuid(),
        "parent": None,
        "framework": "pytest",
        "frameworkVersion": "9.2.0",
        "worker": None,
        "environment": "ci",
        "appVersion": "1.4.2",
        "labels": {"team": "core"},
        "info": UNKNOWN,
    }
    return str(node.call("open", str(spool), max_bytes, origin, limits))


def line(number: int, size: int = 0) -> str:
    text = json.dumps({"type": "test_start", "number": number, "at_us": 1767348000000100, "test_id": "t"})
    return text + " " * (size - 1 - len(text)) + "\n"


def numbers(spool: Path) -> list[int]:
    return [event["number"] for event in read_spool(spool)]


def test_the_form_is_that_of_the_sample(node, spool):
    writer = open_writer(node, spool)
    node.call("append", line(1))
    node.call("close", "passed")
    path = only_segment(spool)
    header, _, end = read_events(path)
    first, *_, last = (SPEC / "samples" / "in_order.jsonl").read_bytes().splitlines()
    assert path.read_bytes()[:32] == first[:32]
    assert list(header) == list(json.loads(first))
    assert list(end) == list(json.loads(last))
    assert (header["writer"], header["segment_id"], header["seq"], header["role"]) == (
        writer,
        path.stem,
        0,
        "main",
    )
    assert (header["pid"], header["sdk"][:3], header["runtime"][:5]) == (node.pid, "js/", "Node ")
    assert (end["status"], end["collected"], end["dropped"], end["next"]) == ("passed", 1, 0, None)
    for event in (header, end):
        SCHEMA.validate(event)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_our_reader_reads_it(node, spool):
    open_writer(node, spool)
    node.call("append", line(1), 5)
    segment = open_segment(only_segment(spool))
    assert segment is not None
    segment.look()
    assert (segment.ended, segment.count_events(segment.whole)) == (False, 5)
    assert segment.header.pid == node.pid
    node.call("close", None)
    segment.look()
    assert (segment.ended, segment.whole) == (True, segment.size)


def test_what_was_appended_survives_kill9(node, spool):
    open_writer(node, spool)
    assert node.call("append", line(7), 100) == [True] * 100
    node.kill9()
    assert numbers(spool) == [7] * 100


def test_a_full_segment_is_followed_by_another(node, spool):
    open_writer(node, spool, rotateBytes=5000)
    for number in range(30):
        node.call("append", line(number, size=500))
    node.call("close", "failed")
    segments = sorted(
        (read_events(path) for path in segment_paths(spool)), key=lambda events: events[0]["seq"]
    )
    assert len(segments) > 3
    headers, ends = [events[0] for events in segments], [events[-1] for events in segments]
    assert [header["seq"] for header in headers] == list(range(len(segments)))
    assert len({header["writer"] for header in headers}) == 1
    assert [end["next"] for end in ends] == [*(header["segment_id"] for header in headers[1:]), None]
    assert [end["status"] for end in ends] == [None] * (len(segments) - 1) + ["failed"]
    assert [end["collected"] for end in ends] == [len(events) - 2 for events in segments]
    assert [event["number"] for events in segments for event in events[1:-1]] == list(range(30))
    assert all(path.stat().st_size < 5600 for path in segment_paths(spool))


def test_beyond_the_cap_events_are_dropped_and_counted_in_the_header(node, spool):
    open_writer(node, spool, max_bytes=1 << 16)
    taken = node.call("append", line(1, size=1000), 100)
    assert 50 < sum(taken) < 66
    assert dropped_in_header(only_segment(spool)) == 100 - sum(taken)
    node.call("close", "passed")
    end = read_events(only_segment(spool))[-1]
    assert (end["collected"], end["dropped"]) == (100, 100 - sum(taken))
    assert len(numbers(spool)) == sum(taken)


def test_a_segment_that_was_removed_is_put_back_with_every_byte(node, spool):
    open_writer(node, spool)
    node.call("append", line(1), 3)
    path = only_segment(spool)
    before = path.read_bytes()
    shutil.rmtree(spool)
    node.call("append", line(2))
    assert path.read_bytes() == before + line(2).encode()
    path.unlink()
    node.call("close", "passed")
    assert numbers(spool) == [1, 1, 1, 2]


def test_the_folder_that_is_ours_keeps_itself_out_of_git(node, tmp_path):
    for folder in (".crossbridge", "chosen"):
        open_writer(node, tmp_path / folder / "spool")
        node.call("close", "passed")
    assert untracked(tmp_path) == ["chosen/"]


def test_a_gitignore_of_somebody_elses_is_left_alone(node, tmp_path):
    theirs = tmp_path / ".crossbridge" / ".gitignore"
    theirs.parent.mkdir()
    theirs.write_text("spool/\n")
    open_writer(node, theirs.parent / "spool")
    assert node.call("append", line(1)) == [True]
    assert theirs.read_text() == "spool/\n"


def test_a_spool_that_cannot_be_made_drops_and_goes_on(node, spool):
    spool.write_text("a file")
    open_writer(node, spool)
    assert node.call("append", line(1), 3) == [False] * 3
    assert node.call("counts") == {"collected": 3, "dropped": 3, "segments": 0}
    node.call("close", "passed")
    assert spool.read_text() == "a file"


def test_a_folder_that_no_file_system_makes_is_given_up(node):
    open_writer(node, Path("/proc/crossbridge"))
    assert node.call("append", line(1), 2) == [False] * 2
    node.call("close", "passed")


def test_a_line_cut_short_by_a_full_disk_is_finished_when_there_is_room(node, spool):
    open_writer(node, spool)
    path = only_segment(spool)
    room = path.stat().st_size + 250
    old = resource.prlimit(node.pid, resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
    assert node.call("append", line(1, size=100), 5) == [True] * 3 + [False] * 2
    assert path.stat().st_size == room
    resource.prlimit(node.pid, resource.RLIMIT_FSIZE, old)
    until(lambda: node.call("append", line(2, size=100)) == [True])
    node.call("close", "passed")
    events = read_events(path)
    assert [event["number"] for event in events[1:-1]] == [1, 1, 1, 2]
    assert events[-1]["collected"] - events[-1]["dropped"] == 4
    assert dropped_in_header(path) == events[-1]["dropped"] >= 2


def test_after_the_end_everything_is_dropped(node, spool):
    open_writer(node, spool)
    node.call("close", "passed")
    before = only_segment(spool).read_bytes()
    assert node.call("append", line(1)) == [False]
    assert only_segment(spool).read_bytes() == before
    assert node.call("counts") == {"collected": 1, "dropped": 1, "segments": 1}
