"""The guide's demonstration: what it prints is what was measured, counted and stored."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.cli import run_cli
from support.waiting import until

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "demo_production_profiling.py"

SHAPE = r"""✅ Connected to PostgreSQL: 127\.0\.0\.1:\d+
✅ Database: \w+
✅ Schema: crossbridge \(6 tables\)

✅ Metrics collector started
✅ Run ID: [0-9a-f-]{36}
✅ Storage backend: PostgreSQL
✅ Mode: Non-blocking, async

Executing: test_user_login_workflow \[pytest\]
  - Navigate to login page: \d+ms
  - Enter credentials: \d+ms
  - Click login button: \d+ms
  - Verify dashboard loaded: \d+ms
  ✅ Completed in \d+ms - passed

Executing: test_checkout_process \[selenium_python\]
  - Add item to cart: \d+ms
  - Proceed to checkout: \d+ms
  - Fill shipping info: \d+ms
  - Enter payment details: \d+ms
  - Confirm order: \d+ms
  ✅ Completed in \d+ms - passed

Executing: test_api_user_creation \[restassured\]
  - POST /api/users: \d+ms
  - Verify response 201: \d+ms
  - GET /api/users/{id}: \d+ms
  ✅ Completed in \d+ms - passed

✅ Profiling Statistics:
     Events collected: 30
     Events written: 30
     Events dropped: 0
"""


def near(stored, printed):
    """The same names, and the same milliseconds but for rounding."""
    return all(
        name == told and abs(ms - int(told_ms)) <= 1
        for (name, ms), (told, told_ms) in zip(stored, printed, strict=True)
    )


def run_script(*args):
    return subprocess.run(
        [sys.executable, SCRIPT, *args], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("speed", ["50", "1"])
def test_what_is_printed_is_what_is_stored(project, history, speed):
    answer = run_script("--speed", speed)
    assert answer.returncode == 0, answer.stderr
    assert re.fullmatch(SHAPE, answer.stdout), answer.stdout
    run_id = re.search("Run ID: (.*)", answer.stdout)[1]
    stored = history.connection.execute(
        "SELECT test_id, duration_ms FROM crossbridge.tests WHERE run_id = %s ORDER BY id", [run_id]
    ).fetchall()
    printed = re.findall(r"Executing: (\w+) \[.*?Completed in (\d+)ms", answer.stdout, re.DOTALL)
    assert near(stored, printed)
    if speed == "1":
        assert all(ms >= nominal for (_, ms), nominal in zip(stored, [1500, 3200, 850], strict=True))
    stored = history.connection.execute(
        "SELECT step_name, duration_ms FROM crossbridge.steps WHERE run_id = %s ORDER BY id", [run_id]
    ).fetchall()
    assert near(stored, re.findall(r"  - (.*): (\d+)ms", answer.stdout))
    row = history.connection.execute(
        "SELECT status, environment, events_collected, events_written, events_dropped FROM crossbridge.runs"
    ).fetchall()
    assert row == [("passed", "demo", 30, 30, 0)]


def test_an_environment_that_is_set_stays(project, history, monkeypatch):
    monkeypatch.setenv("CROSSBRIDGE_ENVIRONMENT", "staging")
    monkeypatch.setenv(
        "CROSSBRIDGE_PROFILING", "false"
    )  # asked for by name, the demonstration runs all the same
    assert run_script("--speed", "100").returncode == 0
    assert history.connection.execute("SELECT environment FROM crossbridge.runs").fetchall() == [("staging",)]


def test_a_database_that_refuses_events_makes_it_fail_with_the_reason(project, history, monkeypatch):
    role, password = f"reader_{os.getpid()}", "only for this test"
    history.connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'")
    history.connection.execute(f"GRANT USAGE ON SCHEMA crossbridge TO {role}")
    monkeypatch.setenv("CROSSBRIDGE_DB_USER", role)
    monkeypatch.setenv("CROSSBRIDGE_DB_PASSWORD", password)
    try:
        answer = run_script("--speed", "200")
        assert answer.returncode == 1
        assert (
            "❌ Profiling Statistics:\n     Events collected: 30\n     Events written: 0\n" in answer.stdout
        )
        assert "crossbridge: 30 of 30 events are not delivered: " in answer.stderr
        assert "permission denied" in answer.stderr
        assert answer.stderr.rstrip().endswith("deliver them with 'crossbridge ingest'.")
        assert password not in answer.stdout + answer.stderr
    finally:
        shipper_gone(project)
        history.connection.execute(f"DROP OWNED BY {role}")
        history.connection.execute(f"DROP ROLE {role}")


def shipper_gone(project):
    """End the shipper the demonstration has started, which goes on trying."""
    from crossbridge.profiling.progress import shipper_state

    state = shipper_state(str(project / ".crossbridge" / "spool"))
    if state.alive:
        os.kill(state.pid, 15)
        until(lambda: not state.alive)


def test_no_database_is_told_before_anything_runs(project, monkeypatch):
    monkeypatch.setenv("CROSSBRIDGE_DB_PORT", "1")
    answer = run_cli("demo")
    assert (answer.returncode, answer.stdout) == (3, "")
    assert answer.stderr.startswith("crossbridge: database unreachable at 127.0.0.1:1/")
    assert answer.stderr.count("\n") == 1


def test_without_a_server_of_ones_own_the_embedded_one_is_started(tmp_path, monkeypatch, scratch):
    monkeypatch.setenv("CROSSBRIDGE_DATA_DIR", str(scratch / "demo"))
    (tmp_path / ".crossbridge").mkdir()
    monkeypatch.chdir(tmp_path)
    answer = run_script("--speed", "200")
    assert answer.returncode == 0, answer.stderr
    assert re.fullmatch(SHAPE, answer.stdout), answer.stdout
    status = run_cli("status", "--json")
    assert status.returncode == 0
    assert run_cli("report").stdout.splitlines()[0].endswith(" passed")
    run_cli("down")


def test_steps_count_as_the_guide_says():
    from crossbridge.cli.demo import TESTS

    assert [len(test.steps) for test in TESTS] == [4, 5, 3]
    assert [sum(test.steps.values()) for test in TESTS] == [1500, 3200, 850]
