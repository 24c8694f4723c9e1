"""Every way the reporter gets in records once and leaves the user's own reporters alone; in every kind of project."""

from __future__ import annotations

import json

import pytest

from support.cli import run_cli
from support.playwright import REPORTER, PlaywrightSuite, own_results, recorded_results
from support.pytest_runs import clean_environ

ONE = {"one.spec.js › works": "passed"}
CONFIGS = {
    "playwright.config.js": "module.exports = { reporter: [['json', { outputFile: 'own.json' }]] };\n",
    "playwright.config.mjs": "export default { reporter: [['json', { outputFile: 'own.json' }]] };\n",
    "playwright.config.ts": (
        "import { defineConfig } from '@playwright/test';\n"
        "export default defineConfig({ reporter: [['json', { outputFile: 'own.json' }]] });\n"
    ),
}


@pytest.fixture
def suite(tmp_path):
    suite = PlaywrightSuite(tmp_path / "project")
    suite.write("package.json", '{"private": true, "devDependencies": {"@playwright/test": "*"}}')
    suite.write("one.spec.js", "require('@playwright/test').test('works', () => {});")
    return suite


def init(suite):
    done = run_cli("init", suite.folder, env=clean_environ())
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("config", CONFIGS)
def test_init_records_beside_the_reporters_of_the_project(suite, config):
    suite.write(config, CONFIGS[config])
    init(suite)
    run = suite.play(hook=False)
    assert run.returncode == 0, run.output
    assert run.statuses == ONE
    assert json.loads((suite.folder / "own.json").read_text())["stats"]["expected"] == 1


def test_reporter_of_the_command_line_does_not_push_us_out(suite):
    suite.write("playwright.config.js", CONFIGS["playwright.config.js"])
    init(suite)
    run = suite.play("--reporter", "dot", hook=False)
    assert run.statuses == ONE
    assert not (suite.folder / "own.json").exists()


def test_module_project_without_configuration(suite):
    suite.write("package.json", '{"type": "module", "devDependencies": {"@playwright/test": "*"}}')
    suite.write("one.spec.js", "import { test } from '@playwright/test'; test('works', () => {});")
    init(suite)
    run = suite.play(hook=False)
    assert run.returncode == 0, run.output
    assert run.statuses == ONE


def test_registered_three_times_it_records_once(suite):
    suite.write("playwright.config.js", f"module.exports = {{ reporter: [[{str(REPORTER)!r}], ['line']] }};")
    init(suite)
    run = suite.play("--add-reporter", REPORTER)
    assert run.returncode == 0, run.output
    assert run.statuses == ONE
    assert len(run.headers) == 1


def test_listing_and_merging_record_nothing(suite):
    assert suite.play("--list").headers == []
    suite.play("--reporter", "blob", on=False, hook=False)
    suite.write("merge.config.js", "module.exports = { testDir: '.', reporter: 'json' };")
    run = suite.play("--config", "merge.config.js", "blob-report", command="merge-reports")
    assert json.loads(run.stdout)["stats"]["expected"] == 1, run.output
    assert run.headers == []


def test_no_test_no_run(suite):
    run = suite.play("--grep", "nothing of this name")
    assert (run.returncode, run.headers) == (1, [])


@pytest.mark.parametrize("version", ["1.40.1", "1.50.1"])
def test_older_versions(tmp_path, version):
    suite = PlaywrightSuite(tmp_path / "project", "outcomes.spec.ts", package=f"@playwright/test@{version}")
    run = suite.play("--reporter", "json", "--workers", 2)
    assert recorded_results(run) == own_results(run.stdout)
    assert len(run.ends) == 21
    assert [header["framework_version"] for header in run.headers] == [version]
