"""Every way to hand Robot Framework the listener, alone and together: each event once, and nothing while off."""

from __future__ import annotations

import json

import pytest

from crossbridge.orchestration.templates import template
from support.robot_runs import LISTENER, QUIET

COUNT = {"T.One": "passed", "T.Two": "failed"}

# What `crossbridge init` writes.
GENERATED = "\n".join(template("crossbridge_listener.py")) + "\n"


@pytest.fixture
def two(suite):
    suite.write("t.robot", "*** Test Cases ***\nOne\n    Log    x\nTwo\n    Fail    y\n")
    suite.write("crossbridge_listener.py", GENERATED)
    return suite


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (("--listener", LISTENER), ""),
        ((), f"--listener {LISTENER}"),
        (("--listener", LISTENER), f"--listener {LISTENER}"),
        (("--listener", "crossbridge_listener.py"), ""),
        (("--pythonpath", ".", "--listener", "crossbridge_listener"), ""),
        (("--listener", "crossbridge_listener.py", "--listener", LISTENER), f"--listener {LISTENER}"),
    ],
)
def test_tests_are_recorded_once(two, arguments, options):
    run = two.run("robot", *QUIET, *arguments, "t.robot", environ={"ROBOT_OPTIONS": options})
    assert run.returncode == 1
    assert run.statuses == COUNT
    assert len(run.segments) == 1
    assert len(run.of_type("step_end")) == 2
    assert "ERROR" not in run.output


def test_robot_run_records_each_call_as_a_run(two):
    """robot.run() reads no ROBOT_OPTIONS: the listener is passed to it."""
    program = f"""
import robot
for _ in range(2):
    robot.run("t.robot", listener="{LISTENER}", output="NONE", log="NONE", report="NONE")
"""
    two.write("program.py", program)
    run = two.run("program")
    assert next(segment[0]["run_id"] for segment in run.segments) != run.segments[1][0]["run_id"]
    for segment in run.segments:
        ends = [event for event in segment if event["type"] == "test_end"]
        assert {end["test_id"]: end["status"] for end in ends} == COUNT
        assert segment[-1]["status"] == "failed"


def test_robot_that_a_pytest_test_runs_in_its_own_process_is_part_of_that_test(two):
    two.write(
        "test_outer.py",
        f"""
        import robot
        import crossbridge

        def test_outer():
            assert robot.run("t.robot", listener="{LISTENER}", output="NONE", log="NONE", report="NONE") == 1
            with crossbridge.step("after"):
                pass
        """,
    )
    run = two.run("pytest", "-p", "crossbridge", "test_outer.py")
    assert run.statuses == {"test_outer.py::test_outer": "passed"}
    assert "after" in [step["step_name"] for step in run.of_type("step_end")]


@pytest.mark.parametrize("settings", [{}, {"CROSSBRIDGE_PROFILING": "false"}])
def test_off_leaves_no_trace(two, settings):
    run = two.run("robot", *QUIET, "--listener", LISTENER, "t.robot", on=False, environ=settings)
    assert run.returncode == 1
    assert run.segments == []
    assert not (two.folder / ".crossbridge").exists()
    assert "crossbridge" not in run.output.replace(LISTENER, "")


def test_off_registers_no_hook(two):
    two.write(
        "program.py",
        """
        import sys
        from robot.output.listeners import ListenerFacade
        listener = ListenerFacade.create("crossbridge.integrations.robot")
        print([name for name in vars(listener) if getattr(listener, name) and name.startswith(("start", "end", "close"))])
        print("crossbridge.profiling" in sys.modules)
        """,
    )
    off = two.run("program", on=False)
    assert "'start_test'" not in off.stdout
    assert "False" in off.stdout
    assert "'start_test'" in two.run("program").stdout


def test_dotenv_alone_switches_on(two):
    (two.folder / ".env").write_text("CROSSBRIDGE_PROFILING=true\nCROSSBRIDGE_PROFILING_BACKEND=none\n")
    run = two.run("robot", *QUIET, "--listener", LISTENER, "t.robot", on=False)
    assert run.statuses == COUNT


def test_wrong_setting_gives_one_line_and_no_profiling(two):
    environ = {"CROSSBRIDGE_FLUSH_INTERVAL": "5s"}
    run = two.run("robot", *QUIET, "--listener", LISTENER, "--listener", LISTENER, "t.robot", environ=environ)
    assert run.returncode == 1
    assert run.segments == []
    assert "CROSSBRIDGE_FLUSH_INTERVAL must be" in run.line
    assert "ERROR" not in run.output


def test_run_id_joins_a_run(two):
    run_id = "0198c0de-0000-7000-8000-000000000001"
    two.run("robot", *QUIET, "--listener", LISTENER, "t.robot", environ={"CROSSBRIDGE_RUN_ID": run_id})
    run = two.run("robot", *QUIET, "--listener", LISTENER, "t.robot", environ={"CROSSBRIDGE_RUN_ID": run_id})
    assert {header["run_id"] for header in run.headers} == {run_id}
    assert len(run.segments) == 2


def test_ends_with_one_line_on_stderr(two):
    run = two.run("robot", *QUIET, "--listener", LISTENER, "t.robot")
    assert run.line in run.stderr
    assert (
        json.loads(next(iter(two.spool.glob("*/*.jsonl"))).read_text().splitlines()[0])["run_id"] in run.line
    )
