"""Every framework gives the rows of spec/conformance: its own command line, examples/, a real database."""

from __future__ import annotations

import pytest

from support.conformance import FRAMEWORKS, NAMES, PARALLEL, SCENARIOS, difference, is_named, without_steps

every_framework = pytest.mark.parametrize("expected", FRAMEWORKS, ids=lambda framework: framework.name)


def assert_rows(example, command, run_id):
    """The run's row, its tests, steps and calls are the expected ones, and none contradicts another."""
    store, framework = example.store, example.framework
    wanted = framework.command(command)
    assert store.summary(run_id) == {
        "framework": framework.framework,
        "status": wanted["status"],
        "dropped": 0,
        "spooled": 0,
        "all_written": True,
    }
    expected, actual = framework.rows_of(command), without_steps(store.rows(run_id), framework.by_chance)
    assert actual == expected, difference(expected, actual)
    assert store.untruths(run_id) == []
    assert store.workers(run_id) == set(wanted.get("workers", [None]))


def assert_lasts(example, run_id):
    for scenario in SCENARIOS:
        if shortest := scenario.get("lasts_us"):
            for row in example.framework.tests_of(scenario["name"]):
                assert example.store.lasted_us(run_id, row["test_id"]) >= shortest


def start(example, command):
    """Start a command of the framework's, or skip with the reason why it has none."""
    if example.framework.command(command) is None:
        pytest.skip(f"not applicable: {example.framework.not_applicable[command]}")
    return example.start(command)


def test_run_gives_the_expected_rows_and_shows_the_slow_test_meanwhile(example):
    process = start(example, "run")
    for slow in example.framework.tests_of("slow"):
        assert example.is_shown_while_it_runs(process, slow["test_id"])
    said = example.finish(process)
    assert process.returncode == example.framework.command("run")["exit_code"], said
    run_id = example.store.ended_run_id()
    assert_rows(example, "run", run_id)
    assert_lasts(example, run_id)


def test_parallel_workers_give_the_same_rows_in_one_run(example):
    process = start(example, PARALLEL)
    said = example.finish(process)
    assert process.returncode == example.framework.command(PARALLEL)["exit_code"], said
    assert_rows(example, PARALLEL, example.store.ended_run_id())


def test_killed_run_keeps_what_ended_and_calls_the_rest_interrupted(example):
    process = start(example, "killed")
    (killed,) = example.framework.tests_of("killed")
    assert example.is_shown_while_it_runs(process, killed["test_id"])
    example.kill(process)
    example.finish(process)
    assert_rows(example, "killed", example.store.ended_run_id())


@every_framework
def test_every_scenario_is_expected_or_excused(expected):
    found = {name for name, rows in expected.scenarios.items() if rows}
    if expected.command(PARALLEL):
        found.add(PARALLEL)
    excused = {name for name, reason in expected.not_applicable.items() if reason.strip()}
    assert found & excused == set()
    assert sorted(found | excused) == sorted(NAMES)


@every_framework
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario["name"])
def test_expected_rows_are_those_of_the_scenario(expected, scenario):
    statuses = {}
    for row in expected.tests_of(scenario["name"]):
        assert is_named(row["test_id"], scenario["name"]), row["test_id"]
        statuses.setdefault(row["test_id"], []).append(row["status"])
        assert row.get("http_calls", []) == scenario.get("http_calls", [])
        commands = {command["command"] for command in row.get("driver_commands", ())}
        assert commands >= set(scenario.get("driver_commands", ()))
        depths = {step.get("depth", 0) for step in row.get("steps", ())}
        assert max(depths, default=0) >= scenario.get("step_depth", 0)
    assert all(found == scenario["statuses"] for found in statuses.values()), statuses


def test_there_are_frameworks():
    assert len(FRAMEWORKS) >= 3
