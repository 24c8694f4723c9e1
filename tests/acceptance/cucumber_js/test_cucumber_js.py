"""Cucumber for JavaScript, recorded as its own message stream tells it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from support.node import SDK, run_tool
from support.pytest_runs import read_segments
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


CUCUMBERS = ("@cucumber/cucumber@12.9.0", "@cucumber/cucumber@12.2.0")


@pytest.fixture
def project(tmp_path, request):
    shutil.copytree(SAMPLE, tmp_path, dirs_exist_ok=True)
    (tmp_path / ".crossbridge").mkdir()
    (tmp_path / "node_modules").symlink_to(node_modules(getattr(request, "param", CUCUMBERS[0])))
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


@pytest.mark.parametrize("project", CUCUMBERS, indirect=True)
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


@pytest.mark.parametrize("option", ["--dry-run", "-d"])
def test_a_dry_run_runs_no_scenario_and_records_none(project, option):
    run(project, option)
    assert not (project / ".crossbridge" / "spool").exists()


def test_a_feature_that_cannot_be_parsed_is_an_error(project):
    (project / "features" / "broken.feature").write_text(
        "Feature: Broken\n  Scenario: A\n    Given b\n    c\n"
    )
    plain = run_tool(project, "cucumber-js")
    ours = run(project)
    assert (ours.returncode, ours.stderr) == (plain.returncode, plain.stderr)
    # Cucumber runs no scenario then.
    (events,) = read_segments(project / ".crossbridge" / "spool")
    (end,) = (event for event in events if event["type"] == "test_end")
    assert (end["test_id"], end["status"]) == ("features/broken.feature", "error")
    assert (end["error_type"], end["file"]) == ("ParseError", "features/broken.feature")
    assert "got 'c'" in end["error_message"]
    assert events[-1]["status"] == "failed"


@pytest.mark.parametrize("ways", [(), ("--parallel", "2")])
@pytest.mark.parametrize("hook", ["BeforeAll", "AfterAll"])
def test_a_hook_around_the_run_that_breaks_is_an_error_under_its_file(project, hook, ways):
    code = f"require('@cucumber/cucumber').{hook}(() => {{ throw new RangeError('no shop'); }});\n"
    (project / "features" / "support" / "shop.js").write_text(code)
    plain = run_tool(project, "cucumber-js", *ways)
    ours = run(project, *ways)
    assert ours.returncode == plain.returncode
    assert ways or ours.stderr == plain.stderr
    (events,) = read_segments(project / ".crossbridge" / "spool")
    ends = {event["test_id"]: event for event in events if event["type"] == "test_end"}
    end = ends.pop("features/support/shop.js")
    assert (end["status"], end["error_type"], end["error_message"]) == ("error", "RangeError", "no shop")
    assert bool(ends) == (hook == "AfterAll")
    assert events[-1]["status"] == "failed"


def timeless(text):
    return [line for line in text.splitlines() if "executing steps" not in line]
