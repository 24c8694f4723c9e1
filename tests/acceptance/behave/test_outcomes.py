"""Every way a scenario can end, against behave's own JSON report."""

from __future__ import annotations

import pytest

from support.behave_runs import BEHAVE, EXAMPLE, JSON, outcomes


def _recorded(run):
    return [(end["test_id"], end.get("attempt", 1), end["status"]) for end in run.ends]


def _assert_same_as_behave_says(run):
    """behave's report holds an element for each attempt, ours a row."""
    ours = [(end["file"], end["status"]) for end in run.ends if "::" in end["test_id"]]
    assert ours == outcomes(run.project / "report.json")


def test_example_gives_every_scenario_its_status(example):
    run = example.run(*BEHAVE, *JSON)
    assert run.returncode == 1
    assert _recorded(run) == EXAMPLE
    assert run.status == "failed"
    (header,) = run.headers
    assert (header["framework"], header["role"], header["worker"]) == ("behave", "main", None)


def test_scenario_has_suite_file_durations_and_message(example):
    run = example.run(*BEHAVE)
    end = run.end_of("::Raises")
    assert end["suite"] == "Outcomes"
    assert end["file"] == "features/outcomes.feature"
    assert (end["error_type"], end["error_message"]) == ("ConnectionError", "warehouse does not answer")
    assert 0 < end["setup_us"] < end["duration_us"]
    assert 0 < end["teardown_us"] < end["duration_us"]
    assert run.end_of("::Errors In Setup")["error_message"] == "warehouse does not answer"
    assert run.end_of("::Errors In Teardown")["error_message"] == "the broom does not answer"
    assert run.end_of("::Undefined")["error_message"] == 'undefined step: When I whisper "…"'
    slow = run.end_of("steps.feature::Slow")
    assert 1_200_000 <= slow["duration_us"] < 2_000_000
    assert "error_message" not in slow


def test_every_scenario_that_began_ends(example):
    run = example.run(*BEHAVE)
    begun = [
        (start["test_id"], start.get("attempt", 1), start["at_us"]) for start in run.of_type("test_start")
    ]
    assert [(name, attempt) for name, attempt, _ in begun] == [(name, number) for name, number, _ in EXAMPLE]
    for (_, _, at_us), end in zip(begun, run.ends, strict=True):
        assert end["at_us"] - at_us == end["duration_us"]


def test_hooks_before_and_after_the_steps_are_setup_and_teardown(suite):
    suite.write(
        "features/environment.py",
        """
        import time

        def before_scenario(context, scenario):
            time.sleep(0.05)

        def after_scenario(context, scenario):
            time.sleep(0.1)
        """,
    )
    suite.write("features/a.feature", "Feature: A\n  Scenario: One\n    Given it passes\n")
    (end,) = suite.run(*BEHAVE).ends
    assert 50_000 <= end["setup_us"] < 100_000
    assert 100_000 <= end["teardown_us"] < 150_000


@pytest.mark.parametrize(
    ("hooks", "status"),
    [
        ("def before_scenario(context, scenario): 1/0", "error"),
        ("def after_scenario(context, scenario): 1/0", "error"),
        ("def before_tag(context, tag): 1/0", "error"),
        ("def after_tag(context, tag): 1/0", "error"),
        ("def before_step(context, step): 1/0", "error"),
        ("def after_step(context, step): 1/0", "error"),
        ("def before_scenario(context, scenario): context.add_cleanup(lambda: 1/0)", "error"),
        ("def before_scenario(context, scenario): scenario.skip()", "skipped"),
        ("def before_feature(context, feature): feature.skip()", "skipped"),
        ("def before_step(context, step): context.scenario.skip()", "skipped"),
    ],
)
def test_hook_gives_its_scenario_behaves_status(suite, hooks, status):
    suite.write("features/environment.py", hooks + "\n")
    suite.write("features/a.feature", "Feature: A\n  @tag\n  Scenario: One\n    Given it passes\n")
    run = suite.run(*BEHAVE, *JSON)
    assert run.statuses == {"features/a.feature::One": status}
    _assert_same_as_behave_says(run)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Given it passes", "passed"),
        ("Given it fails", "failed"),
        ("Given it raises", "error"),
        ("Given it is unheard of", "error"),
        ("Given it passes\n    And it fails\n    And it raises", "failed"),
        ("", "passed"),
    ],
)
def test_steps_give_their_scenario_behaves_status(suite, text, status):
    suite.write("features/a.feature", f"Feature: A\n  Scenario: One\n    {text}\n")
    run = suite.run(*BEHAVE, *JSON)
    assert run.statuses == {"features/a.feature::One": status}
    _assert_same_as_behave_says(run)


@pytest.mark.parametrize(
    ("hook", "name"),
    [
        ("before_feature(context, feature)", "features/a.feature"),
        ("after_feature(context, feature)", "features/a.feature"),
        ("before_rule(context, rule)", "features/a.feature::R"),
        ("after_rule(context, rule)", "features/a.feature::R"),
    ],
)
def test_hook_that_fails_around_scenarios_is_an_error_of_its_own(suite, hook, name):
    suite.write("features/environment.py", f"import time\ndef {hook}:\n    time.sleep(0.05)\n    1/0\n")
    suite.write("features/a.feature", "Feature: A\n Rule: R\n  Scenario: One\n    Given it passes\n")
    run = suite.run(*BEHAVE)
    ran = {} if hook.startswith("before") else {"features/a.feature::R::One": "passed"}
    assert run.statuses == ran | {name: "error"}
    end = run.ends[-1]
    assert end["error_type"] == "ZeroDivisionError"
    assert 50_000 <= end["duration_us"] < 500_000
    assert run.status == "failed"


def test_cleanup_that_fails_after_the_last_scenario_is_an_error_of_the_feature(suite):
    suite.write(
        "features/environment.py",
        "def before_feature(context, feature):\n    context.add_cleanup(lambda: 1/0)\n",
    )
    suite.write("features/a.feature", "Feature: A\n  Scenario: One\n    Given it passes\n")
    run = suite.run(*BEHAVE)
    assert run.statuses == {"features/a.feature::One": "passed", "features/a.feature": "error"}


@pytest.mark.parametrize(
    ("hook", "recorded"),
    [
        ("before_all", {}),
        ("after_all", {"features/a.feature::One": "passed"}),
    ],
)
def test_hook_that_fails_around_all_fails_the_run(suite, hook, recorded):
    suite.write("features/environment.py", f"def {hook}(context):\n    1/0\n")
    suite.write("features/a.feature", "Feature: A\n  Scenario: One\n    Given it passes\n")
    run = suite.run(*BEHAVE)
    assert run.statuses == recorded
    assert run.status == "failed"


SELECTION = """
Feature: A
  @smoke
  Scenario: One
    Given it passes
  Scenario: Two
    Given it passes
  Scenario Outline: Three
    Given it <does>
    Examples:
      | does   |
      | passes |
      | fails  |
"""


@pytest.mark.parametrize(
    "selection",
    [
        ("--tags", "smoke"),
        ("--tags", "not @smoke"),
        ("--tags", "smoke", "--no-skipped"),
        ("--name", "One"),
        ("--name", "One", "--no-skipped"),
        ("features/a.feature:5",),
        ("--stop",),
        ("--tags", "nothing"),
    ],
)
def test_selection_records_what_behave_reports(suite, selection):
    suite.write("features/a.feature", SELECTION)
    suite.write("features/b.feature", "Feature: B\n  Scenario: Last\n    Given it passes\n")
    run = suite.run(*BEHAVE, *JSON, *selection)
    _assert_same_as_behave_says(run)


def test_dry_run_records_nothing(example):
    run = example.run(*BEHAVE, "--dry-run")
    assert run.segments == []
    assert "crossbridge: " not in run.output


def test_run_of_passing_scenarios_is_passed(suite):
    suite.write("features/a.feature", "Feature: A\n  Scenario: One\n    Given it passes\n")
    run = suite.run(*BEHAVE)
    assert (run.returncode, run.status) == (0, "passed")
