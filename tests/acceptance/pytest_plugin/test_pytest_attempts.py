"""A test that is tried again has one row an attempt."""

from __future__ import annotations

import shutil

import pytest

ATTEMPTS = """
    import pytest, unittest

    tries = {}

    def nth(name):
        tries[name] = tries.get(name, 0) + 1
        return tries[name]

    def test_steady(): pass

    def test_flaky_body(): assert nth("body") == 3, "not yet"

    @pytest.fixture
    def flaky_setup(): assert nth("setup") == 2

    def test_flaky_setup(flaky_setup): pass

    @pytest.fixture
    def flaky_teardown():
        yield
        assert nth("teardown") == 2

    def test_flaky_teardown(flaky_teardown): pass

    def test_hopeless(): assert False, "never"

    @pytest.mark.xfail(strict=False)
    def test_xfail(): assert False

    def test_skips(): pytest.skip("x")

    def test_flaky_subtest(subtests):
        number = nth("subtest")
        with subtests.test("once"): assert number == 2

    class TestUnit(unittest.TestCase):
        def test_flaky(self): self.assertEqual(nth("unit"), 2)
"""
EXPECTED = {
    "test_steady": ["passed"],
    "test_flaky_body": ["failed", "failed", "passed"],
    "test_flaky_setup": ["error", "passed"],
    "test_flaky_teardown": ["error", "passed"],
    "test_hopeless": ["failed", "failed", "failed"],
    "test_xfail": ["xfailed"],
    "test_skips": ["skipped"],
    "test_flaky_subtest": ["failed", "passed"],
    "TestUnit::test_flaky": ["failed", "passed"],
}


@pytest.mark.parametrize("workers", ["0", "2"])
def test_rerunfailures_attempts_have_a_row_each(project, workers):
    project.write("test_attempts.py", ATTEMPTS)
    run = project.pytest("--reruns", "2", "-n", workers)
    assert run.returncode == 1
    assert dict(run.attempts) == {
        (f"test_attempts.py::{name}", number, status): 1
        for name, statuses in EXPECTED.items()
        for number, status in enumerate(statuses, 1)
    }
    assert len(run.of_type("test_start")) == len(run.ends)


def test_an_attempt_does_not_last_until_the_next_begins(project):
    project.write(
        "test_slow.py", "tries = []\ndef test_flaky():\n    tries.append(1)\n    assert len(tries) == 2"
    )
    run = project.pytest("--reruns", "1", "--reruns-delay", "1")
    first, second = run.ends
    assert first["duration_us"] < 900_000
    assert second["at_us"] - first["at_us"] >= 1_000_000


def test_a_test_that_runs_twice_in_a_row_is_attempted_twice(project):
    project.write("test_a.py", "def test_a(): pass\ndef test_b(): pass")
    run = project.pytest("test_a.py::test_a", "test_a.py", "--keep-duplicates")
    assert [end.get("attempt", 1) for end in run.ends] == [1, 2, 1]


def test_errors_of_earlier_attempts_are_not_told_of_later_ones(project):
    project.write(
        "test_a.py", "tries = []\ndef test_a():\n    tries.append(1)\n    assert len(tries) == 2, 'early'"
    )
    first, second = project.pytest("--reruns", "2").ends
    assert first["error_message"].startswith("AssertionError: early")
    assert "error_message" not in second


def test_a_marker_with_a_condition_that_matches_another_phase_keeps_both_attempts(project):
    # rerunfailures then keeps the report of the call to itself
    project.write(
        "test_condition.py",
        """
        import pytest

        tries = []

        @pytest.fixture
        def breaks_once():
            yield
            if len(tries) == 1: raise OSError("network")

        @pytest.mark.flaky(reruns=1, condition=lambda error: isinstance(error, OSError))
        def test_a(breaks_once):
            tries.append(1)
            assert len(tries) == 2
        """,
    )
    run = project.pytest()
    assert [(end.get("attempt", 1), end["status"]) for end in run.ends] == [(1, "failed"), (2, "passed")]


def test_failures_that_a_plugin_keeps_to_itself_are_recorded(project):
    # as the package `flaky` does: the report of an attempt that is tried again is never logged
    project.write(
        "conftest.py",
        """
        from _pytest import runner

        def pytest_runtest_protocol(item, nextitem):
            original = runner.call_and_report

            def call_and_report(item, when, log=True, **kwargs):
                report = original(item, when, False, **kwargs)
                call_and_report.failed = call_and_report.failed or report.failed
                if not report.failed: item.ihook.pytest_runtest_logreport(report=report)
                return report

            runner.call_and_report = call_and_report
            try:
                call_and_report.failed = True
                while call_and_report.failed:
                    call_and_report.failed = False
                    runner.pytest_runtest_protocol(item, nextitem)
            finally:
                runner.call_and_report = original
            return True
        """,
    )
    project.write("test_a.py", "tries = []\ndef test_a():\n    tries.append(1)\n    assert len(tries) == 3")
    run = project.pytest()
    assert run.returncode == 0
    assert [(end.get("attempt", 1), end["status"], end.get("error_type")) for end in run.ends] == [
        (1, "failed", "AssertionError"),
        (2, "failed", "AssertionError"),
        (3, "passed", None),
    ]


def test_a_plugin_that_makes_a_failure_pass_is_believed(project):
    project.write(
        "conftest.py",
        """
        import pytest

        @pytest.hookimpl(hookwrapper=True)
        def pytest_runtest_makereport():
            outcome = yield
            outcome.get_result().outcome = "passed"
        """,
    )
    project.write("test_a.py", "def test_a(): assert False")
    run = project.pytest()
    assert run.returncode == 0
    assert run.statuses == {"test_a.py::test_a": "passed"}


@pytest.mark.parametrize("dist", ["load", "loadgroup"])
def test_a_test_whose_worker_dies_is_tried_again_in_another(project, dist):
    project.write(
        "test_crash.py",
        """
        import os, pathlib, pytest

        @pytest.mark.xdist_group("g")
        def test_crashes_twice(tmp_path_factory):
            deaths = pathlib.Path("deaths")
            number = len(deaths.read_text()) if deaths.exists() else 0
            if number < 2:
                deaths.write_text("x" * (number + 1))
                os._exit(3)
            pathlib.Path("passed").touch()

        def test_other(): pass
        """,
    )
    # pytest-rerunfailures gives up a test now and then whose worker died before its count had reached the controller.
    for _ in range(5):
        (project.folder / "deaths").unlink(missing_ok=True)
        shutil.rmtree(project.folder / ".crossbridge", ignore_errors=True)
        run = project.pytest("--reruns", "2", "-n", "2", f"--dist={dist}")
        if (project.folder / "passed").exists():
            break
    ends = [
        (end.get("attempt", 1), end["status"])
        for end in run.ends
        if end["test_id"] == "test_crash.py::test_crashes_twice"
    ]
    assert ends == [(1, "failed"), (2, "failed"), (3, "passed")]
