"""`crossbridge ingest`: what it delivers, says and leaves."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest

from crossbridge.profiling.spool import find_segments
from support.cli import run_cli
from support.segment_file import SegmentFile, gone
from support.shipping import rejected_lines, rows, shipper, shipper_environment, stored_tests, wait_until

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from crossbridge.database.target import Target

ELSEWHERE = {"host": "another-machine", "pid": 1, "pid_start": 1}


def ingest(
    spool: Path, target: Target | None, *arguments: object, **settings
) -> subprocess.CompletedProcess[str]:
    return run_cli("ingest", *arguments, env=shipper_environment(spool, target, **settings), cwd=spool.parent)


def report(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def finished(spool) -> SegmentFile:
    """A segment of two tests, closed in order."""
    segment = SegmentFile(spool)
    segment.test("a::one")
    segment.test("a::two", status="failed")
    segment.end("failed")
    return segment


def test_delivers_the_projects_spool_and_deletes_what_is_delivered(spool, migrated, finished):
    finished_events = {"delivered": 4, "already_there": 0, "rejected": 0, "dropped": 0}
    segments = {"segments_closed": 1, "segments_left": 0}
    assert report(ingest(spool, migrated, "--json")) == finished_events | segments
    assert stored_tests(migrated) == {"a::one": "passed", "a::two": "failed"}
    assert not finished.path.exists()
    assert json.loads(finished.ack_path.read_text())["closed"]


def test_says_what_it_did(spool, migrated, finished):
    bad = SegmentFile(spool)
    bad.raw(b"nonsense\n")
    bad.drop(3)
    done = ingest(spool, migrated)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "4 events delivered, 0 there already.",
        "1 line set aside in rejected/: the database cannot store them.",
        "3 events dropped while recording: the spool or the disk was full.",
        "1 segment closed.",
        "1 segment left open: the test process may live (--closed if not).",
    ]
    assert done.stderr == ""


def test_says_so_when_there_is_nothing_to_deliver(spool, migrated):
    done = ingest(spool, migrated)
    assert (done.returncode, done.stdout) == (0, f"Nothing to deliver in {spool}.\n")


def test_what_is_kept_is_there_already_the_next_time(spool, migrated, finished):
    before = finished.path.read_bytes()
    assert report(ingest(spool, migrated, "--json", "--keep"))["delivered"] == 4
    assert finished.path.read_bytes() == before
    assert [path.name for path in finished.folder.iterdir()] == [finished.path.name]
    again = report(ingest(spool, migrated, "--json", "--keep"))
    assert (again["delivered"], again["already_there"]) == (0, 4)
    assert len(stored_tests(migrated)) == 2


def test_nothing_is_touched_when_kept_not_even_beside_a_bad_line(spool, migrated):
    segment = SegmentFile(spool)
    segment.raw(b"nonsense\n")
    segment.test("a::one")
    segment.end()
    assert report(ingest(spool, migrated, "--json", "--keep"))["rejected"] == 1
    assert not (spool / "rejected").exists()
    assert stored_tests(migrated) == {"a::one": "passed"}


def test_delivers_an_artifact_of_another_machine(spool, tmp_path, migrated):
    segment = SegmentFile(tmp_path / "job" / "spool", **ELSEWHERE)
    segment.event("test_start", test_id="a::running")
    copy = shutil.copytree(tmp_path / "job", tmp_path / "artifact")
    first = report(ingest(spool, migrated, copy, "--json"))
    assert (first["delivered"], first["segments_left"]) == (
        1,
        1,
    )  # written to a moment ago: it may still live
    closed = report(ingest(spool, migrated, copy, "--json", "--closed"))
    assert (closed["delivered"], closed["already_there"], closed["segments_closed"]) == (0, 1, 1)
    assert stored_tests(migrated) == {"a::running": "interrupted"}
    assert not find_segments([copy])


@pytest.mark.parametrize("place", ["spool", "run", "segment", "parent"])
def test_takes_a_spool_a_run_a_segment_or_a_folder_around_them(spool, tmp_path, migrated, place):
    segment = SegmentFile(tmp_path / "job" / "spool", **gone())
    segment.test("a::one")
    segment.raw(b"nonsense\n")
    other = SegmentFile(tmp_path / "job" / "spool", **gone())
    path = {
        "spool": segment.spool,
        "run": segment.folder,
        "segment": segment.path,
        "parent": tmp_path / "job",
    }[place]
    assert report(ingest(spool, migrated, path, "--json"))["rejected"] == 1
    assert stored_tests(migrated) == {"a::one": "passed"}
    assert not segment.path.exists()
    assert other.path.exists() == (place in {"run", "segment"})
    assert len(rejected_lines(segment.spool)) == 1


def test_what_was_set_aside_is_not_delivered(spool, migrated):
    aside = spool / "rejected" / f"{SegmentFile(spool).segment_id}.jsonl"
    aside.parent.mkdir()
    aside.write_text('{"reason":"r","line":"l"}\n')
    assert find_segments([spool, aside.parent, aside]) == find_segments(spool.glob("*-*"))


@pytest.mark.parametrize(
    ("path", "words"),
    [("not/there", "does not exist"), ("report.xml", "is no segment")],
)
def test_a_path_that_is_none_of_these_is_wrong_use(spool, migrated, path, words):
    (spool.parent / "report.xml").write_text("<testsuite/>")
    done = ingest(spool, migrated, path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_says_how_much_waits_when_the_database_cannot_be_reached(spool, migrated, finished):
    done = ingest(spool, replace(migrated, host="127.0.0.1", port=1))
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert f"Nothing is lost: 4 events wait in {spool}." in done.stderr
    assert finished.path.exists()


def test_says_what_is_the_matter_when_the_database_refuses(spool, database, finished):
    with psycopg.connect(**replace(database, dbname="postgres").parameters(), autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{database.dbname}" SET default_transaction_read_only = on')
    done = ingest(spool, database)
    assert done.returncode == 3
    assert "read-only" in done.stderr
    assert "4 events wait" in done.stderr
    assert done.stderr.count("\n") == 1


def test_delivers_to_the_embedded_server_when_no_other_is_configured(spool, server, finished):
    data_dir = server.status().data_dir
    assert report(ingest(spool, None, "--json", data_dir=data_dir))["delivered"] == 4
    assert not finished.path.exists()


def test_does_not_fight_a_shipper_at_work(spool, migrated):
    segment = SegmentFile(spool)
    segment.test("a::one")
    with shipper(spool, migrated, flush_interval=0.05) as process:
        wait_until(segment.ack_path.exists, "the header delivered")
        left = report(ingest(spool, migrated, "--json"))
        assert left["segments_left"] == 1
        segment.test("a::two")
        segment.end()
        assert process.wait() == 0
    assert stored_tests(migrated) == {"a::one": "passed", "a::two": "passed"}


def test_fills_in_the_version_git_knows(spool, migrated, monkeypatch):
    segment = SegmentFile(spool, app_version=None, git_commit="ab" * 20)
    segment.end()
    git = spool.parent / "bin" / "git"
    git.parent.mkdir()
    git.write_text('#!/bin/sh\n[ "$*" = "describe --tags --always %s" ] && echo v9\n' % ("ab" * 20))
    git.chmod(0o755)
    monkeypatch.setenv("PATH", str(git.parent), prepend=":")
    ingest(spool, migrated)
    assert rows(migrated, "SELECT app_version FROM crossbridge.runs") == [("v9",)]
