"""Segments that the Java SDK writes, read by ours, and its deliveries into a real database."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import psycopg
import pytest

from crossbridge.profiling.config import load
from crossbridge.profiling.shipping.folder import SetAside
from crossbridge.profiling.shipping.reader import open_segment
from crossbridge.profiling.spool import deliver_spool
from support.git import untracked
from support.java import java_command
from support.postgres import db_environment
from support.segments import read_spool
from support.waiting import until

TESTS = 20
TEST_ID = 'shop.CartTest#total(0, "é☂😀\n\ufffd\\")'


def environment(tmp_path, **more):
    (tmp_path / ".crossbridge").mkdir(exist_ok=True)
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("CROSSBRIDGE_", "PG"))}
    return kept | {"CROSSBRIDGE_PROFILING": "1", "CROSSBRIDGE_FLUSH_INTERVAL": "0.05"} | more


def record(tmp_path, *arguments, then="close", within=(), **more):
    """
    Start a JVM that records, and a line that no database takes after the test named; returns when it has.

    `within` is a command that starts it.
    """
    java, *options = java_command("crossbridge.profiling.RecordTests")
    process = subprocess.Popen(
        [*within, java, "-XX:-UsePerfData", *options, str(TESTS), then, *arguments],
        cwd=tmp_path, env=environment(tmp_path, **more), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout.readline() == "recorded\n", process.stderr.read()
    return process


def finish(process):
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, "")


def rows(target):
    with psycopg.connect(**target.parameters()) as connection:
        return connection.execute(
            "SELECT test_id, status, count(*) FROM crossbridge.tests GROUP BY 1, 2"
        ).fetchall()


def segments(tmp_path):
    return list((tmp_path / ".crossbridge" / "spool").rglob("*.jsonl"))


def ingest(tmp_path, target):
    return deliver_spool(load(environment(tmp_path), tmp_path), target)


def test_our_reader_reads_what_java_writes(tmp_path, migrated):
    finish(record(tmp_path))
    (path,) = segments(tmp_path)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    segment = open_segment(path)
    segment.look()
    assert (segment.ended, segment.size, segment.read_dropped()) == (True, segment.whole, 0)
    events = read_spool(tmp_path / ".crossbridge" / "spool")
    assert len(events) == 2 * TESTS
    assert events[1]["test_id"] == TEST_ID
    report = ingest(tmp_path, migrated)
    assert (report.delivered, report.rejected, report.segments_closed) == (2 * TESTS, 0, 1)
    assert sorted(count for *_, count in rows(migrated)) == [1] * TESTS


def test_java_delivers_by_itself_and_leaves_nothing(tmp_path, migrated):
    finish(record(tmp_path, **db_environment(migrated), CROSSBRIDGE_DRAIN_TIMEOUT="30"))
    assert segments(tmp_path) == []
    found = rows(migrated)
    assert sorted(count for *_, count in found) == [1] * TESTS
    assert (TEST_ID, "passed", 1) in found


@pytest.mark.parametrize(("then", "status"), [("close", "failed"), ("leave", "interrupted")])
def test_the_end_of_the_run_is_told(tmp_path, migrated, then, status):
    finish(record(tmp_path, then=then, **db_environment(migrated), CROSSBRIDGE_DRAIN_TIMEOUT="30"))
    assert segments(tmp_path) == []
    with psycopg.connect(**migrated.parameters()) as connection:
        assert connection.execute("SELECT status FROM crossbridge.runs").fetchall() == [(status,)]


@pytest.mark.parametrize("delivered_before", [False, True])
def test_a_killed_jvm_loses_and_doubles_nothing(tmp_path, migrated, delivered_before):
    where = db_environment(migrated) if delivered_before else {}
    process = record(tmp_path, then="wait", **where)
    if delivered_before:
        until(lambda: len(rows(migrated)) == TESTS)
    process.kill()
    process.communicate()
    assert len(segments(tmp_path)) == 1
    assert ingest(tmp_path, migrated).segments_closed == 1
    assert sorted(count for *_, count in rows(migrated)) == [1] * TESTS


def test_no_server_costs_the_segment_nothing(tmp_path, migrated):
    nowhere = db_environment(migrated) | {"CROSSBRIDGE_DB_PORT": "1", "CROSSBRIDGE_DRAIN_TIMEOUT": "0.1"}
    finish(record(tmp_path, **nowhere))
    assert ingest(tmp_path, migrated).delivered == 2 * TESTS


def test_a_line_the_database_refuses_is_set_aside_and_its_neighbours_are_stored(tmp_path, migrated):
    finish(record(tmp_path, "7", **db_environment(migrated), CROSSBRIDGE_DRAIN_TIMEOUT="30"))
    assert sorted(count for *_, count in rows(migrated)) == [1] * TESTS
    spool = tmp_path / ".crossbridge" / "spool"
    (path,) = spool.rglob("*.jsonl")
    assert path.parent == spool / "rejected"
    (kept,) = map(json.loads, path.read_text().splitlines())
    assert (json.loads(kept["line"])["test_id"], bool(kept["reason"])) == ("bad", True)
    assert SetAside(spool, path.stem).count_before(1 << 30) == 1  # as our own reader has it
    with psycopg.connect(**migrated.parameters()) as connection:
        assert connection.execute("SELECT status, events_dropped FROM crossbridge.runs").fetchall() == [
            ("failed", 1)
        ]


def test_a_batch_is_sent_before_the_interval_is_over(tmp_path, migrated):
    slow = {"CROSSBRIDGE_FLUSH_INTERVAL": "60", "CROSSBRIDGE_BATCH_SIZE": str(2 * TESTS)}
    process = record(tmp_path, then="wait", **db_environment(migrated), **slow)
    until(lambda: len(rows(migrated)) == TESTS)
    process.kill()
    process.communicate()


def test_the_folder_that_is_ours_keeps_itself_out_of_git(tmp_path):
    finish(record(tmp_path))
    finish(record(tmp_path, CROSSBRIDGE_SPOOL_DIR="chosen/spool"))
    assert untracked(tmp_path) == ["chosen/"]


def test_a_gitignore_of_somebody_elses_is_left_alone(tmp_path):
    theirs = tmp_path / ".crossbridge" / ".gitignore"
    theirs.parent.mkdir()
    theirs.write_text("spool/\n")
    finish(record(tmp_path))
    assert len(segments(tmp_path)) == 1
    assert theirs.read_text() == "spool/\n"


def test_a_folder_without_the_right_to_write_harms_nobody(tmp_path):
    (tmp_path / ".crossbridge").mkdir()
    (tmp_path / ".crossbridge" / "spool").write_text("a file in the way")
    finish(record(tmp_path))
    finish(record(tmp_path, CROSSBRIDGE_SPOOL_DIR="/proc/crossbridge"))
    assert segments(tmp_path) == []


def test_a_full_spool_drops_and_counts(tmp_path):
    finish(record(tmp_path, CROSSBRIDGE_SPOOL_MAX_BYTES="65536"))
    (path,) = segments(tmp_path)
    filler = path.with_name("filler.jsonl")
    filler.write_bytes(b"x" * 65536)
    finish(record(tmp_path, CROSSBRIDGE_SPOOL_MAX_BYTES="65536"))
    counts = [open_segment(each).read_dropped() for each in segments(tmp_path) if each != filler]
    assert sorted(counts) == [0, 2 * TESTS]


def test_a_disk_that_is_full_cuts_one_line_short_and_the_rest_is_counted(tmp_path, migrated):
    room = 2000  # bytes; the JVM makes an error of the signal
    finish(record(tmp_path, within=("prlimit", f"--fsize={room}")))
    (path,) = segments(tmp_path)
    assert path.stat().st_size == room
    segment = open_segment(path)
    segment.look()
    whole, dropped = segment.count_events(segment.whole), segment.read_dropped()
    assert not segment.ended
    assert 0 < whole == 2 * TESTS - dropped - 1
    report = ingest(tmp_path, migrated)
    assert (report.delivered, report.dropped) == (whole, dropped)


def test_off_writes_nothing_and_a_bad_setting_is_one_line(tmp_path):
    finish(record(tmp_path, CROSSBRIDGE_PROFILING="0"))
    process = record(tmp_path, CROSSBRIDGE_DB_PORT="x")
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert said.count("\n") == 1
    assert said.startswith("crossbridge: CROSSBRIDGE_DB_PORT")
    assert not Path(tmp_path, ".crossbridge", "spool").exists()
