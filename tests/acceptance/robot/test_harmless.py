"""Robot Framework's outcome, exit code, console and files are the same with us, without us, and with us failing."""

from __future__ import annotations

import inspect
import re

import pytest

from crossbridge.integrations._robot_recording import Recording
from support.framework_runs import Suite
from support.robot_output import normalised
from support.robot_runs import LISTENER, QUIET

ALL = ("--outputdir", "results", "--xunit", "xunit.xml", "--suite", "Outcomes", "tests")
HOOKS = [name for name, _ in inspect.getmembers(Recording, inspect.isroutine) if not name.startswith("_")]


def _result(run):
    """What the run showed and left behind, times and paths aside."""
    console = re.sub(r"(?m)^(Output|Log|Report|XUnit): .*\n", "", run.stdout)
    results = run.project / "results"
    xunit = re.sub(r' (?:time|timestamp)="[^"]*"', "", (results / "xunit.xml").read_text())
    assert (results / "log.html").stat().st_size > 100_000
    return run.returncode, console, normalised(results / "output.xml"), re.sub(r' source="[^"]*"', "", xunit)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """What the example gives without us."""
    example = Suite(tmp_path_factory.mktemp("plain") / "shop", example="robot")
    return _result(example.run("robot", *ALL, on=False))


def test_profiling_changes_nothing(example, plain):
    run = example.run("robot", "--listener", LISTENER, *ALL)
    assert len(run.ends) == 8
    assert _result(run) == plain
    assert [line for line in run.stderr.splitlines() if not line.startswith("crossbridge: ")] == []


@pytest.mark.parametrize("hook", HOOKS)
def test_fault_in_a_hook_changes_nothing(example, plain, hook):
    example.write(
        "faulty.py",
        f"""
        import sys
        import robot
        from crossbridge.integrations._robot_recording import Recording

        def fault(*args, **kwargs):
            raise RuntimeError("injected")

        setattr(Recording, {hook!r}, fault)
        robot.run_cli(sys.argv[1:])
        """,
    )
    run = example.run("faulty", "--listener", LISTENER, *ALL, strict=False)
    assert _result(run) == plain
    if hook not in {"begin", "end"}:  # which leave nobody to say the line
        assert "faults of crossbridge's own" in run.line
        assert "RuntimeError: injected" in run.line


def test_spool_that_cannot_be_written_changes_nothing(example, plain):
    (example.folder / "file").write_text("not a folder")
    environ = {"CROSSBRIDGE_SPOOL_DIR": "file/spool"}
    run = example.run("robot", "--listener", LISTENER, *ALL, environ=environ, strict=False)
    assert _result(run) == plain


def test_test_process_gets_no_thread_no_socket_and_little_to_import(suite):
    suite.write(
        "Look.py",
        """
        import os, sys, threading

        def process_is_clean():
            links = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if
                     os.path.islink(f"/proc/self/fd/{fd}")]
            assert threading.active_count() == 1, threading.enumerate()
            assert not [link for link in links if link.startswith("socket:")], links
            loaded = {"psycopg", "typer", "rich", "crossbridge.cli", "crossbridge.database"} & set(sys.modules)
            assert not loaded, loaded
        """,
    )
    suite.write(
        "t.robot",
        "*** Settings ***\nLibrary    Look.py\n*** Test Cases ***\nOne\n    Process Is Clean\n",
    )
    run = suite.run("robot", *QUIET, "--pythonpath", ".", "--listener", LISTENER, "t.robot")
    assert run.statuses == {"T.One": "passed"}, run.output
