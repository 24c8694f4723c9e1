"""`crossbridge verify` and the guide's script print what the guide shows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "verify_production_data.py"

EXPECTED = """\
Recent Test Runs (Last 24 Hours): 4 runs
Total Tests Executed: 14 tests
Frameworks Tested: pytest, restassured, selenium_python

Framework Performance Comparison:
  restassured:      850ms avg (1 test)
  pytest:          1154ms avg (12 tests)
  selenium_python: 1712ms avg (1 test)

Test Success Rate:
  passed:      10 tests (71.43%)
  failed:       2 tests (14.29%)
  error:        1 test (7.14%)
  interrupted:  1 test (7.14%)
"""


def run_script(*args):
    return subprocess.run(
        [sys.executable, SCRIPT, *args], capture_output=True, text=True, timeout=60, check=False
    )


def test_the_script_prints_the_shape_of_the_guide(history, project):
    history.run(("api", "passed:850"), framework="restassured")
    history.run(("browser", "passed:1712.2"), framework="selenium_python")
    history.run(*((f"t{n}", "passed:1153.6") for n in range(8)))
    history.run(("f", "failed:1153.6", "failed:1153.6"), ("e", "error:1153.6"), ("i", "interrupted:1153.6"))
    history.run(("old", "passed"), hours_ago=24.5)
    answer = run_script()
    assert (answer.stdout, answer.stderr, answer.returncode) == (EXPECTED, "", 0)


def test_the_window_is_named_as_asked(history, project):
    history.run(("t", "passed"))
    assert run_script("--since", "7d").stdout.startswith("Recent Test Runs (Last 7 Days): 1 run\n")
    assert run_script("--since", "1w").stdout.startswith("Recent Test Runs (Last 1 Week): 1 run\n")
    assert run_script("--since", " 2Y ").stdout.startswith("Recent Test Runs (Last 2 Years): 1 run\n")
    heading = run_script("--since", "2026-01-02T00:00Z").stdout.splitlines()[0]
    assert heading == "Recent Test Runs (Since 2026-01-02 00:00:00 UTC): 1 run"


def test_nothing_there_is_a_failure_with_a_mend(project, history):
    answer = run_script()
    assert answer.returncode == 1
    assert "no test has arrived" in answer.stderr
    assert "crossbridge doctor" in answer.stderr
