"""Weeks of tests that are over are rolled up once more, are added to by whoever comes late, and change no answer."""

from __future__ import annotations

import random
from datetime import datetime, timedelta, timezone

import pytest

from crossbridge.analysis.scope import Scope
from crossbridge.analysis.tests import rankings
from crossbridge.database.connection import connect
from support.beside import write_beside
from support.feed import Segment
from support.history import STATUSES
from support.rollups import differences, roll_up_weeks

TODAY = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
MONDAY = TODAY - timedelta(days=TODAY.weekday())
WEEK = timedelta(days=7)


def _us(at):
    return round(at.timestamp() * 1_000_000)


def _segment(at, *test_ids, **header):
    segment = Segment(**{"git_branch": "main", "environment": "ci"} | header)
    for number, test_id in enumerate(test_ids or ("a", "b")):
        segment.end(test_id, "failed" if number else "passed", 1000 + number, at_us=_us(at) + number)
    return segment


def _rolled(db):
    return db.execute("SELECT environment, week FROM crossbridge.rolled_weeks ORDER BY 2 DESC, 1").fetchall()


def test_a_new_segment_rolls_up_a_week_that_is_over_the_newest_first(db):
    for weeks in (2, 1):
        _segment(MONDAY - weeks * WEEK).deliver(db)
    db.execute("TRUNCATE crossbridge.rolled_weeks, crossbridge.rollup_test_week")
    found = []
    for _ in range(6):
        _segment(TODAY).deliver(db)
        found.append(_rolled(db))

    last, before = ((MONDAY - weeks * WEEK).date() for weeks in (1, 2))
    assert found[0] == [("*", last)]
    assert found[1] == [("*", last), ("ci", last)]
    assert found[3] == found[5] == [("*", last), ("ci", last), ("*", before), ("ci", before)]
    assert differences(db) == {}


def test_the_present_week_is_left_to_its_days(db):
    _segment(TODAY).deliver(db)
    _segment(TODAY).deliver(db)

    assert roll_up_weeks(db) == 0
    assert _rolled(db) == []


def test_a_batch_that_only_opens_its_segment_rolls_up_too(db):
    _segment(MONDAY - WEEK).deliver(db)
    db.execute("TRUNCATE crossbridge.rolled_weeks, crossbridge.rollup_test_week")

    Segment(environment="ci").deliver(db)

    assert _rolled(db) == [("*", (MONDAY - WEEK).date())]


def test_what_comes_late_is_added_to_the_week(db):
    sunday = MONDAY - timedelta(days=1)
    _segment(sunday).deliver(db)
    assert roll_up_weeks(db) + len(_rolled(db)) >= 2

    late = _segment(sunday - timedelta(days=1), "a", "new")
    late.end("a", "error", 5000, at_us=_us(MONDAY) - 1).end("a", at_us=_us(MONDAY))
    late.deliver(db)
    _segment(sunday, "a", environment="staging").deliver(db)  # in one rolled up, and in one that is not

    assert differences(db) == {}
    assert db.execute(
        "SELECT test_id, n, failed, sum_us, max_us FROM crossbridge.rollup_test_week JOIN crossbridge.test_dim USING (test_key)"
        " WHERE environment = 'ci' ORDER BY 1"
    ).fetchall() == [("a", 3, 1, 7000, 5000), ("b", 1, 1, 1001, 1001), ("new", 1, 1, 1001, 1001)]


def test_a_week_is_not_rolled_up_while_a_batch_of_it_is_under_way(db, migrated):
    _segment(MONDAY - WEEK).deliver(db)
    db.execute("TRUNCATE crossbridge.rolled_weeks, crossbridge.rollup_test_week")
    week = ("*", (MONDAY - WEEK).date())
    with connect(migrated, autocommit=False) as writer:
        opened = _segment(MONDAY - WEEK)
        opened.send(writer, 0, 1)
        writer.execute("DELETE FROM crossbridge.rolled_weeks")
        writer.commit()
        opened.delivered = 1
        opened.deliver(writer)  # not committed

        refused = db.execute("SELECT crossbridge.roll_up_week(%s, %s)", week).fetchone()
        writer.commit()

    assert refused == (False,)
    assert _rolled(db) == []
    assert db.execute("SELECT crossbridge.roll_up_week(%s, %s)", week).fetchone() == (True,)
    assert differences(db) == {}


def test_a_rebuilt_day_takes_its_week_back_to_days(db):
    _segment(MONDAY - WEEK).deliver(db)
    roll_up_weeks(db)
    db.execute("UPDATE crossbridge.rollup_test_week SET n = 99")

    db.execute("SELECT crossbridge.rebuild_day(%s)", ((MONDAY - WEEK).date(),))

    assert _rolled(db) == []
    roll_up_weeks(db)
    assert _rolled(db) != []
    assert differences(db) == {}


def test_rolling_up_while_events_arrive_loses_and_doubles_nothing(db, migrated):
    def write(connection, seed):
        dice = random.Random(seed)
        for _ in range(25):
            at = MONDAY - dice.randrange(1, 15) * timedelta(days=1) + timedelta(hours=dice.randrange(24))
            _segment(at, *(f"t{dice.randrange(6)}" for _ in range(8))).deliver(connection, 4)

    def roll_up(connection):
        roll_up_weeks(connection)
        connection.execute("DELETE FROM crossbridge.rolled_weeks WHERE random() < 0.3")

    failures = write_beside(migrated, write, roll_up)
    roll_up_weeks(db)

    assert failures == []
    assert len(_rolled(db)) == 4
    assert differences(db) == {}


@pytest.mark.parametrize("filters", [{}, {"branch": "main"}, {"environment": "ci"}, {"framework": "robot"}])
def test_rankings_are_the_same_with_weeks_and_without(db, filters):
    dice = random.Random(3)
    for number in range(60):
        at = TODAY - timedelta(hours=dice.randrange(40 * 24))
        segment = Segment(
            git_branch=dice.choice(["main", "main", "feature"]),
            environment=dice.choice(["ci", "staging"]),
            framework=dice.choice(["pytest", "robot"]),
            at_us=_us(TODAY - timedelta(days=41)) + number,
        )
        for _ in range(20):
            status = dice.choice(STATUSES)
            segment.end(f"t{dice.randrange(9)}", status, dice.randrange(10**6), at_us=_us(at))
        segment.deliver(db)
    scopes = [
        Scope(TODAY - timedelta(days=days, hours=hours), **filters)
        for days in (9, 21, 33)
        for hours in (0, 3, 15)
    ]

    def ranked(scope):
        db.execute("BEGIN")
        try:
            return rankings(db, scope, "average", "total", "failed"), rankings(db, scope, "max")
        finally:
            db.execute("COMMIT")

    db.execute("TRUNCATE crossbridge.rolled_weeks, crossbridge.rollup_test_week")
    by_days = [ranked(scope) for scope in scopes]
    roll_up_weeks(db)
    db.execute("DELETE FROM crossbridge.rolled_weeks WHERE week = %s", ((MONDAY - 2 * WEEK).date(),))  # a gap
    by_weeks = [ranked(scope) for scope in scopes]

    assert by_weeks == by_days
    assert all(answer[0]["average"] for answer in by_days)
