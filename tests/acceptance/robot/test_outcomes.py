"""Every way a test of Robot Framework can end, against Robot's own output.xml."""

from __future__ import annotations

import shutil

import pytest

from support.robot_output import OURS, outcomes
from support.robot_runs import EXAMPLE, ROBOT


def _assert_same_as_robot_says(run, output_xml):
    robots = outcomes(output_xml)
    assert [name for name, _ in robots] == [end["test_id"] for end in run.ends]
    for (name, status), end in zip(robots, run.ends, strict=True):
        assert end["status"] in OURS[status], name


def test_example_gives_every_test_its_status(example):
    run = example.run(*ROBOT, "tests")
    assert run.returncode == 5
    assert run.statuses == EXAMPLE
    assert run.status == "failed"
    _assert_same_as_robot_says(run, example.folder / "results" / "output.xml")


def test_test_has_suite_file_durations_and_message(example):
    run = example.run(*ROBOT, "tests")
    end = run.end_of("Errors In Setup")
    assert end["suite"] == "Tests.Outcomes"
    assert end["file"] == "tests/outcomes.robot"
    assert end["error_type"] == "ConnectionError"
    assert end["error_message"] == "Setup failed:\nConnectionError: warehouse does not answer"
    assert 0 < end["setup_us"] < end["duration_us"]
    assert 0 < end["teardown_us"] < end["duration_us"]
    slow = run.end_of("Slow")
    assert 1_200_000 <= slow["duration_us"] < 2_000_000
    assert "error_message" not in slow
    assert run.end_of("Skipped")["error_message"] == "the till is closed on Sundays"
    (header,) = run.headers
    assert (header["framework"], header["role"], header["worker"]) == ("robot", "main", None)


def test_every_test_that_ends_has_begun(example):
    run = example.run(*ROBOT, "tests")
    begun = [(start["test_id"], start["at_us"]) for start in run.of_type("test_start")]
    assert [name for name, _ in begun] == [end["test_id"] for end in run.ends]
    for (_, at_us), end in zip(begun, run.ends, strict=True):
        assert end["at_us"] - at_us == end["duration_us"]


def test_run_of_passing_tests_is_passed(example):
    run = example.run(*ROBOT, "--test", "Passes", "tests")
    assert (run.returncode, run.status) == (0, "passed")


def test_suite_setup_that_fails_makes_its_tests_errors(suite):
    suite.write(
        "tests/broken.robot",
        """
        *** Settings ***
        Suite Setup    Fail    no database

        *** Test Cases ***
        One
            Log    never
        Two
            Log    never
        """,
    )
    run = suite.run(*ROBOT, "tests")
    assert run.statuses == {"Tests.Broken.One": "error", "Tests.Broken.Two": "error"}
    assert run.ends[0]["error_message"] == "Parent suite setup failed:\nno database"
    assert run.of_type("step_end") == []
    _assert_same_as_robot_says(run, suite.folder / "results" / "output.xml")


def test_setup_of_a_parent_suite_that_fails_makes_tests_errors(suite):
    suite.write("tests/__init__.robot", "*** Settings ***\nSuite Setup    Fail    no network\n")
    suite.write("tests/inner.robot", "*** Test Cases ***\nOne\n    Log    never\n")
    assert suite.run(*ROBOT, "tests").statuses == {"Tests.Inner.One": "error"}


def test_suite_teardown_that_fails_is_an_error_of_the_suite(suite):
    suite.write(
        "tests/untidy.robot",
        """
        *** Settings ***
        Suite Teardown    Tidy

        *** Test Cases ***
        One
            Log    fine

        *** Keywords ***
        Tidy
            Sleep    50ms
            Fail    ConnectionError: gone
            [Teardown]    Fail    and this
        """,
    )
    run = suite.run(*ROBOT, "tests")
    assert run.statuses == {"Tests.Untidy.One": "passed", "Tests.Untidy": "error"}
    end = run.end_of("Untidy")
    assert end["error_type"] == "ConnectionError"
    assert end["error_message"].startswith("ConnectionError: gone")
    assert 50_000 <= end["duration_us"] < 1_000_000
    assert run.status == "failed"


def test_status_is_what_the_last_listener_made_of_it(suite):
    suite.write(
        "Known.py",
        "def end_test(data, result):\n    if result.failed:\n        result.status = 'SKIP'\n",
    )
    suite.write("tests/one.robot", "*** Test Cases ***\nOne\n    Fail    known\n")
    for listeners in (("--listener", "Known.py"), ()), ((), ("--listener", "Known.py")):
        before, after = listeners
        run = suite.run("robot", *before, *ROBOT[1:], *after, "tests")
        _assert_same_as_robot_says(run, suite.folder / "results" / "output.xml")
        assert run.statuses == {"Tests.One.One": "skipped"}
        shutil.rmtree(suite.spool)


def test_teardown_that_fails_after_a_failure_leaves_it_a_failure(suite):
    suite.write(
        "tests/both.robot",
        "*** Test Cases ***\nBoth\n    Fail    body\n    [Teardown]    Fail    teardown\n",
    )
    assert suite.run(*ROBOT, "tests").statuses == {"Tests.Both.Both": "failed"}


def test_teardown_that_fails_after_a_caught_failure_is_an_error(suite):
    suite.write(
        "tests/caught.robot",
        """
        *** Test Cases ***
        Caught
            TRY
                Fail    body
            EXCEPT    body
                Log    handled
            END
            [Teardown]    Fail    teardown
        """,
    )
    assert suite.run(*ROBOT, "tests").statuses == {"Tests.Caught.Caught": "error"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("    Fail    nope", "failed"),
        ("    Run Keyword And Continue On Failure    Fail    a\n    Fail    b", "failed"),
        ("    Run Keyword And Ignore Error    Fail    a", "passed"),
        ("    Pass Execution    enough", "passed"),
        ("    Pass Execution    enough\n    [Teardown]    Fail    t", "error"),
        ("    [Timeout]    100ms\n    Sleep    5s", "failed"),
        ("    [Timeout]    100ms\n    Nested", "failed"),
        ("    [Tags]    robot:skip-on-failure\n    Fail    a", "skipped"),
        ("    [Tags]    robot:skip-on-failure\n    [Setup]    Fail    a\n    Log    b", "skipped"),
        ("    [Setup]    Skip    a\n    Log    b", "skipped"),
        ("    Log    a\n    [Teardown]    Skip    b", "skipped"),
        ("    No Such Keyword", "failed"),
        ("    [Setup]    No Such Keyword\n    Log    b", "error"),
        ("    FOR    ${x}    IN    1\n        Fail    a", "failed"),
        ("    [Documentation]    empty", "failed"),
    ],
)
def test_body_has_its_status(suite, body, status):
    suite.write("tests/one.robot", "*** Keywords ***\nNested\n    Sleep    5s\n*** Test Cases ***\nOne\n")
    with (suite.folder / "tests/one.robot").open("a") as file:
        file.write(body + "\n")
    run = suite.run(*ROBOT, "tests")
    assert run.statuses == {"Tests.One.One": status}
    _assert_same_as_robot_says(run, suite.folder / "results" / "output.xml")


def test_tests_that_exit_on_failure_kept_from_running_are_errors(example):
    run = example.run(*ROBOT, "--exitonfailure", "tests")
    statuses = list(run.statuses.values())
    assert statuses == ["passed", "failed", *["error"] * (len(EXAMPLE) - 2)]
    _assert_same_as_robot_says(run, example.folder / "results" / "output.xml")


def test_tests_a_fatal_error_kept_from_running_are_errors(suite):
    suite.write("tests/f.robot", "*** Test Cases ***\nOne\n    Fatal Error    stop\nTwo\n    Log    x\n")
    assert suite.run(*ROBOT, "tests").statuses == {"Tests.F.One": "failed", "Tests.F.Two": "error"}


def test_dry_run_records_nothing(example):
    run = example.run(*ROBOT, "--dryrun", "tests")
    assert run.returncode == 0
    assert run.segments == []
    assert "crossbridge" not in run.output
