"""
The main job on real input: the suites of two projects that know nothing of us.

What the database holds of a run is exactly what `--junitxml` says of the same run, and the run ends as it does without us.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from typing import NamedTuple
from uuid import uuid4

import psycopg
import pytest

from support.junit import outcomes, outcomes_of
from support.postgres import db_environment
from support.pytest_runs import clean_environ
from support.third_party import source_of


class Source(NamedTuple):
    version: str
    at_least: int
    """Tests there are."""
    arguments: tuple[str, ...] = ()


SUITES = {
    "pluggy": Source("1.7.0", 100),
    # 765 tests with 21,000 subtests; the one left out takes as long as all the others.
    "more-itertools": Source(
        "11.2.1", 700, ("--deselect", "tests/test_recipes.py::PrimeFunctionTests::test_primes")
    ),
}
BACKENDS = ("postgres", "local")
WORKERS = ("0", "2")

RUN = "SELECT status, framework, tests, events_collected, events_written, events_dropped, events_spooled FROM crossbridge.runs WHERE run_id = %s"
TESTS = "SELECT test_id, status, attempt, worker, framework FROM crossbridge.tests WHERE run_id = %s"


class Ended(NamedTuple):
    returncode: int
    stdout: str
    report: dict[tuple[str, str], str]

    @property
    def totals(self) -> str:
        """pytest's last line, less the time it took."""
        return re.sub(r" in \d+\.\d+s.*", "", self.stdout.splitlines()[-1]).strip("= ")


def _run(suite, workers, folder, environ=None) -> Ended:
    source = SUITES[suite]
    shutil.copytree(source_of(suite, source.version), folder)
    arguments = ("-n", workers, *source.arguments)
    report = folder / "report.xml"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", f"--junitxml={report}", "-p", "no:asyncio", *arguments],
        cwd=folder,
        env=clean_environ(
            PYTHONPATH=f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}", **(environ or {})
        ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert report.exists(), done.stdout + done.stderr
    return Ended(done.returncode, done.stdout, outcomes(report))


@pytest.fixture(scope="module")
def off(tmp_path_factory):
    """The same run without us, made once."""

    @cache
    def run(suite, workers):
        return _run(suite, workers, tmp_path_factory.mktemp("off") / "source")

    return run


@pytest.fixture(params=BACKENDS)
def backend(request):
    """The settings that lead to a database, and how to reach it."""
    if request.param == "postgres":
        migrated = request.getfixturevalue("migrated")
        return db_environment(migrated), migrated
    request.getfixturevalue("server")
    data_dir = request.getfixturevalue("scratch") / "server"
    local = {"CROSSBRIDGE_PROFILING_BACKEND": "local", "CROSSBRIDGE_DATA_DIR": str(data_dir)}
    return local, request.getfixturevalue("server").start()


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("suite", SUITES)
def test_the_database_holds_what_junitxml_says(suite, workers, backend, off, tmp_path):
    settings, target = backend
    run_id = str(uuid4())
    switches = {
        "CROSSBRIDGE_PROFILING": "true",
        "CROSSBRIDGE_RUN_ID": run_id,
        "CROSSBRIDGE_DRAIN_TIMEOUT": "60",
    }
    on = _run(suite, workers, tmp_path / "source", settings | switches)

    without = off(suite, workers)
    assert (on.returncode, on.totals, on.report) == (without.returncode, without.totals, without.report)
    with psycopg.connect(**target.parameters()) as connection:
        run = connection.execute(RUN, [run_id]).fetchone()
        rows = connection.execute(TESTS, [run_id]).fetchall()
    assert len(rows) >= SUITES[suite].at_least
    assert outcomes_of((test_id, status) for test_id, status, *_ in rows) == on.report
    assert {row[2] for row in rows} == {1}
    assert {row[3] for row in rows} == ({"gw0", "gw1"} if workers == "2" else {None})
    assert {row[4] for row in rows} == {"pytest"}
    expected = "failed" if on.returncode else "passed"
    assert run == (expected, "pytest", len(rows), run[3], run[3], 0, 0)
    assert f"crossbridge: {run[3]:,} events delivered to " in on.stdout
    assert run[3] >= 2 * len([row for row in rows if "::" in row[0]])
