"""Plugins by which several tests run at the same time, in one process or in forks that no hook of ours starts."""

from __future__ import annotations

import pytest

from support.third_party import python_with

PYTHON = (
    "pytest==9.2.0",
    "pytest-asyncio-concurrent==0.5.2",
    "pytest-parallel==0.1.1",
    "py==1.11.0",
)
EXPECTED = {
    "test_a.py::test_before": "passed",
    "test_a.py::test_passes": "passed",
    "test_a.py::test_fails": "failed",
    "test_a.py::test_breaks": "error",
    "test_a.py::test_breaks_afterwards": "error",
    "test_a.py::test_skips": "skipped",
    "test_a.py::test_xfails": "xfailed",
    "test_a.py::test_xpasses": "xpassed",
    "test_a.py::test_after": "passed",
}
TESTS = """
    import asyncio, pytest
    from crossbridge import step

    @pytest.fixture
    def broken(): raise ValueError("x")
    @pytest.fixture
    def breaks_afterwards():
        yield
        raise ValueError("x")

    def test_before(): pass
    {mark}
    {define} test_passes():
        {wait}
        with step("inside"): pass
    {mark}
    {define} test_fails():
        {wait}
        assert False, "wrong"
    {mark}
    {define} test_breaks(broken): pass
    {mark}
    {define} test_breaks_afterwards(breaks_afterwards): {wait}
    {mark}
    {define} test_skips():
        {wait}
        pytest.skip("x")
    {mark}
    @pytest.mark.xfail(strict=False)
    {define} test_xfails(): assert False
    {mark}
    @pytest.mark.xfail(strict=False)
    {define} test_xpasses(): pass
    def test_after(): pass
"""
CONCURRENT = {
    "mark": "@pytest.mark.asyncio_concurrent(group='g')",
    "define": "async def",
    "wait": "await asyncio.sleep(0.01)",
}
PLAIN = {"mark": "", "define": "def", "wait": "pass"}


@pytest.fixture
def run(project):
    """Run pytest with these plugins; the environment has no entry point of ours, so the plugin is named."""

    def run(parts, *arguments):
        project.write("pytest.ini", "[pytest]")
        project.write("test_a.py", TESTS.format(**parts))
        named = ("-p", "crossbridge.integrations.pytest")
        return project.pytest(*named, *arguments, python=python_with(*PYTHON))

    return run


def test_tests_that_take_turns_in_one_process_keep_their_outcomes(run):
    recorded = run(CONCURRENT, "-p", "no:parallel")
    assert recorded.returncode == 1, recorded.output
    assert recorded.statuses == EXPECTED
    assert recorded.end_of("::test_fails")["error_message"] == "AssertionError: wrong\nassert False"
    assert not recorded.of_type("step_end"), "nobody can tell whose they are"


@pytest.mark.parametrize("workers", ["--workers=2", "--tests-per-worker=2"])
def test_tests_of_pytest_parallel_are_recorded(run, workers):
    recorded = run(PLAIN, "-p", "no:asyncio-concurrent", workers)
    assert recorded.returncode == 1, recorded.output
    assert recorded.statuses == EXPECTED
    end = recorded.end_of("::test_fails")
    assert end["error_message"] == "AssertionError: wrong\nassert False"
    assert end["duration_us"] >= end["setup_us"] + end["teardown_us"] > 0
