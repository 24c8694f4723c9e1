"""Exit code, output and reports are the same with us, without us, and with us failing; signals do what they did."""

from __future__ import annotations

import os
import signal

import psycopg
import pytest

from support.cli import run_cli
from support.playwright import (
    REPORTER,
    PlaywrightSuite,
    own_results,
    recorded_results,
    without_times,
)
from support.postgres import db_environment
from support.pytest_runs import clean_environ

LINES = ("--reporter", "line")
CALLBACKS = ("onBegin", "onError", "onTestBegin", "onStepBegin", "onStepEnd", "onTestEnd")


def result(run):
    """What a run showed and left behind, times aside."""
    said = [line for line in run.stderr.splitlines() if not line.startswith("crossbridge: ")]
    return run.returncode, without_times(run.stdout), said


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A few tests that pass, fail, are tried again and print."""
    suite = PlaywrightSuite(tmp_path_factory.mktemp("harmless") / "project")
    suite.write(
        "few.spec.js",
        """
        const { test, expect } = require('@playwright/test');
        test.beforeEach(() => {});
        test('passes', () => console.log('said'));
        test('fails', () => test.step('step', () => expect(1).toBe(2)));
        test('flaky', ({}, info) => { if (!info.retry) throw new Error('no'); });
        test.skip('skipped', () => {});
        """,
    )
    return suite


@pytest.fixture(scope="module")
def plain(project):
    """What they give without us."""
    return result(project.play(*LINES, "--retries", 1, "--workers", 1, on=False, hook=False))


def play(project, **options):
    return project.play(*LINES, "--retries", 1, "--workers", 1, **options)


@pytest.fixture(autouse=True)
def _empty_spool(project):
    yield
    for path in project.spool.glob("*/*"):
        path.unlink()


def test_profiling_changes_nothing(project, plain):
    run = play(project)
    assert len(run.ends) == 6
    assert result(run) == plain
    assert run.line.endswith("Deliver them with 'crossbridge ingest'.")


def test_switched_off_nothing_is_recorded_or_said(project, plain):
    run = play(project, on=False)
    assert result(run) == plain
    assert (run.events, run.stderr) == ([], "")


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"CROSSBRIDGE_SPOOL_DIR": "few.spec.js/spool"}, id="spool that cannot be written"),
        pytest.param({"CROSSBRIDGE_BATCH_SIZE": "many"}, id="setting that is wrong"),
    ],
)
def test_surroundings_that_fail_change_nothing(project, plain, settings):
    run = play(project, strict=False, **settings)
    assert result(run) == plain
    assert run.line


def test_faults_of_ours_change_nothing(project, plain):
    # Every callback throws at its first look at what Playwright hands it.
    project.write(
        "faulty.mjs",
        f"""
        import Reporter from {str(REPORTER)!r};
        export default class extends Reporter {{}}
        const bad = new Proxy({{}}, {{ get() {{ throw new Error('injected'); }} }});
        for (const name of {list(CALLBACKS)!r}) {{
          const real = Reporter.prototype[name];
          Reporter.prototype[name] = function (...args) {{
            real.apply(this, args);
            real.apply(this, args.map(() => bad));
          }};
        }}
        """,
    )
    run = play(project, strict=False, PW_TEST_REPORTER=str(project.folder / "faulty.mjs"))
    assert result(run) == plain
    assert "faults of crossbridge's own, the first: " in run.line
    assert "injected" in run.line


def test_database_that_is_away_costs_no_result(project, plain, migrated):
    away = {
        "CROSSBRIDGE_PROFILING_BACKEND": "postgres",
        "CROSSBRIDGE_DB_HOST": "127.0.0.1",
        "CROSSBRIDGE_DB_PORT": "1",
    }
    run = play(project, **away, CROSSBRIDGE_DRAIN_TIMEOUT="0.3")
    assert result(run) == plain
    assert len(run.ends) == 6
    done = run_cli("ingest", cwd=project.folder, env=clean_environ(**db_environment(migrated)))
    assert done.returncode == 0, done.stderr
    with psycopg.connect(**migrated.parameters()) as connection:
        (count,) = connection.execute("SELECT count(*) FROM crossbridge.tests").fetchone()
    assert count == 6


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_signals_end_the_run_as_ever(tmp_path, number, exit_code):
    suite = PlaywrightSuite(tmp_path / "project", "waits.spec.ts")
    process = suite.start_playwright("--reporter", "json")
    # Once its body runs: Playwright may not come to an end when interrupted before.
    suite.wait_for(process, '"step_name":"begun"')
    os.kill(process.pid, number)
    stdout, stderr = process.communicate(timeout=60)
    run = suite.run_of(process.returncode, stdout, stderr)
    assert run.returncode == exit_code
    assert run.end_of("before")["status"] == "passed"
    if number == signal.SIGINT:
        assert recorded_results(run) == own_results(stdout)
        assert run.end_of("waits")["status"] == run.status == "interrupted"
