"""The schema works on PostgreSQL 13 to 18: the oldest always, those between with TEST_ALL_POSTGRES=1."""

from __future__ import annotations

import os
import random
import threading
from datetime import datetime, timezone

import pytest

from crossbridge.analysis.compare import compare
from crossbridge.analysis.regressions import find_regressions
from crossbridge.analysis.report import report_window
from crossbridge.analysis.scope import Scope
from crossbridge.analysis.sides import find_side
from crossbridge.database.connection import begin_look, connect
from crossbridge.database.migrate import migrate, migrations
from crossbridge.database.retention import prune
from crossbridge.database.roles import grant_roles
from support.feed import NOON_US, Segment
from support.other_postgres import other_postgres
from support.panels import PANELS, panel_rows
from support.rollups import differences, rows_rolled_up

OLDEST, *BETWEEN = ["13.23.0", "14.20.0", "15.15.0", "16.11.0", "17.7.0"]
DAY_US = 86_400_000_000
CUTOFF = datetime(2026, 11, 1, tzinfo=timezone.utc)


@pytest.mark.parametrize("version", [OLDEST, *(BETWEEN if os.environ.get("TEST_ALL_POSTGRES") else [])])
def test_the_schema_works_on_postgresql(version, scratch):
    with other_postgres(version, scratch) as target:
        assert migrate(target) == [step.version for step in migrations()]
        _write_at_once(target)
        with connect(target) as db:
            assert db.info.server_version // 10000 == int(version.split(".")[0])
            worker = Segment(parent=Segment().writer).start("a").step("a", "s")
            worker.add("http_call", endpoint="e", method="GET", duration_us=1).add(
                "driver_command", command="c", duration_us=1
            )
            worker.add("system_metric", cpu_percent=1.5).add(
                "step_start", test_id="a", step_name="open"
            ).deliver(db)
            assert db.execute("SELECT step_name FROM crossbridge.in_flight").fetchone() == ("open",)
            Segment().start("killed").deliver(db).abandon(db)
            assert db.execute(
                "SELECT count(*) FROM crossbridge.tests WHERE status = 'interrupted'"
            ).fetchone() == (1,)

            assert rows_rolled_up(db) == 4 * 120 + 1
            assert differences(db) == {}
            assert all(panel_rows(db, title, test_id="t1") for title in PANELS)
            (p95,) = db.execute(
                "SELECT crossbridge.hist_percentile((h).lo, (h).cnt, 0.95)"
                " FROM (SELECT crossbridge.hist_sum(lo, cnt) AS h FROM crossbridge.hist_day) AS x"
            ).fetchone()
            assert 1 < p95 < 10**6
            _read(target)

            grant_roles(db, target)
            prune(db, target, CUTOFF)
            assert 0 < db.execute("SELECT count(*) FROM crossbridge.tests").fetchone()[0] < 4 * 120


def _read(target):
    """Ask what reading commands ask in SQL of their own."""
    with connect(target, autocommit=False) as connection:
        begin_look(connection)
        scope = Scope(datetime.fromtimestamp(NOON_US / 1e6 - 3600, timezone.utc), limit=20)
        report = report_window(connection, scope)
        assert {test.test_id for test in report.failing} == {f"t{number}" for number in range(9)}
        assert sum(test.attempts for test in report.slowest) == sum(
            part.attempts for part in report.frameworks
        )
        runs = connection.execute(
            "SELECT run_id::text FROM crossbridge.runs ORDER BY tests DESC LIMIT 2"
        ).fetchall()
        assert compare(connection, *(find_side(connection, f"run:{run}") for (run,) in runs)).tests == 9
        assert find_regressions(connection, scope).tests == 0


def _write_at_once(target):
    barrier, failures = threading.Barrier(4), []

    def write(seed):
        dice, segment = random.Random(seed), Segment(environment="ci")
        for number in range(120):
            at_us = NOON_US - dice.choice([0, 40]) * DAY_US
            segment.end(
                f"t{number % 9}", dice.choice(["passed", "failed"]), dice.randrange(10**6), at_us=at_us
            )
            segment.step(f"t{number % 9}", "s")
        try:
            with connect(target) as connection:
                barrier.wait()
                segment.deliver(connection, 50, 100, 200)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
