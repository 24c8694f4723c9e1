"""behave 1.2.6: no `-r`, no rules, and `failed` for whatever went wrong."""

from __future__ import annotations

import sys

import pytest

from support.behave_runs import EXAMPLE, INSTALL, JSON
from support.framework_runs import Suite, step_tree
from support.third_party import python_with

pytestmark = pytest.mark.skipif(sys.version_info >= (3, 12), reason="behave 1.2.6 is for older Pythons")

# Where 1.2.6 differs: an exception in a step and an undefined step are failures, and `Rule:` is not in its grammar.
FAILED_THERE = ("::Raises", "::Undefined")


@pytest.fixture
def old(tmp_path):
    suite = Suite(
        tmp_path / "old", example="behave", python=python_with("behave==1.2.6", "setuptools<80", "requests")
    )
    with (suite.folder / "features/environment.py").open("a") as file:
        file.write(INSTALL)
    steps = suite.folder / "features/steps.feature"
    steps.write_text(steps.read_text().partition("  Rule:")[0])
    return suite


def test_example_gives_every_scenario_its_status(old):
    run = old.run("behave", *JSON)
    assert run.returncode == 1
    assert run.headers[0]["framework_version"] == "1.2.6"
    assert [(end["test_id"], end.get("attempt", 1), end["status"]) for end in run.ends] == [
        (name, attempt, "failed" if name.endswith(FAILED_THERE) else status)
        for name, attempt, status in EXAMPLE[:-1]
    ]
    assert run.end_of("::Errors In Setup")["status"] == "error"
    assert run.status == "failed"


def test_steps_nest_and_bear_the_pattern_that_matched(old):
    run = old.run("behave", "features/steps.feature")
    assert step_tree(run, "features/steps.feature::Nested Steps") == [
        'Given a cart with "{item}" [step] passed',
        'When I log in as "{user}" with "{password}" [step] passed',
        "And I add all of these [step] passed",
        '  When I add "{item}" [step] passed',
        '  When I add "{item}" [step] passed',
        "Then the cart holds {count:d} item(s) [step] passed",
    ]


def test_outcome_and_output_are_those_without_us(old):
    plain = old.run("behave", "-f", "steps", "features/outcomes.feature", on=False)
    run = old.run("behave", "-f", "steps", "features/outcomes.feature")
    assert run.returncode == plain.returncode
    assert run.stdout.partition("Took ")[0] == plain.stdout.partition("Took ")[0]
