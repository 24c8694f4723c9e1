"""The rollups say exactly what the rows say, whatever happened on the way."""

from __future__ import annotations

import random
import threading

import psycopg
import pytest

from crossbridge.database.connection import connect
from support.feed import NOON_US, Segment, new_id
from support.rollups import differences, rows_rolled_up

HOUR_US, DAY_US = 3_600_000_000, 86_400_000_000
STATUSES = ["passed"] * 6 + ["failed", "error", "skipped", "xfailed", "xpassed"]

BAD_LINE = {"type": "test_end", "at_us": NOON_US, "test_id": "a", "status": "?", "duration_us": 1}


def _random_segment(dice, run_id, tests, **header):
    segment = Segment(run_id, **header)
    for _ in range(tests):
        test_id = f"test_{dice.randrange(40)}"
        at_us = NOON_US - dice.choice([0, HOUR_US, 3 * DAY_US, 40 * DAY_US]) + dice.randrange(DAY_US)
        own = dice.choice([{}, {}, {"framework": "selenium_python"}]) | dice.choice([{}, {}, {"attempt": 2}])
        segment.start(test_id, at_us=at_us, **own)
        for step in range(dice.randrange(3)):
            status = dice.choice(["passed", "failed"])
            segment.step(test_id, f"step {step}", dice.randrange(10**6), status=status, **own)
        call = {"duration_us": dice.randrange(10**6), "error": dice.choice(["Gone", None])}
        segment.add("http_call", endpoint=f"shop/{dice.randrange(3)}", method="GET", status_code=200, **call)
        segment.add("driver_command", command="click", retry_count=dice.randrange(3), **call)
        if dice.random() < 0.95:
            status, error = dice.choice(STATUSES), dice.choice(["Bad", None])
            duration_us = int(10 ** dice.uniform(0, 8))
            segment.end(test_id, status, duration_us, at_us=at_us, error_type=error, **own)
    return segment


def _make_busy(db, branch):
    """Give a branch as many runs as make the next one's days be kept for the branch too."""
    for _ in range(20):
        Segment(git_branch=branch, at_us=NOON_US - DAY_US).deliver(db)


def _ship_badly(connection, segment, dice):
    """Deliver a segment with repeats, aborted transactions and bad data in between."""
    line, offsets = 0, segment.offsets
    while line < len(segment.lines):
        last = min(line + dice.randrange(1, 40), len(segment.lines))
        fate = dice.random()
        if fate < 0.1 and line:
            bad = [*segment.lines[line:last], BAD_LINE]
            with pytest.raises(psycopg.errors.CheckViolation):
                segment.call(connection, offsets[line], offsets[last], bad)
        elif fate < 0.2:
            with connection.transaction(force_rollback=True):
                segment.send(connection, line, last)
        else:
            answer = segment.send(connection, line, last)
            if fate < 0.5:
                assert segment.send(connection, line, last) == answer
            line = offsets.index(answer)
    if dice.random() < 0.5:
        segment.abandon(connection)


def test_after_concurrent_writers_with_repeats_aborts_and_late_events(db, migrated):
    runs = [new_id() for _ in range(4)]
    failures = []
    _make_busy(db, "b1")
    # to both sides of an edge: first_passes keeps 512 to a row
    db.execute("ALTER TABLE crossbridge.test_dim ALTER test_key RESTART WITH 480")

    def write(seed):
        dice = random.Random(seed)
        try:
            with connect(migrated) as connection:
                for _ in range(4):
                    run = dice.choice(runs)
                    attributes = {
                        "environment": f"env{runs.index(run) % 2}",
                        "git_branch": f"b{runs.index(run)}",
                        "app_version": f"1.{runs.index(run)}",
                    }
                    _ship_badly(connection, _random_segment(dice, run, 100, **attributes), dice)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert rows_rolled_up(db) > 1000
    assert db.execute("SELECT count(DISTINCT chunk) FROM crossbridge.first_passes").fetchone() == (2,)
    for rollup, cell in {
        "rollup_test_day": "environment = '*b1'",
        "rollup_call_day": "git_branch = 'b1'",
    }.items():
        assert db.execute(f"SELECT count(*) > 0 FROM crossbridge.{rollup} WHERE {cell}").fetchone() == (True,)
    assert differences(db) == {}


def test_after_an_interrupted_test(db):
    Segment(environment="ci").start("a").deliver(db).abandon(db, at_us=NOON_US + 5 * DAY_US)

    assert rows_rolled_up(db) == 1
    assert differences(db) == {}


@pytest.mark.parametrize("environment", ["*", "", None])
def test_with_an_environment_of_an_odd_name(db, environment):
    Segment(environment=environment).end("a").step("a", "s").deliver(db)

    assert rows_rolled_up(db) == 1
    assert differences(db) == {}


def test_a_branch_gets_days_of_its_own_when_it_has_had_twenty_runs_in_thirty_days(db):
    def run(branch, age_days):
        Segment(git_branch=branch, at_us=NOON_US - age_days * DAY_US).end("a").close().deliver(db)

    for age_days in (29, *range(19, 0, -1)):
        run("main", age_days)
        run("feature", 31 + age_days)
    query = "SELECT count(*) FROM crossbridge.rollup_test_day WHERE environment = %s"
    assert db.execute(query, ("*main",)).fetchone() == (0,)
    run("main", 0)
    run("feature", 0)
    run(None, 0)
    assert db.execute(query, ("*main",)).fetchone() == (1,)
    assert db.execute(query, ("*feature",)).fetchone() == (0,)
    assert differences(db) == {}


def test_at_the_edges_of_hours_days_and_months(db):
    segment = Segment()
    month = NOON_US + 12 * HOUR_US + 13 * DAY_US  # 2026-12-01 00:00
    for edge in (month, month - DAY_US, month + HOUR_US):
        segment.end("a", at_us=edge - 1).end("a", at_us=edge).end("a", at_us=edge + 1)
    db.execute("SET TIME ZONE 'Asia/Kathmandu'")  # 5:45 ahead
    segment.deliver(db)

    assert rows_rolled_up(db) == 9
    assert differences(db) == {}
    assert db.execute("SELECT count(*) FROM crossbridge.tests_202612").fetchone() == (5,)


def test_a_test_keeps_its_key(db):
    for _ in range(3):
        Segment().end("a").end("b").deliver(db)
    Segment(framework="robot").end("a").deliver(db)

    keys = db.execute("SELECT test_key, test_id, framework FROM crossbridge.test_dim ORDER BY 1").fetchall()
    assert keys == [(1, "a", "pytest"), (2, "b", "pytest"), (3, "a", "robot")]


@pytest.mark.parametrize("part", [0.05, 0.5, 0.95, 0.99])
@pytest.mark.parametrize("shape", ["lognormal", "bimodal", "uniform"])
def test_percentiles_of_histograms_are_within_two_percent(shared_db, shape, part):
    dice = random.Random(shape)
    draw = {
        "lognormal": lambda: dice.lognormvariate(11, 1),
        "bimodal": lambda: dice.gauss(5_000, 300) if dice.random() < 0.7 else dice.gauss(900_000, 50_000),
        "uniform": lambda: dice.uniform(1_000, 2_000_000),
    }[shape]
    framework = f"{shape}-{part}"
    for number in range(4):
        segment = Segment(framework=framework, git_branch=f"b{number}")
        for _ in range(1500):
            segment.end("a", duration_us=max(1, round(draw())))
        segment.deliver(shared_db, 400)

    exact, *read = shared_db.execute(
        """SELECT (SELECT percentile_cont(%(part)s) WITHIN GROUP (ORDER BY duration_us)
                     FROM crossbridge.tests WHERE framework = %(framework)s),
                  (SELECT crossbridge.hist_percentile((h).lo, (h).cnt, %(part)s)
                     FROM (SELECT crossbridge.hist_sum(lo, cnt) AS h FROM crossbridge.hist_hour
                            WHERE framework = %(framework)s) AS x),
                  (SELECT crossbridge.hist_percentile((h).lo, (h).cnt, %(part)s)
                     FROM (SELECT crossbridge.hist_sum(lo, cnt) AS h FROM crossbridge.hist_day
                            WHERE framework = %(framework)s) AS x)""",
        {"part": part, "framework": framework},
    ).fetchone()
    assert read == pytest.approx([exact, exact], rel=0.02)


@pytest.mark.parametrize(
    ("bins", "p", "low", "high"),
    [
        ([0], 0.5, 0.98, 1.02),
        ([0, 100], 0.0, 0.98, 1.02),
        ([0, 100], 1.0, 1.0408**99.5, 1.0408**100.5),
        ([7] * 9, 1.0, 1.29, 1.36),
    ],
)
def test_percentiles_of_few_attempts_stay_in_their_bins(shared_db, bins, p, low, high):
    (value,) = shared_db.execute(
        "SELECT crossbridge.hist_percentile(h.lo, h.cnt, %s) FROM crossbridge.hist_of(%s) AS h", (p, bins)
    ).fetchone()
    assert low <= value <= high


def test_percentiles_of_nothing_are_null(shared_db):
    row = shared_db.execute(
        """SELECT crossbridge.hist_percentile((h).lo, (h).cnt, 0.5)
             FROM (SELECT crossbridge.hist_sum(lo, cnt) AS h FROM crossbridge.hist_hour WHERE false) AS x"""
    ).fetchone()
    assert row == (None,)
