"""pytest-retry, in an environment of its own: it takes the marker of the other plugins that try a test again."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from support.third_party import python_with

PYTHON = ("pytest==9.2.0", "pytest-xdist==3.8.0", "pytest-retry==1.7.0")
ATTEMPTS = """
    import pytest

    tries = {}

    def nth(name):
        tries[name] = tries.get(name, 0) + 1
        return tries[name]

    def test_steady(): pass

    def test_flaky(): assert nth("flaky") == 3, f"try {nth('told')}"

    def test_hopeless(): raise ValueError("never")

    @pytest.fixture
    def broken(): raise ValueError("x")

    def test_broken(broken): pass

    @pytest.fixture
    def breaks_afterwards():
        yield
        raise ValueError("afterwards")

    def test_breaks_afterwards(breaks_afterwards): assert False, "inside"

    def test_skips_at_last():
        assert nth("skips") > 1
        pytest.skip("x")

    def test_after(): pass
"""
EXPECTED = {
    "test_steady": ["passed"],
    "test_flaky": ["failed", "failed", "passed"],
    "test_hopeless": ["failed", "failed", "failed"],
    "test_broken": ["error"],
    "test_breaks_afterwards": ["failed"],  # pytest-retry gives it up
    "test_skips_at_last": ["failed", "skipped", "skipped"],  # and runs it once more
    "test_after": ["passed"],
}


@pytest.fixture
def retry(project):
    """Run pytest with pytest-retry; the environment has no entry point of ours, so the plugin is named."""

    def run(*arguments):
        return project.pytest(
            "-p",
            "crossbridge.integrations.pytest",
            "--retries=2",
            *arguments,
            python=python_with(*PYTHON),
        )

    project.write("pytest.ini", "[pytest]")
    project.write("test_a.py", ATTEMPTS)
    return run


@pytest.mark.parametrize("workers", ["0", "2"])
def test_each_attempt_has_a_row(retry, workers):
    run = retry("-n", workers)
    assert run.returncode == 1, run.output
    assert run.attempts == Counter(
        (f"test_a.py::{name}", number, status)
        for name, statuses in EXPECTED.items()
        for number, status in enumerate(statuses, 1)
    )
    assert len(run.of_type("test_start")) == len(run.ends)


def test_an_attempt_has_its_own_error_and_its_own_time(retry):
    run = retry("--retry-delay=1", "-k", "test_flaky")
    assert run.returncode == 0, run.output
    told = [(end.get("error_type"), (end.get("error_message") or "").split("\n")[0]) for end in run.ends]
    assert told == [
        ("AssertionError", "AssertionError: try 1"),
        ("AssertionError", "AssertionError: try 2"),
        (None, ""),
    ]
    for before, after in pairwise(run.ends):
        assert after["at_us"] - after["duration_us"] - before["at_us"] >= 1_000_000, (
            "the delay belongs to none"
        )
