"""A suite that nobody here wrote: robotframework-datadriver's own, which makes its tests while it runs."""

from __future__ import annotations

import shutil
from collections import Counter

import pytest

from support.framework_runs import Suite
from support.robot_output import OURS, outcomes
from support.robot_runs import LISTENER, QUIET
from support.third_party import source_of

pytest.importorskip("DataDriver")


@pytest.fixture
def suites(tmp_path):
    suite = Suite(tmp_path / "project")
    source = source_of("robotframework-datadriver", "1.11.2") / "atest"
    # One suite holds 10,000 tests that measure DataDriver.
    shutil.copytree(source, suite.folder / "atest", ignore=shutil.ignore_patterns("performance"))
    return suite


def test_every_test_has_robots_own_status(suites):
    run = suites.run("robot", *QUIET, "--listener", LISTENER, "atest")
    robots = outcomes(suites.folder / "results" / "output.xml")
    assert len(robots) == len(run.ends) == 98
    assert Counter(status for _, status in robots) == {"PASS": 83, "FAIL": 15}
    assert [name for name, _ in robots] == list(run.statuses)
    assert all(run.statuses[name] in OURS[status] for name, status in robots)
    assert run.returncode == 15
