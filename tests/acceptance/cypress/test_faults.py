"""What goes wrong around a Cypress run: it ends as without us, and no result is lost or doubled."""

from __future__ import annotations

import os
import signal
from collections import Counter

import pytest

from support.cli import run_cli
from support.cypress import CypressSuite, once, told
from support.postgres import db_environment
from support.pytest_runs import clean_environ
from support.shipping import rows

AWAY = {
    "CROSSBRIDGE_PROFILING_BACKEND": "postgres",
    "CROSSBRIDGE_DB_HOST": "127.0.0.1",
    "CROSSBRIDGE_DB_PORT": "1",
    "CROSSBRIDGE_DB_USER": "nobody",
    "CROSSBRIDGE_DRAIN_TIMEOUT": "0.2",
    "CROSSBRIDGE_RUN_ID": "7f3bd0b0-54a3-4b8a-9d54-0f5a5c8f1d11",
}
OPTIONS = "screenshotOnRunFailure: false, e2e: { supportFile: false, specPattern: 'specs/*.cy.js' }"
CONFIGS = {
    "cypress.config.js": f"module.exports = {{ {OPTIONS} }};\n",
    "cypress.config.mjs": f"export default {{ {OPTIONS} }};\n",
    "cypress.config.ts": f"""
        import {{ defineConfig }} from 'cypress';

        const retries: number = 0;
        export default defineConfig({{ retries, {OPTIONS} }});
        """,
}
SPEC = """
    it('passes', () => {});
    it('fails', () => {
      throw new Error('out of tea');
    });
    """
TESTS = "SELECT test_id, attempt, status FROM crossbridge.tests"


def make(folder, config):
    suite = CypressSuite(folder)
    suite.write("package.json", '{"private": true, "devDependencies": {"cypress": "14.5.4"}}')
    suite.write(config, CONFIGS[config])
    suite.write("specs/some.cy.js", SPEC)
    return suite


def ingest(folder, target):
    done = run_cli("ingest", cwd=folder, env=clean_environ(**db_environment(target)))
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The run without us."""
    run = once(tmp_path_factory, "plain", lambda folder: make(folder, "cypress.config.js").run(on=False))
    assert run.returncode == 1
    return run


def test_the_run_is_as_without_us_where_nothing_can_be_written(plain, tmp_path):
    suite = make(tmp_path / "project", "cypress.config.ts")
    suite.init()
    run = suite.run(environ={"CROSSBRIDGE_SPOOL_DIR": "/proc/nowhere"}, strict=False)
    assert run.returncode == plain.returncode
    assert told(run) == told(plain)


def test_runs_in_two_browsers_without_a_database_are_one_run_when_it_is_back(plain, tmp_path, migrated):
    suite = make(tmp_path / "project", "cypress.config.mjs")
    suite.init()
    run = suite.run(environ=AWAY)
    assert run.returncode == plain.returncode
    assert told(run) == told(plain)
    assert suite.run("--browser", "chromium", environ=AWAY).returncode == plain.returncode
    for _ in range(2):
        ingest(suite.folder, migrated)
        assert Counter(rows(migrated, TESTS)) == Counter(
            {
                (f"specs/some.cy.js › {name}{browser}", 1, status): 1
                for browser in ("", " [chromium]")
                for name, status in (("passes", "passed"), ("fails", "failed"))
            }
        )
    assert rows(migrated, "SELECT status FROM crossbridge.runs") == [("failed",)]


def test_interrupted_run_keeps_what_ended(tmp_path, migrated):
    suite = CypressSuite(tmp_path / "project", example="cypress")
    suite.init()
    process = suite.start("--config", "specPattern=killed/*.cy.js")
    suite.wait_for(process, '"test_id":"killed/waits.cy.js › killed"')
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT  # npx's own way
    ingest(suite.folder, migrated)
    assert dict(rows(migrated, "SELECT test_id, status FROM crossbridge.tests")) == {
        "killed/waits.cy.js › before": "passed",
        "killed/waits.cy.js › killed": "interrupted",
    }
    assert rows(migrated, "SELECT status FROM crossbridge.runs") == [("interrupted",)]
