"""Rollups made anew from the rows are the ones that ingest keeps, to the last cell, whatever goes on meanwhile."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import threading
from datetime import date, datetime, timezone

import pytest

from crossbridge.database.connection import connect
from crossbridge.database.rebuild import rebuild
from crossbridge.database.retention import prune
from support.beside import write_beside
from support.cli import COMMAND, run_cli
from support.feed import NOON_US, Segment, new_id
from support.history import FAILING, STATUSES
from support.postgres import db_environment
from support.rollups import differences, roll_up_weeks, rows_rolled_up
from support.waiting import until

HOUR_US, DAY_US = 3_600_000_000, 86_400_000_000
TABLES = (
    "rollup_hour", "hist_hour", "hist_day", "rollup_test_day", "rollup_step_day",
    "rollup_run_hour", "rollup_error_day", "rollup_call_day", "rollup_test_version", "troubles", "first_passes",
    "rollup_test_week", "rolled_weeks",
)  # fmt: skip
WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"


def _cells(db):
    """Every cell of every rollup as it is stored, histograms, slots and all."""
    return {name: sorted(map(repr, db.execute(f"SELECT * FROM crossbridge.{name}"))) for name in TABLES}


def _random_segment(dice, days=5, tests=60, **header):
    segment = Segment(new_id(), framework=dice.choice(["pytest", "robot"]), **header)
    for _ in range(tests):
        test_id = f"test_{dice.randrange(30)}"
        at_us = NOON_US - dice.randrange(days) * DAY_US + dice.randrange(-HOUR_US, HOUR_US)
        framework = dice.choice([{}, {}, {"framework": "selenium_python"}])
        attempt = dice.choice([{}, {}, {"attempt": 2}])
        if dice.random() < 0.5:
            step = {"status": dice.choice(["passed", "failed"])} | framework
            segment.step(test_id, f"step {dice.randrange(3)}", dice.randrange(10**6), at_us=at_us, **step)
        status = dice.choice(STATUSES)
        error = {"error_type": dice.choice(["Bad", None])} if status in FAILING else {}
        segment.end(
            test_id, status, int(10 ** dice.uniform(0, 8)), at_us=at_us, **framework, **attempt, **error
        )
        if dice.random() < 0.3:
            duration_us = dice.randrange(10**6)
            answer = {
                "method": "GET",
                "status_code": dice.choice([200, 503, None]),
                "duration_us": duration_us,
            }
            segment.add("http_call", endpoint=f"shop/{dice.randrange(3)}", at_us=at_us, **answer)
            command = {"command": "click", "duration_us": duration_us, "retry_count": dice.randrange(3)}
            segment.add("driver_command", error=dice.choice(["Gone", None]), at_us=at_us, **command)
    return segment


@pytest.fixture
def filled(db):
    """Five days of runs in odd and usual environments, on branches busy and idle, and a test that was interrupted."""
    dice = random.Random(7)
    # to both sides of an edge: first_passes keeps 512 to a row
    db.execute("ALTER TABLE crossbridge.test_dim ALTER test_key RESTART WITH 480")
    for number in range(30):
        environment = dice.choice(["ci", "staging", "*", "", None])
        branch = "main" if number % 4 else dice.choice(["feature", "*", "", None])
        at_us = NOON_US - 5 * DAY_US + number * 1000
        version = dice.choice(["1.0", "1.1", None])
        header = {"environment": environment, "git_branch": branch, "app_version": version}
        segment = _random_segment(dice, at_us=at_us, **header).deliver(db, 20, 40)
        if number % 5 == 0:
            segment.add("run_info", app_version="1.2").deliver(db)
    Segment(environment="ci").start("cut short").deliver(db).abandon(db, at_us=NOON_US - DAY_US)
    edge = NOON_US - 12 * HOUR_US
    Segment().end("edge", at_us=edge - 1).end("edge", at_us=edge).end(
        "edge", at_us=edge + HOUR_US - 1
    ).deliver(db)
    roll_up_weeks(db)
    return db


def test_a_rebuild_changes_nothing_of_what_ingest_keeps(filled, migrated):
    before = _cells(filled)
    assert all(before.values())
    assert any("'*main'" in cell for cell in before["rollup_test_day"]), "no branch was busy"

    done = rebuild(filled, migrated)

    assert _cells(filled) == before
    assert done.days == 5
    assert done.attempts == rows_rolled_up(filled) > 1000
    assert (done.steps,) == filled.execute("SELECT count(*) FROM crossbridge.steps").fetchone()
    assert not done.resumed


def test_a_rebuild_mends_cells_that_are_wrong_missing_or_of_no_rows(filled, migrated):
    before = _cells(filled)
    for table, cell in {"rollup_hour": "hour", "hist_hour": "hour", "hist_day": "day"}.items():
        filled.execute(f"DELETE FROM crossbridge.{table} WHERE {cell} < now() AND slot < 4")
        filled.execute(f"UPDATE crossbridge.{table} SET environment = environment || '?' WHERE slot = 5")
    filled.execute("UPDATE crossbridge.rollup_test_day SET n = n + 1, ln_sum = 0 WHERE test_key % 3 = 0")
    filled.execute("UPDATE crossbridge.rollup_step_day SET step_name = 'another' WHERE step_name = 'step 1'")
    assert _cells(filled) != before

    rebuild(filled, migrated)

    assert _cells(filled) == before


def test_rows_that_came_by_copy_are_counted(db, migrated):
    Segment().end("a").deliver(db)
    db.execute(
        """INSERT INTO crossbridge.tests (run_id, test_id, status, framework, created_at, started_at, duration_us)
           SELECT run_id, 'copied ' || n, 'failed', 'junit', created_at - n * interval '1 hour', started_at, n
             FROM crossbridge.tests, generate_series(1, 20) AS n"""
    )
    assert differences(db) != {}

    rebuild(db, migrated)

    assert set(differences(db)) == {"runs"}  # counts of a run are no rollup
    assert db.execute("SELECT count(*) FROM crossbridge.test_dim").fetchone() == (21,)


def test_only_the_days_asked_for(filled, migrated):
    filled.execute("UPDATE crossbridge.rollup_hour SET n = 0")

    done = rebuild(filled, migrated, date(2026, 11, 16))

    assert done.days == 2
    wrong = filled.execute("SELECT DISTINCT hour::date FROM crossbridge.rollup_hour WHERE n = 0").fetchall()
    assert {day for (day,) in wrong} == {date(2026, 11, day) for day in range(13, 16)}


def test_events_that_arrive_meanwhile_are_neither_lost_nor_doubled(db, migrated):
    def write(connection, seed):
        dice = random.Random(seed)
        for number in range(12):
            segment = _random_segment(dice, git_branch="main", environment=f"env{number % 2}")
            segment.deliver(connection, 15, 30, 45)

    failures = write_beside(migrated, write, lambda connection: rebuild(connection, migrated))

    assert failures == []
    assert rows_rolled_up(db) == 3 * 12 * 60
    assert differences(db) == {}


def test_a_day_waits_for_a_batch_under_way_and_counts_it(filled, migrated):
    with connect(migrated, autocommit=False) as writer:
        _random_segment(random.Random(1), days=3).deliver(writer)  # not committed
        with connect(migrated) as other:
            thread = threading.Thread(target=rebuild, args=(other, migrated))
            thread.start()
            try:
                until(lambda: filled.execute(WAITING).fetchone() == (1,), timeout_s=30)
            finally:
                writer.commit()
                thread.join()

    assert differences(filled) == {}


def test_a_batch_of_another_day_does_not_wait_for_a_rebuild(filled, migrated):
    with connect(migrated, autocommit=False) as rebuilder:
        rebuilder.execute("SELECT crossbridge.rebuild_day('2026-11-14')")  # not committed
        filled.execute("SET lock_timeout = '5s'")

        Segment().end("today").deliver(filled)

        rebuilder.commit()
    assert differences(filled) == {}


@pytest.mark.parametrize("stopped_at", [date(2026, 11, 13), date(2026, 11, 15), date(2026, 11, 17)])
def test_killed_at_any_day_it_goes_on_there(filled, migrated, tmp_path, stopped_at):
    before = _cells(filled)
    for table in TABLES:
        filled.execute(f"TRUNCATE crossbridge.{table}")
    environment = os.environ | db_environment(migrated)
    command = [*COMMAND, "db", "rebuild-rollups", "--json"]
    with connect(migrated, autocommit=False) as holder:  # like a batch under way
        holder.execute(
            "SELECT pg_advisory_xact_lock_shared(crossbridge.day_lock_class(), %s::date - date '1970-01-01')",
            (stopped_at,),
        )
        with subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE) as process:
            until(lambda: filled.execute(WAITING).fetchone() == (1,), timeout_s=60)
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        left = filled.execute("SELECT max(day), count(*) FROM crossbridge.rebuild_queue").fetchone()
        assert left == (stopped_at, stopped_at.day)  # from the first of the month on

    done = run_cli("db", "rebuild-rollups", "--json", env=environment, cwd=tmp_path)

    assert json.loads(done.stdout)["resumed"] is True, done.stderr
    assert _cells(filled) == before
    assert filled.execute("SELECT count(*) FROM crossbridge.rebuild_queue").fetchone() == (0,)


def test_one_cut_short_that_was_for_other_days_is_done_too(filled, migrated):
    filled.execute("UPDATE crossbridge.rollup_hour SET n = 0")
    filled.execute("INSERT INTO crossbridge.rebuild_queue VALUES ('2026-11-13', '2026-11-01')")

    done = rebuild(filled, migrated, date(2026, 11, 17))

    assert (done.days, done.resumed) == (2, False)


def test_pruned_months_keep_their_rollups(filled, migrated):
    late = NOON_US - 40 * DAY_US
    Segment().end("old", at_us=late).step("old", "s", at_us=late).deliver(filled)
    prune(filled, migrated, datetime(2026, 11, 1, tzinfo=timezone.utc))
    Segment().end("straggler", at_us=late + 1).deliver(filled)  # makes the month again
    roll_up_weeks(filled)
    before = _cells(filled)

    rebuild(filled, migrated)
    filled.execute("SELECT crossbridge.rebuild_day('2026-10-08')")

    assert _cells(filled) == before
    assert any("2026, 10, 8" in cell for cell in before["rollup_hour"])


def test_the_command_says_what_it_did(filled, migrated, tmp_path):
    environment = os.environ | db_environment(migrated)
    with connect(migrated) as connection:
        attempts = rows_rolled_up(connection)

    plain = run_cli("db", "rebuild-rollups", env=environment, cwd=tmp_path)
    parsed = run_cli(
        "db", "rebuild-rollups", "--since", "2026-11-17", "--json", env=environment, cwd=tmp_path
    )

    assert plain.returncode == 0, plain.stderr
    assert f"Rebuilt the rollups of 5 days: {attempts:,} attempts" in plain.stdout
    assert plain.stderr == ""
    assert json.loads(parsed.stdout)["days"] == 1
    assert json.loads(parsed.stdout)["since"] == "2026-11-17"


def test_the_command_without_the_right_to(filled, migrated, tmp_path, server):
    from dataclasses import replace

    name = f"onlooker_{os.getpid()}"
    filled.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'pw'")
    try:
        target = replace(migrated, user=name, password="pw")
        done = run_cli("db", "rebuild-rollups", env=os.environ | db_environment(target), cwd=tmp_path)
    finally:
        filled.execute(f"DROP ROLE {name}")

    assert done.returncode == 3
    assert "permission denied" in done.stderr
    assert "Traceback" not in done.stderr
