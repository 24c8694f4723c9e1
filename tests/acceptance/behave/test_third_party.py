"""Features that nobody here wrote: behave's own, of its source distribution."""

from __future__ import annotations

import shutil
from collections import Counter

import pytest

from support.behave_runs import BEHAVE, junit_outcomes
from support.framework_runs import Suite
from support.third_party import source_of

pytest.importorskip("hamcrest")
pytest.importorskip("assertpy")

# Folder to run in, what to run, and how many scenarios that is. Those in `features` start behave themselves.
PROJECTS = [
    (".", ("tools/test-features",), 24),
    (
        ".",
        ("features/scenario_outline.basics.feature", "features/scenario_outline.tagged_examples.feature"),
        10,
    ),
    (".", ("features/runner.hook_errors.feature",), 15),
    ("examples/async_step", ("features",), 2),
    ("examples/cucumber-expressions", ("features",), 3),
    ("examples/env_vars", ("features",), 1),
    ("examples/fixture.no_background", ("features",), 2),
    ("examples/gherkin_v6", ("features",), 15),
    ("examples/nested_steps", ("features",), 1),
    ("examples/soft_asserts", ("features",), 4),
]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("behave") / "source"
    shutil.copytree(source_of("behave", "1.3.3"), folder)
    # The framework under test is the installed one.
    shutil.rmtree(folder / "behave")
    return folder


@pytest.mark.parametrize(("folder", "features", "count"), PROJECTS, ids=str)
def test_every_scenario_has_behaves_own_status(source, folder, features, count):
    suite = Suite(source / folder)
    shutil.rmtree(suite.folder / ".crossbridge", ignore_errors=True)
    paths = {"PYTHONPATH": str(source)}  # of behave4cmd0, which lies beside the features
    shutil.rmtree(suite.folder / "junit", ignore_errors=True)
    options = ("--show-skipped", "--junit", "--junit-directory", "junit")
    run = suite.run(*BEHAVE, *options, *features, environ=paths)
    behaves = junit_outcomes(suite.folder / "junit")
    assert behaves.total() == count
    assert _as_in_junit(run) == behaves
    assert (run.status == "passed") == (run.returncode == 0)
    assert len({(end["test_id"], end.get("attempt", 1)) for end in run.ends}) == len(run.ends)


def _as_in_junit(run):
    def classname(end):
        package = end["file"].rpartition("features/")[2].removesuffix(".feature")
        return f"{package}.{package if end['suite'] == end['file'] else end['suite']}"

    return Counter((classname(end), end["status"]) for end in run.ends)
