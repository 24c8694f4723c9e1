"""Who ran what when: lanes, gaps, the picture in a terminal."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

from crossbridge.analysis.timeline import Attempt, timeline_of
from support.feed import Segment
from support.made_run import Shape, make_run

NOON = datetime(2026, 11, 17, 12, tzinfo=timezone.utc)


def attempt(start_us, duration_us, worker="gw0", test_id=None, framework="pytest"):
    return Attempt(
        framework=framework,
        test_id=test_id or f"t{start_us}",
        attempt=1,
        status="passed",
        worker=worker,
        suite=None,
        file=None,
        started_at=NOON + timedelta(microseconds=start_us),
        duration_us=duration_us,
        setup_us=None,
        teardown_us=None,
        error_type=None,
        error_message=None,
    )


def gaps(lane):
    return [(gap.start_us, gap.duration_us, gap.before) for gap in lane.gaps]


def test_idle_time_counts_from_the_first_start_to_the_last_end():
    found = timeline_of([attempt(0, 400_000), attempt(100_000, 200_000, "gw1"), attempt(700_000, 300_000)])
    assert (found.wall_us, found.busy_us, found.idle_us) == (1_000_000, 900_000, 1_100_000)
    first, second = found.lanes
    assert gaps(first) == [(400_000, 300_000, "t700000")]
    assert gaps(second) == [(0, 100_000, "t100000"), (300_000, 700_000, None)]
    assert all(lane.busy_us + lane.idle_us == found.wall_us for lane in found.lanes)


def test_tests_of_one_worker_that_overlap_get_a_lane_each():
    found = timeline_of([attempt(0, 400_000), attempt(100_000, 400_000), attempt(450_000, 10_000)])
    assert [(lane.name, len(lane.slots)) for lane in found.lanes] == [("gw0", 2), ("gw0 (2)", 1)]


def test_the_first_lane_that_is_free_is_taken():
    spans = [
        (0, 100_000),
        (50_000, 500_000),
        (60_000, 200_000),
        (300_000, 400_000),
        (310_000, 5_000),
        (610_000, 5_000),
    ]
    found = timeline_of([attempt(*span) for span in spans])
    starts = [[slot.start_us for slot in lane.slots] for lane in found.lanes]
    assert starts == [[0, 300_000], [50_000, 610_000], [60_000, 310_000]]


def test_rounding_of_start_and_end_makes_no_second_lane():
    found = timeline_of([attempt(0, 400_000), attempt(399_999, 400_000)])
    (lane,) = found.lanes
    assert (lane.busy_us, lane.gaps) == (799_999, [])


def test_workers_come_in_the_order_in_which_people_count():
    names = ["gw10", "gw2", "gw0", "10", "9"]
    found = timeline_of([attempt(n, 10, name) for n, name in enumerate(names)])
    assert [lane.name for lane in found.lanes] == ["gw0", "gw2", "gw10", "9", "10"]


def test_lanes_of_several_frameworks_say_whose_they_are():
    found = timeline_of(
        [attempt(0, 10, None, framework="robot"), attempt(1, 10, "1", framework="playwright")]
    )
    assert [lane.name for lane in found.lanes] == ["playwright 1", "robot"]


def test_a_run_without_tests_has_an_empty_timeline(crossbridge, connection):
    Segment().deliver(connection)
    answer = json.loads(crossbridge("timeline", "--json").stdout)
    assert answer["timeline"]["lanes"] == []
    assert "No test of it has ended." in crossbridge("timeline").stdout


def test_an_empty_database_is_told_as_such(crossbridge):
    assert json.loads(crossbridge("timeline", "--json").stdout) == {"run": None}
    answer = crossbridge("timeline")
    assert answer.stdout == ""
    assert answer.stderr.startswith("There is no run. Switch profiling on")


def test_every_attempt_of_a_run_is_on_its_workers_lane(crossbridge, connection, now_us):
    run_id = make_run(connection, Shape(tests=60, workers=3), at_us=now_us - 60_000_000)
    stored = connection.execute(
        "SELECT worker, count(*), sum(duration_us)::bigint FROM crossbridge.tests GROUP BY worker ORDER BY worker"
    ).fetchall()
    answer = json.loads(crossbridge("timeline", run_id[:13], "--json").stdout)
    assert answer["run"]["run_id"] == run_id
    lanes = answer["timeline"]["lanes"]
    assert [(lane["worker"], len(lane["slots"]), lane["busy_us"]) for lane in lanes] == stored
    assert answer["timeline"]["complete"] is True


def test_of_more_tests_than_asked_for_the_longest_are_kept_and_that_is_said(crossbridge, connection, now_us):
    make_run(connection, Shape(tests=30, workers=1, skipped=0), at_us=now_us - 60_000_000)
    shown = json.loads(crossbridge("timeline", "--limit", 5, "--json").stdout)["timeline"]
    (longest,) = connection.execute(
        "SELECT array_agg(duration_us ORDER BY duration_us DESC) FROM crossbridge.tests"
    ).fetchone()
    assert sorted((slot["duration_us"] for slot in shown["lanes"][0]["slots"]), reverse=True) == longest[:5]
    assert shown["complete"] is False
    assert "Only the longest tests are shown" in crossbridge("timeline", "--limit", 5).stdout


def test_the_picture_fits_the_terminal_and_shows_idleness(crossbridge, connection, now_us, monkeypatch):
    at_us = now_us - 60_000_000
    segment = Segment(at_us=at_us, worker="gw0")
    segment.start("t::first").end("t::first", duration_us=1_000_000, at_us=at_us + 1_000_000)
    segment.start("t::last\x1b[31m").end("t::last\x1b[31m", duration_us=1_000_000, at_us=at_us + 4_000_000)
    segment.close().deliver(connection)
    monkeypatch.setenv("COLUMNS", "100")
    lines = crossbridge("timeline").stdout.splitlines()
    assert max(map(len, lines)) <= 100
    (picture,) = [line for line in lines if line.startswith("  gw0")]
    cells = picture.split()[1]
    assert cells[0] == cells[-1] == "█"
    assert 0.45 < cells.count("·") / len(cells) < 0.55
    assert "2.00 s  1.00 s  gw0     t::last\\x1b[31m" in "\n".join(lines)
