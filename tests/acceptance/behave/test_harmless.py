"""behave's outcome, exit code, console and files are the same with us, without us, and with us failing."""

from __future__ import annotations

import inspect
import re

import pytest

from crossbridge.integrations._behave_recording import Recording
from support.behave_runs import BEHAVE
from support.framework_runs import Suite

FILES = (
    "-f",
    "json",
    "-o",
    "reports/report.json",
    "-f",
    "plain",
    "--junit",
    "--junit-directory",
    "reports",
    "features/outcomes.feature",
)
PARTS = [
    *(f"Recording.{name}" for name, _ in inspect.getmembers(Recording, inspect.isroutine)),
    "Names.read",
    "Patterns.of",
]
# `of` is the guard of its own body, which is one comparison.
PARTS = [part for part in PARTS if part != "Recording.of" and not part.partition(".")[2].startswith("_")]


def _result(run):
    """What the run showed and left behind, times aside."""
    reports = {path.name: _without_times(path.read_text()) for path in (run.project / "reports").iterdir()}
    assert set(reports) == {"report.json", "TESTS-outcomes.xml"}
    return run.returncode, _without_times(run.stdout), reports


def _without_times(text):
    text = re.sub(r'"duration": [0-9.e-]+|(?:time|timestamp|hostname)="[^"]*"', "", text)
    text = re.sub(r"USING RUNNER: .*", "", text)
    return re.sub(r"(?:in|Took) [0-9]+(?:\.[0-9]+s|min [0-9.]+s)|@[0-9]+\.[0-9]+s", "", text)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """What the example gives without us."""
    example = Suite(tmp_path_factory.mktemp("plain") / "shop", example="behave")
    return _result(example.run("behave", *FILES, on=False))


def test_profiling_changes_nothing(example, plain):
    run = example.run(*BEHAVE, *FILES)
    assert len(run.ends) == 12
    assert _result(run) == plain


@pytest.mark.parametrize("part", PARTS)
def test_fault_in_a_part_of_ours_changes_nothing(example, plain, part):
    owner, _, method = part.partition(".")
    example.write(
        "faulty.py",
        f"""
        import sys
        from behave.__main__ import main
        from crossbridge.integrations import _session, _behave_recording as behave

        def fault(*args, **kwargs):
            raise RuntimeError("injected")

        original = behave.{part}
        setattr(behave.{owner}, "{method}", _session.guarded(fault) if hasattr(original, "__wrapped__") else fault)
        sys.exit(main(sys.argv[1:]))
        """,
    )
    run = example.run("faulty", *BEHAVE[1:], *FILES, strict=False)
    assert _result(run) == plain
    if method not in {"begin", "end"}:  # which leave nobody to say the line
        assert "RuntimeError: injected" in run.line


def test_spool_that_cannot_be_written_changes_nothing(example, plain):
    (example.folder / "file").write_text("not a folder")
    environ = {"CROSSBRIDGE_SPOOL_DIR": "file/spool"}
    assert _result(example.run(*BEHAVE, *FILES, environ=environ, strict=False)) == plain


def test_test_process_gets_no_thread_no_socket_and_little_to_import(suite):
    suite.write(
        "features/steps/look.py",
        """
        import os, sys, threading
        from behave import step

        @step("the process is clean")
        def clean(context):
            links = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")
                     if os.path.islink(f"/proc/self/fd/{fd}")]
            assert threading.active_count() == 1, threading.enumerate()
            assert not [link for link in links if link.startswith("socket:")], links
            loaded = {"psycopg", "typer", "rich", "crossbridge.cli", "crossbridge.database"} & set(sys.modules)
            assert not loaded, loaded
        """,
    )
    suite.write("features/a.feature", "Feature: A\n  Scenario: One\n    Given the process is clean\n")
    run = suite.run(*BEHAVE)
    assert run.statuses == {"features/a.feature::One": "passed"}, run.output
