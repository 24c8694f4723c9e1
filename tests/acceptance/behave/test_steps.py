"""Steps, and what is not written down of them."""

from __future__ import annotations

import pytest

from support.behave_runs import BEHAVE
from support.framework_runs import step_tree

NESTED = """\
Given a cart with "{item}" [step] passed
When I log in as "{user}" with "{password}" [step] passed
And I add all of these [step] passed
  When I add "{item}" [step] passed
  When I add "{item}" [step] passed
Then the cart holds {count:d} item(s) [step] passed"""


def test_steps_nest_and_bear_the_pattern_that_matched(example):
    run = example.run(*BEHAVE, "features/steps.feature")
    assert step_tree(run, "features/steps.feature::Nested Steps") == NESTED.splitlines()


def test_background_steps_come_first_and_steps_after_a_failure_do_not_come(example):
    run = example.run(*BEHAVE, "features/outcomes.feature")
    assert step_tree(run, "features/outcomes.feature::Fails") == [
        "Given an open shop [step] passed",
        'When I add "{item}" [step] passed',
        "Then the cart holds {count:d} item(s) [step] failed",
    ]
    assert step_tree(run, "features/outcomes.feature::Undefined") == [
        "Given an open shop [step] passed",
        'When I whisper "…" [step] failed',
    ]


def test_no_value_of_a_step_table_or_example_reaches_the_segment(example):
    example.run(*BEHAVE)
    (segment,) = example.spool.glob("*/*.jsonl")
    for value in ("s3cret", "alice", "coffee", "cocoa"):
        assert value not in segment.read_text()


def test_step_belongs_to_its_attempt_and_lasts_as_long_as_it_ran(example):
    run = example.run(*BEHAVE)
    flaky = [step for step in run.of_type("step_end") if step["test_id"].endswith("::Flaky")]
    assert [(step.get("attempt", 1), step["step_index"]) for step in flaky] == [
        (1, 0),
        (1, 1),
        (2, 0),
        (2, 1),
    ]
    (pay,) = [step for step in run.of_type("step_end") if step["step_name"] == "When I pay slowly"]
    assert 1_200_000 <= pay["duration_us"] < 2_000_000


@pytest.mark.parametrize(
    ("definition", "text", "name"),
    [
        ("@step('I type {x}')", "I type s3cret", "I type {x}"),
        ("@step('I type {x:w}')\n@step('I enter {x:w}')", "I enter s3cret", "I enter {x:w}"),
        ("@step('I type {x:w}')\n@step('I enter {x:w}')", "I type s3cret", "I type {x:w}"),
        ("use_step_matcher('re')\n@step(r'I type (?P<x>\\w+)')", "I type s3cret", r"I type (?P<x>\w+)"),
        ("use_step_matcher('cfparse')\n@step('I type {x:w}')", "I type s3cret", "I type {x:w}"),
    ],
)
def test_step_is_called_by_the_pattern_of_each_matcher(suite, definition, text, name):
    suite.write(
        "features/steps/more.py",
        f"from behave import step, use_step_matcher\n{definition}\ndef typed(context, x):\n    pass\n",
    )
    suite.write("features/a.feature", f"Feature: A\n  Scenario: One\n    When {text}\n    And it passes\n")
    run = suite.run(*BEHAVE)
    assert step_tree(run, "features/a.feature::One") == [
        f"When {name} [step] passed",
        "And it passes [step] passed",
    ]


def test_pending_step_is_failed(suite):
    suite.write(
        "features/steps/more.py",
        "from behave import step\n@step('later')\ndef later(context):\n    raise NotImplementedError()\n",
    )
    suite.write("features/a.feature", "Feature: A\n  Scenario: One\n    When later\n")
    run = suite.run(*BEHAVE)
    assert step_tree(run, "features/a.feature::One") == ["When later [step] failed"]
    assert run.statuses == {"features/a.feature::One": "error"}


def test_own_steps_nest_under_the_step(suite):
    suite.write(
        "features/steps/more.py",
        """
        import crossbridge
        from behave import step

        @step("it weighs")
        def weighs(context):
            with crossbridge.step("weigh"):
                pass
        """,
    )
    suite.write("features/a.feature", "Feature: A\n  Scenario: One\n    When it weighs\n")
    run = suite.run(*BEHAVE)
    assert step_tree(run, "features/a.feature::One") == [
        "When it weighs [step] passed",
        "  weigh [step] passed",
    ]


def test_steps_that_a_hook_executes_for_a_feature_are_of_no_scenario(suite):
    suite.write(
        "features/environment.py",
        "def before_feature(context, feature):\n    context.execute_steps('Given it passes')\n",
    )
    suite.write("features/a.feature", "Feature: A\n  Scenario: One\n    When it passes\n")
    run = suite.run(*BEHAVE)
    assert [step["step_name"] for step in run.of_type("step_end")] == ["When it passes"]
