"""Cucumber for JavaScript, recorded as its own message stream tells it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from support.node import SDK, run_tool
from support.segments import read_spool
from support.third_party import node_modules

SAMPLE = Path(__file__).parent / "sample"
FORMATTER = SDK / "src" / "cucumber" / "formatter.js"
RETRY = ("--retry", "1", "--retry-tag-filter", "@flaky")
MEANT = {"PASSED": "passed", "FAILED": "failed", "SKIPPED": "skipped", "UNDEFINED": "error"}
FEATURE = "features/shop.feature::"
NAMES = [
    "Passes", "Fails", "Errors In Setup", "Skipped", "Undefined", "Flaky", "Parametrised [1]", "Parametrised [2]",
    "Parametrised [2.1]", "Twice::Passes", "Twice::Passes #2",
]  # fmt: skip


@pytest.fixture
def project(tmp_path):
    shutil.copytree(SAMPLE, tmp_path, dirs_exist_ok=True)
    (tmp_path / ".crossbridge").mkdir()
    (tmp_path / "node_modules").symlink_to(node_modules("@cucumber/cucumber@12.2.0"))
    return tmp_path


def run(project, *ways):
    ours = ("--format", f"{FORMATTER}:/dev/null", "--format", "message:messages.ndjson")
    return run_tool(project, "cucumber-js", *RETRY, *ways, *ours, CROSSBRIDGE_PROFILING="1")


def worst(statuses):
    return max(statuses, key=["PASSED", "SKIPPED", "UNDEFINED", "FAILED"].index)


def told(project):
    """Status and attempt of every scenario run, in Cucumber's own words."""
    found, results, started = [], {}, {}
    for line in (project / "messages.ndjson").read_text().splitlines():
        message = json.loads(line)
        if case := message.get("testCaseStarted"):
            started[case["id"]] = case["attempt"] + 1
        elif step := message.get("testStepFinished"):
            results.setdefault(step["testCaseStartedId"], []).append(step["testStepResult"]["status"])
        elif case := message.get("testCaseFinished"):
            identity = case["testCaseStartedId"]
            found.append((MEANT[worst(results[identity])], started[identity]))
    return sorted(found)


@pytest.mark.parametrize("ways", [(), ("--parallel", "2")])
def test_scenarios_statuses_and_attempts_are_cucumbers_own(project, ways):
    plain = run_tool(project, "cucumber-js", *RETRY, *ways)
    ours = run(project, *ways)
    assert (ours.returncode, ours.stderr) == (plain.returncode, plain.stderr)
    events = read_spool(project / ".crossbridge" / "spool")
    ends = [event for event in events if event["type"] == "test_end"]
    assert {event["test_id"].removeprefix(FEATURE) for event in ends} == set(NAMES)
    # What a hook broke is an error; Cucumber says failed.
    as_told = [
        ("failed" if event.get("error_message") == "no server" else event["status"], event.get("attempt", 1))
        for event in ends
    ]
    assert sorted(as_told) == told(project)
    by_name = {(event["test_id"].removeprefix(FEATURE), event.get("attempt", 1)): event for event in ends}
    assert by_name["Errors In Setup", 1]["status"] == "error"
    assert (by_name["Flaky", 1]["status"], by_name["Flaky", 2]["status"]) == ("failed", "passed")
    assert by_name["Fails", 1]["error_type"] == "AssertionError"
    assert all((event.get("worker") is not None) == bool(ways) for event in ends)


def test_steps_are_named_by_their_patterns_and_hold_no_value(project):
    run(project)
    events = read_spool(project / ".crossbridge" / "spool")
    steps = [
        event for event in events if event["type"] == "step_end" and event["test_id"] == f"{FEATURE}Passes"
    ]
    assert [(step["step_name"], step["step_index"], step["status"]) for step in steps] == [
        ("Given an open shop", 0, "passed"),
        ("When I add {string}", 1, "passed"),
        ("Then the cart holds {int} item\\(s\\)", 2, "passed"),
    ]
    assert "s3cret" not in json.dumps(events)


def test_the_output_is_as_without_us(project):
    plain = run_tool(project, "cucumber-js", *RETRY, "--format", "summary")
    ours = run_tool(
        project, "cucumber-js", *RETRY, "--format", "summary", "--format", f"{FORMATTER}:/dev/null",
        CROSSBRIDGE_PROFILING="1",
    )  # fmt: skip
    assert timeless(ours.stdout) == timeless(plain.stdout)


def timeless(text):
    return [line for line in text.splitlines() if "executing steps" not in line]
