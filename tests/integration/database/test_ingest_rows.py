"""What each kind of event becomes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from support.feed import NOON_US, Segment

NOON = datetime(2026, 11, 17, 12, tzinfo=timezone.utc)


def test_test_end_becomes_a_row_of_tests(db, one):
    segment = Segment().end(
        "tests/a.py::test_x[ü-'/\"]",
        "failed",
        1_234_567,
        at_us=NOON_US + 5,
        attempt=2,
        setup_us=10,
        teardown_us=20,
        suite="S",
        file="tests/a.py",
        error_type="AssertionError",
        error_message="1 != 2",
        framework="robot",
        worker="gw1",
    )
    segment.deliver(db)

    row = one("SELECT * FROM crossbridge.tests")
    row.pop("id")
    row["run_id"] = str(row["run_id"])
    assert row == {
        "run_id": segment.run_id,
        "test_id": "tests/a.py::test_x[ü-'/\"]",
        "duration_ms": 1235,
        "status": "failed",
        "framework": "robot",
        "created_at": NOON + timedelta(microseconds=5),
        "duration_us": 1_234_567,
        "started_at": NOON + timedelta(microseconds=5) - timedelta(microseconds=1_234_567),
        "attempt": 2,
        "worker": "gw1",
        "suite": "S",
        "file": "tests/a.py",
        "setup_us": 10,
        "teardown_us": 20,
        "error_type": "AssertionError",
        "error_message": "1 != 2",
    }


def test_what_a_test_does_not_say_its_segment_does(db, one):
    Segment(framework="behave", worker="w7").end("a").deliver(db)

    row = one("SELECT framework, worker, attempt, setup_us, error_message FROM crossbridge.tests")
    assert row == {
        "framework": "behave",
        "worker": "w7",
        "attempt": 1,
        "setup_us": None,
        "error_message": None,
    }


def test_durations_below_a_millisecond_are_kept(db, rows):
    Segment().end("a", duration_us=1).end("b", duration_us=499).end("c", duration_us=900).deliver(db)

    found = rows("SELECT duration_us, duration_ms FROM crossbridge.tests ORDER BY test_id")
    assert [tuple(row.values()) for row in found] == [(1, 0), (499, 0), (900, 1)]


def test_every_attempt_is_a_row(db, rows):
    Segment().end("a", "failed").end("a", "passed", attempt=2).deliver(db)

    assert [tuple(r.values()) for r in rows("SELECT attempt, status FROM crossbridge.tests ORDER BY 1")] == [
        (1, "failed"),
        (2, "passed"),
    ]


def test_step_end_becomes_a_row_of_steps(db, rows):
    segment = Segment(worker="gw0")
    segment.step(
        "a",
        "log in",
        42,
        at_us=NOON_US,
        attempt=3,
        status="failed",
        event_type="keyword",
        step_index=4,
        depth=2,
    )
    segment.step("a", "plain")
    segment.deliver(db)

    full, plain = rows(
        "SELECT step_name, duration_us, created_at, started_at, attempt, status, event_type, step_index, depth, framework,"
        " worker FROM crossbridge.steps ORDER BY id"
    )
    assert full == {
        "step_name": "log in",
        "duration_us": 42,
        "created_at": NOON,
        "started_at": NOON - timedelta(microseconds=42),
        "attempt": 3,
        "status": "failed",
        "event_type": "keyword",
        "step_index": 4,
        "depth": 2,
        "framework": "pytest",
        "worker": "gw0",
    }
    assert (plain["attempt"], plain["status"], plain["event_type"], plain["step_index"], plain["depth"]) == (
        1,
        "passed",
        "step",
        None,
        0,
    )


def test_http_call_becomes_a_row_of_http_calls(db, rows):
    segment = Segment()
    segment.add(
        "http_call", endpoint="api/users/{id}", method="GET", status_code=404, duration_us=1500, test_id="a"
    )
    segment.add(
        "http_call", endpoint="api", method="POST", duration_us=9, error="ConnectionError", framework="x"
    )
    segment.deliver(db)

    found = rows(
        "SELECT test_id, endpoint, method, status_code, duration_ms, duration_us, framework, error, attempt"
        " FROM crossbridge.http_calls ORDER BY id"
    )
    assert [tuple(row.values()) for row in found] == [
        ("a", "api/users/{id}", "GET", 404, 2, 1500, "pytest", None, 1),
        (None, "api", "POST", None, 0, 9, "x", "ConnectionError", None),
    ]


def test_driver_command_becomes_a_row_of_driver_commands(db, rows):
    segment = Segment()
    segment.add(
        "driver_command", command="click", target="id=go", duration_us=2500, retry_count=2, test_id="a"
    )
    segment.add("driver_command", command="click", duration_us=1, test_id="a", attempt=2)
    segment.add("driver_command", command="get", duration_us=0, error="Timeout")
    segment.deliver(db)

    found = rows(
        "SELECT test_id, command, target, duration_ms, retry_count, framework, error, attempt"
        " FROM crossbridge.driver_commands ORDER BY id"
    )
    assert [tuple(row.values()) for row in found] == [
        ("a", "click", "id=go", 3, 2, "pytest", None, 1),
        ("a", "click", None, 0, 0, "pytest", None, 2),
        (None, "get", None, 0, 0, "pytest", "Timeout", None),
    ]


def test_system_metric_becomes_a_row_of_system_metrics(db, one):
    Segment().add("system_metric", at_us=NOON_US, cpu_percent=12.5, memory_mb=None).deliver(db)

    assert one("SELECT test_id, cpu_percent, memory_mb, created_at FROM crossbridge.system_metrics") == {
        "test_id": None,
        "cpu_percent": 12.5,
        "memory_mb": None,
        "created_at": NOON,
    }


def test_the_first_segment_makes_the_run(db, one):
    Segment(
        at_us=NOON_US,
        environment="staging",
        app_version="1.2",
        labels={"team": "a"},
        git_commit="c0ffee",
        git_branch="main",
        ci_provider="github",
        ci_url="https://ci/1",
        host="box",
        os="Linux 6.1",
        runtime="CPython 3.11.7",
    ).deliver(db)

    row = one("SELECT * FROM crossbridge.runs")
    for name in ("run_id", "created_at", "run_key", "same_code"):
        row.pop(name)
    assert {name: value for name, value in row.items() if value != 0} == {
        "started_at": NOON + timedelta(milliseconds=1),
        "environment": "staging",
        "framework": "pytest",
        "ended_at": None,
        "status": "running",
        "git_commit": "c0ffee",
        "git_branch": "main",
        "app_version": "1.2",
        "ci_provider": "github",
        "ci_url": "https://ci/1",
        "hostname": "box",
        "os": "Linux 6.1",
        "runtime": "CPython 3.11.7",
        "labels": {"team": "a"},
    }


def test_a_later_segment_fills_what_is_missing_and_changes_nothing_else(db, one):
    first = Segment(environment="ci", git_branch=None, app_version=None, labels={"a": "1"}, at_us=NOON_US)
    later = {"environment": "prod", "git_branch": "x", "app_version": "2", "labels": {"a": "9", "b": "2"}}
    first.deliver(db)
    Segment(first.run_id, framework="behave", at_us=NOON_US - 10_000, **later).deliver(db)

    row = one(
        "SELECT environment, git_branch, app_version, labels, framework, started_at FROM crossbridge.runs"
    )
    assert row == {
        "environment": "ci",
        "git_branch": None,
        "app_version": "2",
        "labels": {"a": "1", "b": "2"},
        "framework": "behave,pytest",
        "started_at": NOON - timedelta(milliseconds=9),
    }


@pytest.mark.parametrize(("first", "later"), [(None, {"b": "2"}), ({"b": "2"}, None)])
def test_labels_may_be_null(db, one, first, later):
    segment = Segment(labels=first).deliver(db)
    Segment(segment.run_id, labels=later).deliver(db)

    assert one("SELECT labels FROM crossbridge.runs") == {"labels": {"b": "2"}}


def test_frameworks_of_single_tests_belong_to_the_run(db, one):
    Segment().end("a", framework="restassured").end("b", framework="pytest").end("c").deliver(db)

    assert one("SELECT framework FROM crossbridge.runs") == {"framework": "pytest,restassured"}


def test_run_info_fills_what_is_missing(db, one):
    segment = Segment(git_commit="c0ffee", git_branch=None).deliver(db)
    end = segment.offsets[-1]
    info = {"type": "run_info", "app_version": "1.0-3-gc0ffee", "git_commit": "other", "git_branch": "late"}
    for app_version in ("1.0-3-gc0ffee", "2.0"):
        segment.call(db, end, end, [info | {"app_version": app_version}])

    # The branch stays: rollups are keyed by it from the first test on.
    assert one("SELECT app_version, git_commit, git_branch FROM crossbridge.runs") == {
        "app_version": "1.0-3-gc0ffee",
        "git_commit": "c0ffee",
        "git_branch": None,
    }


def test_events_of_unknown_types_are_counted_not_stored(db, one):
    segment = Segment().end("a")
    segment.add("coffee_break", cups=2).add("coffee_break").close(collected=3).deliver(db)

    assert one("SELECT events, unknown_events FROM crossbridge.segments") == {
        "events": 1,
        "unknown_events": 2,
    }
    assert one(
        "SELECT events_collected, events_written, events_dropped, events_spooled FROM crossbridge.runs"
    ) == {
        "events_collected": 3,
        "events_written": 1,
        "events_dropped": 2,
        "events_spooled": 0,
    }


def test_unknown_fields_are_ignored(db, one):
    Segment(colour="blue").end("a", mood={"deep": [1, 2]}).deliver(db)

    assert one("SELECT test_id FROM crossbridge.tests") == {"test_id": "a"}


@pytest.mark.parametrize(
    "name",
    ["x" * 1000, "é" * 500, "𝒳" * 250, "\x01\x1b[31m", "'; DROP TABLE crossbridge.tests; --", "\\", "%s"],
)
def test_names_are_stored_as_they_are(db, one, name):
    Segment().end(name, framework="f").step(name, name).deliver(db)

    assert one("SELECT test_id FROM crossbridge.tests") == {"test_id": name}
    assert one("SELECT step_name FROM crossbridge.rollup_step_day") == {"step_name": name}


def test_the_longest_names_at_once_fit_the_indexes(db, one):
    wide = {
        "environment": "𝒳" * 999,
        "git_branch": "𝒴" * 999,
        "framework": "".join(map(chr, range(0x400, 0x5F4))),
    }
    Segment(**wide).end("a").deliver(db)

    assert one("SELECT n FROM crossbridge.rollup_hour") == {"n": 1}
