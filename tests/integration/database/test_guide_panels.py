"""The guide's six Grafana panels run on the schema as they are printed, and tell the truth."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from support.feed import NOON_US, Segment
from support.panels import PANELS, panel_rows

NOON = datetime(2026, 11, 17, 12, tzinfo=timezone.utc)
HOUR_US = 3_600_000_000


@pytest.fixture
def recorded(db):
    """Two hours of two frameworks, with a flaky test; and a day outside the window."""
    robot = Segment(framework="robot")
    pytest_ = Segment(framework="pytest")
    pytest_.end("slow", duration_us=3_000_000, at_us=NOON_US).end("flaky", "failed", 100_000).end(
        "flaky", "passed", 300_000
    )
    pytest_.end("broken", "failed", 50_000).end("skipped", "skipped", 0)
    pytest_.step("slow", "open", 250_000, at_us=NOON_US + 1).step("slow", "open", 750_000).step(
        "slow", "close", 1_000
    )
    robot.end("login", duration_us=1_500_400, at_us=NOON_US + HOUR_US)
    robot.end("login", duration_us=9_000_000, at_us=NOON_US - 24 * HOUR_US)
    for segment in (pytest_, robot):
        segment.deliver(db)
    return db


def test_there_are_six():
    assert len(PANELS) == 6


def test_test_execution_trends(recorded):
    assert panel_rows(recorded, "Test Execution Trends (Time Series)") == [
        (NOON, Decimal(690), 3000, 0),
        (NOON + timedelta(hours=1), Decimal(1500), 1500, 1500),
    ]


def test_framework_performance_comparison(recorded):
    assert panel_rows(recorded, "Framework Performance Comparison (Bar Chart)") == [
        ("robot", 1500),
        ("pytest", 690),
    ]


def test_test_success_rate(recorded):
    assert panel_rows(recorded, "Test Success Rate (Gauge)") == [(Decimal("50.00"),)]


def test_flaky_tests_detection(recorded):
    assert panel_rows(recorded, "Flaky Tests Detection (Table)") == [("flaky", 2, 1, 1, Decimal("50.00"))]


def test_top_10_slowest_tests(recorded):
    assert panel_rows(recorded, "Top 10 Slowest Tests (Table)") == [
        ("slow", "pytest", 3000, 1),
        ("login", "robot", 1500, 1),
        ("flaky", "pytest", 200, 2),
        ("broken", "pytest", 50, 1),
        ("skipped", "pytest", 0, 1),
    ]


def test_step_level_profiling(recorded):
    rows = panel_rows(recorded, "Step-Level Profiling (Time Series)", test_id="slow")
    assert sorted(rows) == [(NOON, "close", Decimal(1)), (NOON, "open", Decimal(500))]
    assert panel_rows(recorded, "Step-Level Profiling (Time Series)", test_id="flaky") == []


# The guide's tables, column by column; ours come on top.
GUIDE_COLUMNS = {
    "runs": "run_id uuid, started_at timestamptz, environment text, framework text, created_at timestamptz",
    "tests": "id bigint, run_id uuid, test_id text, duration_ms integer, status text, framework text, created_at timestamptz",
    "steps": "id bigint, run_id uuid, test_id text, step_name text, duration_ms integer, event_type text, framework text,"
    " created_at timestamptz",
    "http_calls": "id bigint, run_id uuid, test_id text, endpoint text, method text, status_code integer,"
    " duration_ms integer, created_at timestamptz",
    "driver_commands": "id bigint, run_id uuid, test_id text, command text, duration_ms integer, retry_count integer,"
    " created_at timestamptz",
    "system_metrics": "id bigint, run_id uuid, test_id text, cpu_percent double precision, memory_mb double precision,"
    " created_at timestamptz",
}


@pytest.mark.parametrize("table", GUIDE_COLUMNS)
def test_the_guides_columns_keep_their_names_and_types(shared_db, table):
    found = shared_db.execute(
        """SELECT attname || ' ' || replace(format_type(atttypid, atttypmod), 'timestamp with time zone', 'timestamptz')
             FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0""",
        (f"crossbridge.{table}",),
    ).fetchall()

    assert set(GUIDE_COLUMNS[table].split(", ")) <= {column for (column,) in found}
