from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from crossbridge.profiling.collector import MetricsCollector
from crossbridge.profiling.models import ProfileConfig, StorageBackendType
from crossbridge.profiling.summary import summary
from support.segment_file import SegmentFile, new_id

UNREACHABLE = "the database cannot be reached (refused by db:5432)."


@pytest.fixture
def segment(tmp_path):
    """A run's segment of four events in the spool of `tmp_path`."""
    segment = SegmentFile(tmp_path / "spool")
    segment.test("a")
    segment.test("b")
    return segment


def _collector(segment, backend=StorageBackendType.POSTGRES):
    config = ProfileConfig(
        enabled=True,
        backend=backend,
        run_id=segment.run_id,
        project_root=segment.spool.parent,
        spool_dir=Path(segment.spool.name),
    )
    return MetricsCollector(config)


def _acknowledge(segment, offset, events, dropped=0):
    segment.ack_path.write_text(
        json.dumps({"offset": offset, "events": events, "dropped": dropped, "closed": True})
    )


def _shipper(segment, pid=0, **status):
    status = {"pid": pid, "state": "delivering", "target": "db:5432/name", "error": None, "at_us": 1} | status
    (segment.spool / "shipper.json").write_text(json.dumps(status))


def test_all_is_delivered(segment):
    _acknowledge(segment, segment.size, 4)
    _shipper(segment)
    segment.path.unlink()
    assert summary(_collector(segment)) == (
        f"crossbridge: 4 events delivered to db:5432/name, run {segment.run_id}.",
        False,
    )


def test_nothing_was_recorded(tmp_path):
    segment = SegmentFile(tmp_path / "spool")
    _acknowledge(segment, segment.size, 0)
    assert summary(_collector(segment)) == (f"crossbridge: 0 events delivered, run {segment.run_id}.", False)


def test_thousands_are_told_apart(tmp_path):
    segment = SegmentFile(tmp_path / "spool")
    segment.events([{"type": "test_start", "at_us": 1, "test_id": str(number)} for number in range(1234)])
    line, _ = summary(_collector(segment, StorageBackendType.NONE))
    assert line.startswith("crossbridge: 1,234 events kept in spool, run ")


def test_no_backend_was_asked_for(segment):
    assert summary(_collector(segment, StorageBackendType.NONE)) == (
        f"crossbridge: 4 events kept in spool, run {segment.run_id}. Deliver them with 'crossbridge ingest'.",
        False,
    )


def test_the_database_is_away(segment):
    _shipper(segment, state="retrying", error=UNREACHABLE)
    assert summary(_collector(segment)) == (
        (
            "crossbridge: 4 events kept in spool: the database cannot be reached (refused by db:5432). "
            "Deliver them with 'crossbridge ingest'."
        ),
        True,
    )


def test_the_embedded_server_is_not_needed_yet(segment):
    _shipper(
        segment, state="ended", error="the embedded server is not running. Start it with 'crossbridge up'."
    )
    assert summary(_collector(segment, StorageBackendType.LOCAL)) == (
        (
            "crossbridge: 4 events kept in spool: the embedded server is not running. "
            "'crossbridge report' delivers and shows them."
        ),
        False,
    )


def test_a_part_is_delivered_and_the_rest_on_its_way(segment):
    first_test = len(b"".join(segment.path.read_bytes().splitlines(keepends=True)[:3]))
    _acknowledge(segment, first_test, 2)
    _shipper(segment, pid=os.getpid())
    assert summary(_collector(segment)) == (
        f"crossbridge: 2 delivered, 2 events on their way to db:5432/name, run {segment.run_id}.",
        True,
    )


@pytest.mark.parametrize(("state", "reason"), [("ended", "ended"), (None, "not begun")])
def test_nobody_delivers(segment, state, reason):
    _shipper(segment, state=state)
    line, is_trouble = summary(_collector(segment))
    assert f"4 events kept in spool: the shipper has {reason}. " in line
    assert is_trouble


def test_dropped_events_and_faults_are_told_of_all_processes(segment):
    segment.drop(3)
    _acknowledge(segment, segment.size, 4, dropped=3)
    worker = {"dropped": 1_200, "faults": 2, "first_fault": "hook: ValueError: x"}
    assert summary(_collector(segment), [worker]) == (
        (
            f"crossbridge: 4 events delivered, run {segment.run_id}. "
            "1,200 dropped: the spool, its disk or the database did not take them. "
            "2 faults of crossbridge's own, the first: hook: ValueError: x"
        ),
        True,
    )


def test_another_run_in_the_spool_is_not_counted(segment):
    SegmentFile(segment.spool, run_id=new_id()).test("of another run")
    line, _ = summary(_collector(segment, StorageBackendType.NONE))
    assert "4 events" in line
