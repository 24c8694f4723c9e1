"""pytest 8, and plugins that do not work with pytest 9 or get in the way of others."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from support.pytest_runs import Project
from support.third_party import python_with

REQUIREMENTS = (
    "pytest==8.4.2",
    "pytest-xdist==3.8.0",
    "pytest-forked==1.6.0",
    "pytest-subtests==0.15.0",
    "flaky==3.8.1",
)


class OldProject(Project):
    """Runs in an environment that has no entry point of ours, so the plugin is named."""

    def start(self, *args, **options):
        environ = options.pop("environ", None) or {}
        path = os.environ.get("PYTHONPATH", "")
        return super().start(
            "-p",
            "crossbridge.integrations.pytest",
            *args,
            python=python_with(*REQUIREMENTS),
            environ={"PYTHONPATH": path} | environ,
            **options,
        )


@pytest.fixture
def project(tmp_path):
    project = OldProject(tmp_path)
    project.write("pytest.ini", "[pytest]")
    return project


OUTCOMES = """
    import os, signal, pytest

    @pytest.fixture
    def broken(): raise ValueError("x")
    @pytest.fixture
    def breaks_afterwards():
        yield
        raise ValueError("x")

    def test_passes(): pass
    def test_fails(): assert False
    def test_error(broken): pass
    def test_error_afterwards(breaks_afterwards): pass
    def test_skips(): pytest.skip("x")
    @pytest.mark.xfail(strict=False)
    def test_xfails(): assert False
    @pytest.mark.xfail(strict=False)
    def test_xpasses(): pass
"""
EXPECTED = {
    "test_a.py::test_passes": "passed",
    "test_a.py::test_fails": "failed",
    "test_a.py::test_error": "error",
    "test_a.py::test_error_afterwards": "error",
    "test_a.py::test_skips": "skipped",
    "test_a.py::test_xfails": "xfailed",
    "test_a.py::test_xpasses": "xpassed",
}


@pytest.mark.parametrize("arguments", [(), ("-n", "2"), ("--forked",), ("--forked", "-n", "2")], ids=str)
def test_outcomes_are_the_same_with_pytest_8(project, arguments):
    project.write("test_a.py", OUTCOMES)
    run = project.pytest(*arguments)
    assert run.returncode == 1, run.output
    assert run.statuses == EXPECTED


@pytest.mark.parametrize("arguments", [("--forked",), ("--forked", "-n", "1")], ids=str)
def test_a_forked_test_that_dies_has_failed(project, arguments):
    project.write(
        "test_a.py",
        """
        import os, signal

        def test_before(): pass
        def test_dies(): os.kill(os.getpid(), signal.SIGKILL)
        def test_after(): pass
        """,
    )
    run = project.pytest(*arguments)
    assert run.returncode == 1
    assert run.statuses == {
        "test_a.py::test_before": "passed",
        "test_a.py::test_dies": "failed",
        "test_a.py::test_after": "passed",
    }
    assert "CRASHED with signal 9" in run.end_of("::test_dies")["error_message"]


def test_steps_of_a_forked_test_are_recorded(project):
    project.write("test_a.py", "import crossbridge\ndef test_a():\n    with crossbridge.step('inside'): pass")
    run = project.pytest("--forked")
    (step,) = run.of_type("step_end")
    assert (step["test_id"], step["step_name"]) == ("test_a.py::test_a", "inside")
    assert run.statuses == {"test_a.py::test_a": "passed"}


def test_a_group_is_no_part_of_a_name(project):
    project.write(
        "test_groups.py",
        """
        import pytest

        @pytest.mark.xdist_group("db")
        @pytest.mark.parametrize("value", ["a@b", "x::y"])
        def test_grouped(value): pass

        @pytest.mark.parametrize("value", ["a@b"])
        def test_free(value): pass
        """,
    )
    alone = {end["test_id"] for end in project.pytest().ends}
    grouped = project.pytest("-n", "2", "--dist=loadgroup", "-v")
    assert "@db" in grouped.output, "there is a group to cut off"
    assert Counter(end["test_id"] for end in grouped.ends) == dict.fromkeys(alone, 2)


def test_a_group_is_no_part_of_the_name_of_a_test_whose_worker_died(project):
    project.write(
        "test_dies.py",
        """
        import os, pytest

        @pytest.mark.xdist_group("db")
        @pytest.mark.parametrize("value", ["a@b"])
        def test_dies(value): os._exit(3)
        """,
    )
    run = project.pytest("-n", "1", "--dist=loadgroup", "--max-worker-restart=0")
    assert run.statuses == {"test_dies.py::test_dies[a@b]": "failed"}


def test_subtests_of_the_plugin_are_steps_too(project):
    project.write(
        "test_a.py",
        """
        import unittest

        def test_fixture(subtests):
            with subtests.test("good", i=1): pass
            with subtests.test("bad"): assert False

        class TestUnit(unittest.TestCase):
            def test_unit(self):
                with self.subTest("bad"): self.fail()
        """,
    )
    run = project.pytest()
    assert run.statuses == {"test_a.py::test_fixture": "failed", "test_a.py::TestUnit::test_unit": "failed"}
    assert [(step["step_name"], step["status"]) for step in run.of_type("step_end")] == [
        ("good (i=1)", "passed"),
        ("bad", "failed"),
        ("bad", "failed"),
    ]


def test_attempts_of_the_package_flaky_have_a_row_each(project):
    project.write(
        "test_a.py",
        """
        import unittest
        from flaky import flaky

        tries = []

        @flaky(max_runs=3)
        def test_a():
            tries.append(1)
            assert len(tries) == 3
        """,
    )
    run = project.pytest()
    assert run.returncode == 0
    assert [(end.get("attempt", 1), end["status"]) for end in run.ends] == [
        (1, "failed"),
        (2, "failed"),
        (3, "passed"),
    ]
