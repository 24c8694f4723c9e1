"""Keywords and control structures as nested steps, and what is not written down of them."""

from __future__ import annotations

from support.framework_runs import step_tree
from support.robot_runs import ROBOT

NESTED = """\
Shop.Empty Cart [setup] passed
Log In As ${user} With ${password} [keyword] passed
  Shop.Log In [keyword] passed
FOR [control] passed
  ITERATION [control] passed
    Shop.Add To Cart [keyword] passed
  ITERATION [control] passed
    Shop.Add To Cart [keyword] passed
ELSE [control] passed
  Shop.Cart Should Hold [keyword] passed
TRY [control] failed
  Shop.Connect [keyword] failed
EXCEPT [control] passed
  BuiltIn.Log [keyword] passed
Shop.Empty Cart [teardown] passed"""


def test_keywords_and_control_structures_nest(example):
    run = example.run(*ROBOT, "--test", "Nested Steps", "tests")
    assert step_tree(run, "Tests.Steps.Nested Steps") == NESTED.splitlines()


def test_step_begins_before_it_ends(example):
    run = example.run(*ROBOT, "--test", "Slow", "tests")
    begun = {step["step_index"]: step["at_us"] for step in run.of_type("step_start") if "step_index" in step}
    for step in run.of_type("step_end"):
        assert step["at_us"] - begun[step["step_index"]] >= step["duration_us"]
    (pay,) = [step for step in run.of_type("step_end") if step["step_name"] == "Shop.Pay Slowly"]
    assert 1_200_000 <= pay["duration_us"] < 2_000_000


def test_no_argument_reaches_the_segment(example):
    """Literal arguments, embedded ones, conditions and loop values all say s3cret in this test."""
    example.run(*ROBOT, "--test", "Nested Steps", "tests")
    (segment,) = example.spool.glob("*/*.jsonl")
    assert "s3cret" in (example.folder / "results" / "output.xml").read_text()
    assert "s3cret" not in segment.read_text()
    assert "alice" not in segment.read_text()


def test_step_of_a_library_nests_under_its_keyword(suite):
    suite.write(
        "lib/Basket.py",
        """
        import crossbridge

        class Basket:
            def fill(self):
                with crossbridge.step("weigh"):
                    pass
        """,
    )
    suite.write("t.robot", "*** Settings ***\nLibrary    lib/Basket.py\n*** Test Cases ***\nOne\n    Fill\n")
    run = suite.run(*ROBOT, "t.robot")
    assert step_tree(run, "T.One") == ["Basket.Fill [keyword] passed", "  weigh [step] passed"]


def test_while_group_and_skipped_keywords_are_steps(suite):
    suite.write(
        "t.robot",
        """
        *** Test Cases ***
        One
            VAR    ${n}    ${0}
            GROUP    Count to two
                WHILE    ${n} < 2
                    VAR    ${n}    ${n + 1}
                    Log    ${n}
                END
            END
            Skip    enough
            Log    never
        """,
    )
    run = suite.run(*ROBOT, "t.robot")
    assert step_tree(run, "T.One") == [
        "GROUP Count to two [control] passed",
        "  WHILE [control] passed",
        "    ITERATION [control] passed",
        "      BuiltIn.Log [keyword] passed",
        "    ITERATION [control] passed",
        "      BuiltIn.Log [keyword] passed",
        "BuiltIn.Skip [keyword] skipped",
    ]


def test_control_structure_that_robot_could_not_begin_is_a_failed_step(suite):
    """Robot calls it NOT RUN until it ends: its condition, its header or its pattern is wrong."""
    suite.write(
        "t.robot",
        """
        *** Test Cases ***
        If
            IF    ${missing}
                Log    never
            ELSE IF    True
                Log    never
            END
        While
            WHILE    ${missing}
                Log    never
            END
        For
            FOR    ${x}    IN RANGE    many
                Log    never
            END
        Try
            TRY
                Log    never
            END
        """,
    )
    run = suite.run(*ROBOT, "t.robot")
    trees = {name: step_tree(run, f"T.{name}") for name in ("If", "While", "For", "Try")}
    assert trees == {name: [f"{name.upper()} [control] failed"] for name in trees}


def test_keyword_with_a_wrong_definition_is_a_failed_step_even_where_it_was_not_to_run(suite):
    suite.write(
        "t.robot",
        """
        *** Test Cases ***
        One
            Fail    first
            Twice

        *** Keywords ***
        Twice
            No Operation
        Twice
            No Operation
        """,
    )
    run = suite.run(*ROBOT, "t.robot")
    assert step_tree(run, "T.One") == ["BuiltIn.Fail [keyword] failed", "Twice [keyword] failed"]


def test_keywords_of_suites_are_no_steps(suite):
    suite.write(
        "t.robot",
        """
        *** Settings ***
        Suite Setup       Around
        Suite Teardown    Around

        *** Test Cases ***
        One
            No Operation

        *** Keywords ***
        Around
            Log    suite
        """,
    )
    run = suite.run(*ROBOT, "t.robot")
    assert [step["step_name"] for step in run.of_type("step_end")] == ["BuiltIn.No Operation"]
    assert run.statuses == {"T.One": "passed"}


def test_keyword_that_a_timeout_ends_is_failed_and_the_next_test_starts_at_depth_0(suite):
    suite.write(
        "t.robot",
        """
        *** Test Cases ***
        One
            [Timeout]    100ms
            Nested
        Two
            Nested

        *** Keywords ***
        Nested
            Sleep    200ms
        """,
    )
    run = suite.run(*ROBOT, "t.robot")
    assert step_tree(run, "T.One") == ["Nested [keyword] failed", "  BuiltIn.Sleep [keyword] failed"]
    assert step_tree(run, "T.Two") == ["Nested [keyword] passed", "  BuiltIn.Sleep [keyword] passed"]
    assert run.status == "failed"
