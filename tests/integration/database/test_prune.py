"""What pruning forgets, and what it must not: that a result was stored once."""

from __future__ import annotations

import json
import os
import shutil
import threading
from datetime import datetime, timedelta, timezone

import pytest

from crossbridge.database.connection import connect
from crossbridge.database.retention import prune
from support.cli import run_cli
from support.feed import NOON_US, Segment
from support.postgres import db_environment
from support.rollups import differences
from support.segment_file import SegmentFile, gone
from support.waiting import until

DAY_US = 86_400_000_000
NOWHERE = 1 << 62  # where no segment ever stands: a shipper asks with it where one does
CUTOFF = datetime(2026, 11, 1, tzinfo=timezone.utc)
KEPT = ("tests", "rollup_hour", "rollup_test_day", "rollup_step_day", "runs", "test_dim")


def _kept(db):
    return {name: sorted(map(repr, db.execute(f"SELECT * FROM crossbridge.{name}"))) for name in KEPT}


@pytest.fixture
def old():
    at_us = NOON_US - 60 * DAY_US
    segment = Segment(git_branch="main", at_us=at_us).start("a").end("a").step("a", "s").end("b", "failed")
    return segment.close()


@pytest.fixture
def pruned(db, migrated, old):
    """One run of this month, one of an old month that is pruned."""
    Segment().end("a").deliver(db)
    old.deliver(db)
    assert prune(db, migrated, CUTOFF).segments == 1
    return db


def test_a_pruned_segment_that_comes_again_is_not_stored_again(pruned, old):
    before = _kept(pruned)

    assert old.send(pruned, 0, 2) == old.offsets[-1]  # in whatever batches
    assert old.send(pruned, 0, len(old.lines)) == old.offsets[-1]
    assert old.call(pruned, NOWHERE, NOWHERE, []) == old.offsets[-1]

    assert _kept(pruned) == before
    assert pruned.execute("SELECT count(*) FROM crossbridge.segments").fetchone() == (1,)


def test_what_a_pruned_segment_adds_is_dropped_and_counted(pruned, old):
    size = old.offsets[-1]
    old.end("c").end("d")

    assert old.send(pruned, len(old.lines) - 2, len(old.lines)) == old.offsets[-1]
    assert old.call(pruned, NOWHERE, NOWHERE, []) == old.offsets[-1] > size

    counts = "SELECT tests, events_collected, events_written, events_dropped FROM crossbridge.runs WHERE run_id = %s"
    assert pruned.execute(counts, (old.run_id,)).fetchone() == (2, 6, 4, 2)


def test_another_segment_of_an_old_run_is_stored(pruned, old):
    late = Segment(old.run_id, at_us=NOON_US - 60 * DAY_US).end("late").deliver(pruned)

    assert late.call(pruned, NOWHERE, NOWHERE, []) == late.offsets[-1]
    assert pruned.execute("SELECT test_id FROM crossbridge.tests ORDER BY 1").fetchall() == [
        ("a",),
        ("late",),
    ]


def test_pruned_twice_a_segment_stays_forgotten(pruned, migrated, old):
    before = _kept(pruned)
    prune(pruned, migrated, CUTOFF)
    prune(pruned, migrated, CUTOFF + timedelta(days=1))

    old.send(pruned, 0, len(old.lines))

    assert _kept(pruned) == before


def test_a_segment_that_is_delivered_while_it_is_forgotten(db, migrated, old):
    old.deliver(db)
    first_month = _kept(db)
    with connect(migrated, autocommit=False) as pruner, connect(migrated) as shipper:
        # as `prune` does, not committed
        pruner.execute(
            "WITH old AS (DELETE FROM crossbridge.segments RETURNING run_id, segment_id, delivered)"
            " INSERT INTO crossbridge.forgotten_segments SELECT * FROM old"
        )
        answers = []
        thread = threading.Thread(target=lambda: answers.append(old.send(shipper, 0, len(old.lines))))
        thread.start()
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        try:
            until(lambda: db.execute(waiting).fetchone() == (1,))
        finally:
            pruner.commit()
            thread.join()

    assert answers == [old.offsets[-1]]
    assert _kept(db) == first_month
    assert differences(db) == {}


def test_a_copied_spool_delivered_again_by_the_shipper(db, migrated, tmp_path):
    environment = os.environ | db_environment(migrated) | {"CROSSBRIDGE_SPOOL_DIR": str(tmp_path / "spool")}
    segment = SegmentFile(tmp_path / "spool", **gone())
    at_us = int((datetime.now(timezone.utc) - timedelta(days=130)).timestamp() * 1e6)
    for number in range(30):
        segment.event("test_end", test_id=f"t{number}", status="passed", duration_us=5, at_us=at_us + number)
    segment.end("passed")
    shutil.copytree(tmp_path / "spool", tmp_path / "copy")
    assert run_cli("ingest", env=environment, cwd=tmp_path).returncode == 0
    db.execute("UPDATE crossbridge.segments SET last_at = now() - interval '100 days'")
    told = json.loads(run_cli("db", "prune", "--json", env=environment, cwd=tmp_path).stdout)
    assert (len(told["months"]), told["segments"]) == (1, 1)
    before = _kept(db)
    assert not before["tests"]

    environment["CROSSBRIDGE_SPOOL_DIR"] = str(tmp_path / "copy")
    again = run_cli("ingest", "--json", env=environment, cwd=tmp_path)

    assert json.loads(again.stdout)["segments_closed"] == 1, again.stderr
    assert _kept(db) == before


def test_a_dry_run_tells_what_would_go_and_changes_nothing(db, migrated, old, tmp_path):
    at_us = NOON_US - 300 * DAY_US
    Segment(at_us=at_us).end("a").start("lost").deliver(db)
    environment = os.environ | db_environment(migrated)

    dry = json.loads(run_cli("db", "prune", "--dry-run", "--json", env=environment, cwd=tmp_path).stdout)
    assert db.execute("SELECT count(*) FROM crossbridge.tests").fetchone() == (1,)
    wet = json.loads(run_cli("db", "prune", "--json", env=environment, cwd=tmp_path).stdout)

    assert dry["dry_run"] is True
    assert [month["month"] for month in dry["months"]] == ["2026-01"]
    assert (dry["segments"], dry["in_flight"]) == (1, 1)
    assert dry["bytes"] == dry["months"][0]["bytes"] > 0
    assert {k: v for k, v in wet.items() if k not in ("cutoff", "dry_run")} == {
        k: v for k, v in dry.items() if k not in ("cutoff", "dry_run")
    }
