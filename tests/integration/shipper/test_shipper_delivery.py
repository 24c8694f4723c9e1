"""The shipper on good days: what is written arrives, in time and once, and the spool is left clean."""

from __future__ import annotations

import json
import os
import subprocess
import time

import pytest

from support.segment_file import SegmentFile, new_id, now_us
from support.shipping import deliver, rows, shipper, stored_tests, value, wait_until

RUN = "SELECT status, events_collected, events_written, events_dropped FROM crossbridge.runs"


def test_delivers_a_run_and_ends_by_itself(spool, migrated):
    segment = SegmentFile(spool)
    with shipper(spool, migrated) as process:
        segment.test("a::one")
        segment.test("a::two", status="failed")
        segment.end("failed")
        assert process.wait() == 0
    assert stored_tests(migrated) == {"a::one": "passed", "a::two": "failed"}
    assert rows(migrated, RUN) == [("failed", 4, 4, 0)]
    assert not segment.path.exists()


def test_acknowledges_what_is_stored(spool, migrated):
    segment = SegmentFile(spool)
    segment.test("a::one")
    segment.drop(3)
    segment.raw(b'{"type":"test_end"}\n')
    segment.end()
    size = segment.size
    with shipper(spool, migrated) as process:
        process.wait()
    assert json.loads(segment.ack_path.read_text()) == {
        "offset": size,
        "events": 2,
        "dropped": 4,
        "closed": True,
    }
    assert segment.ack_path.stat().st_mode & 0o777 == 0o600
    assert rows(migrated, RUN) == [("passed", 6, 2, 4)]


def test_makes_the_schema_at_first_contact(spool, database):
    segment = SegmentFile(spool)
    segment.test("a::one")
    segment.end()
    with shipper(spool, database) as process:
        process.wait()
    assert stored_tests(database) == {"a::one": "passed"}


def test_shows_a_run_while_its_tests_run(spool, migrated):
    segment = SegmentFile(spool)
    with shipper(spool, migrated):
        segment.event("test_start", test_id="a::slow")
        in_flight = "SELECT count(*) FROM crossbridge.in_flight WHERE test_id = 'a::slow'"
        wait_until(lambda: value(migrated, in_flight), "the running test shown")
        assert rows(migrated, "SELECT status FROM crossbridge.runs") == [("running",)]


def test_sends_when_the_flush_interval_is_over(spool, migrated):
    segment = SegmentFile(spool)
    with shipper(spool, migrated, flush_interval=0.5, batch_size=5000):
        wait_until(segment.ack_path.exists, "the header delivered")
        for number in range(3):
            segment.test(f"a::{number}")
            written_s = time.monotonic()
            wait_until(lambda: _offset(segment) == segment.size, "the test delivered")
            assert 0.4 < time.monotonic() - written_s < 2


def test_sends_when_a_batch_is_full(spool, migrated):
    segment = SegmentFile(spool)
    with shipper(spool, migrated, flush_interval=60, batch_size=10):
        wait_until(segment.ack_path.exists, "the header delivered")
        for number in range(5):
            segment.test(f"a::{number}")
        wait_until(lambda: _offset(segment) == segment.size, "ten events delivered", timeout_s=10)


def test_sends_at_once_when_asked_to_flush(spool, migrated):
    segment = SegmentFile(spool)
    with shipper(spool, migrated, flush_interval=60, batch_size=5000):
        wait_until(segment.ack_path.exists, "the header delivered")
        segment.test("a::one")
        (spool / "shipper.flush").touch()
        wait_until(lambda: _offset(segment) == segment.size, "the test delivered", timeout_s=10)


def test_sends_at_once_when_the_segment_ends(spool, migrated):
    segment = SegmentFile(spool)
    with shipper(spool, migrated, flush_interval=60, batch_size=5000):
        wait_until(segment.ack_path.exists, "the header delivered")
        segment.test("a::one")
        segment.end()
        wait_until(lambda: not segment.path.exists(), "the segment delivered", timeout_s=10)


def test_follows_every_run_and_process_of_the_spool(spool, migrated):
    run_id = new_id()
    first = SegmentFile(spool, run_id=run_id)
    with shipper(spool, migrated) as process:
        wait_until(first.ack_path.exists, "the first header delivered")
        worker = SegmentFile(spool, run_id=run_id, parent=first.segment_id, worker="gw0")
        worker.test("a::one")
        other_run = SegmentFile(spool)
        other_run.test("b::one")
        for segment, status in ((worker, None), (first, "passed"), (other_run, "passed")):
            segment.end(status)
        process.wait()
    assert stored_tests(migrated) == {"a::one": "passed", "b::one": "passed"}
    assert value(migrated, "SELECT worker FROM crossbridge.tests WHERE test_id = 'a::one'") == "gw0"
    assert rows(migrated, "SELECT status FROM crossbridge.runs") == [("passed",), ("passed",)]


def test_delivers_a_writers_segments_in_order(spool, migrated):
    """A test begun in one segment and ended in the next is never in flight for good."""
    first = SegmentFile(spool)
    first.event("test_start", test_id="a::long")
    second = first.rotate()
    second.event("test_end", test_id="a::long", status="passed", duration_us=5)
    third = second.rotate()
    third.test("a::two")
    third.end()
    with shipper(spool, migrated) as process:
        process.wait()
    assert stored_tests(migrated) == {"a::long": "passed", "a::two": "passed"}
    assert value(migrated, "SELECT count(*) FROM crossbridge.in_flight") == 0
    delivered = rows(migrated, "SELECT seq FROM crossbridge.segments ORDER BY created_at")
    assert delivered == [(0,), (1,), (2,)]
    assert rows(migrated, RUN) == [("passed", 4, 4, 0)]


def test_goes_on_with_the_next_segment_when_the_disk_refused_the_end_of_one(spool, migrated):
    first = SegmentFile(spool)
    first.event("test_start", test_id="a::long")
    second = first.following()
    second.event("test_end", test_id="a::long", status="passed", duration_us=5)
    with shipper(spool, migrated) as process:
        wait_until(lambda: not first.path.exists(), "the first segment closed")
        second.end("passed")
        process.wait()
    assert stored_tests(migrated) == {"a::long": "passed"}
    assert rows(migrated, RUN) == [("passed", 2, 2, 0)]


def test_a_large_backlog_of_several_writers_arrives_whole(spool, migrated):
    segments = [SegmentFile(spool) for _ in range(4)]
    for number, segment in enumerate(segments):
        segment.events(
            [
                {
                    "type": "test_end",
                    "at_us": now_us(),
                    "test_id": f"{number}::{i}",
                    "status": "passed",
                    "duration_us": i,
                }
                for i in range(6_000)
            ]
        )
        segment.end()
    with shipper(spool, migrated) as process:
        process.wait(60)
    assert len(stored_tests(migrated)) == 24_000
    assert value(migrated, "SELECT sum(events_written) FROM crossbridge.runs") == 24_000


def test_fills_in_the_version_git_knows_and_never_holds_an_event_up(spool, migrated):
    commit = _git_repository(spool.parent, tag="v1.2.3")
    segment = SegmentFile(spool, app_version=None, git_commit=commit)
    segment.test("a::one")
    segment.end()
    with shipper(spool, migrated) as process:
        process.wait()
    assert rows(migrated, "SELECT app_version, git_commit FROM crossbridge.runs") == [("v1.2.3", commit)]


def test_leaves_the_version_empty_when_git_does_not_know_the_commit(spool, migrated):
    _git_repository(spool.parent, tag="v1.2.3")
    segment = SegmentFile(spool, app_version=None, git_commit="1234567890" * 4)
    segment.end()
    with shipper(spool, migrated) as process:
        assert process.wait() == 0
    assert rows(migrated, "SELECT app_version FROM crossbridge.runs") == [(None,)]


def test_hands_nothing_to_git_that_is_no_commit(spool, migrated, monkeypatch):
    git = spool.parent / "bin" / "git"
    git.parent.mkdir()
    git.write_text('#!/bin/sh\necho "$@" >>"$0.log"\n')
    git.chmod(0o755)
    monkeypatch.setenv("PATH", str(git.parent), prepend=":")
    for commit in ("--exec-path=/tmp", "HEAD; rm -rf .", "abc", "ab" * 20):
        SegmentFile(spool, app_version=None, git_commit=commit).end()
    deliver(spool, migrated)
    assert (git.parent / "git.log").read_text() == f"describe --tags --always {'ab' * 20}\n"


def test_removes_what_is_an_hour_old_and_nothing_younger(spool, migrated):
    hour_ago = time.time() - 3700
    old, young = SegmentFile(spool), SegmentFile(spool)
    for segment in (old, young):
        segment.end()
        segment.path.rename(segment.ack_path)
    empty = spool / new_id()
    empty.mkdir()
    for path in (old.ack_path, old.folder, empty):
        os.utime(path, (hour_ago, hour_ago))
    with shipper(spool, migrated) as process:
        process.wait()
    assert not old.ack_path.exists()
    assert not empty.exists()
    assert young.ack_path.exists()


@pytest.mark.parametrize("labels", [{"type": "dropped"}, {"x": '{"type":"dropped"}'}])
def test_counts_events_whatever_the_labels_look_like(spool, migrated, labels):
    segment = SegmentFile(spool, labels=labels)
    segment.test('a::{"type":"dropped"}')
    segment.end()
    with shipper(spool, migrated) as process:
        process.wait()
    assert json.loads(segment.ack_path.read_text())["events"] == 2


def _offset(segment: SegmentFile) -> int:
    return json.loads(segment.ack_path.read_text())["offset"]


def _git_repository(folder, tag: str) -> str:
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=t", "-c", "user.email=t@t.invalid", "-c", "commit.gpgsign=false"]
        return subprocess.run(
            ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
        ).stdout.strip()

    git("init")
    git("commit", "--allow-empty", "-m", "one")
    git("tag", tag)
    return git("rev-parse", "HEAD")
