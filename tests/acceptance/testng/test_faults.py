"""What goes wrong around a Maven build with TestNG: it ends as without us, and no result is lost or doubled."""

from __future__ import annotations

import os
import re
import signal
from collections import Counter

import pytest

from support.cli import run_cli
from support.maven import MavenSuite
from support.postgres import db_environment
from support.pytest_runs import clean_environ
from support.shipping import rows

AWAY = {
    "CROSSBRIDGE_DB_HOST": "127.0.0.1",
    "CROSSBRIDGE_DB_PORT": "1",
    "CROSSBRIDGE_DB_USER": "nobody",
    "CROSSBRIDGE_DRAIN_TIMEOUT": "0.2",
}
POSTGRES = {"CROSSBRIDGE_PROFILING_BACKEND": "postgres"}
SOME = ("test", "-Dtest=OutcomesTest,Errors*,FlakyTest")
TESTS = Counter(
    {
        ("shop.OutcomesTest#passes", 1, "passed"): 1,
        ("shop.OutcomesTest#fails", 1, "failed"): 1,
        ("shop.OutcomesTest#opens", 1, "failed"): 1,
        ("shop.OutcomesTest#skipped", 1, "skipped"): 1,
        ("shop.OutcomesTest#skippedByDependency", 1, "skipped"): 1,
        ("shop.ErrorsInSetupTest#errorsInSetup", 1, "error"): 1,
        ("shop.ErrorsInSetupOfClassTest#connect", 1, "error"): 1,
        ("shop.ErrorsInSetupOfClassTest#isSkippedThen", 1, "skipped"): 1,
        ("shop.ErrorsInTeardownTest#errorsInTeardown", 1, "error"): 1,
        ("shop.FlakyTest#flaky", 1, "failed"): 1,
        ("shop.FlakyTest#flaky", 2, "passed"): 1,
    }
)


def told(run):
    """All that Maven said, but for times and for what differs from JVM to JVM."""
    timeless = re.sub(r"(Time elapsed|Total time): +[\d.]+ s|Finished at: \S+|@[0-9a-f]+", "", run.output)
    return sorted(timeless.replace(str(run.project), "").splitlines())


def stored(target):
    return Counter(rows(target, "SELECT test_id, attempt, status FROM crossbridge.tests"))


def ingest(folder, target):
    done = run_cli("ingest", cwd=folder, env=clean_environ(**db_environment(target)))
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The build without us."""
    suite = MavenSuite(tmp_path_factory.mktemp("plain") / "shop", example="testng")
    suite.there = False
    return suite.run(*SOME)


@pytest.mark.parametrize("trouble", ["no database", "no driver"])
def test_the_build_is_as_without_us_and_nothing_is_lost(trouble, plain, tmp_path, migrated):
    suite = MavenSuite(tmp_path / "shop", example="testng", driver=trouble == "no database")
    environ = AWAY if trouble == "no database" else db_environment(migrated)
    run = suite.run(*SOME, environ=environ | POSTGRES)
    assert run.returncode == plain.returncode == 1
    assert told(run) == told(plain)
    assert stored(migrated) == Counter()
    ingest(suite.folder, migrated)
    assert stored(migrated) == TESTS


def test_a_killed_fork_keeps_what_ended_and_leaves_the_rest_interrupted(tmp_path, migrated):
    suite = MavenSuite(tmp_path / "shop", example="testng", driver=True)
    process = suite.start("test", "-Dtest=Killed", environ=db_environment(migrated) | POSTGRES)
    suite.wait_for(process, "#killed")
    (header,) = [segment[0] for segment in suite.run_of(0).segments]
    os.kill(header["pid"], signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode == 1
    ingest(suite.folder, migrated)
    ended = Counter({("shop.Killed#before", 1, "passed"): 1, ("shop.Killed#killed", 1, "interrupted"): 1})
    assert stored(migrated) == ended
    assert rows(migrated, "SELECT status FROM crossbridge.runs") == [("interrupted",)]
