"""Tests, attempts and statuses are those of Playwright's own JSON reporter, for the same run."""

from __future__ import annotations

import json

import pytest

from support.framework_runs import step_tree
from support.playwright import PLAYWRIGHT, PlaywrightSuite, own_results, recorded_results

ERRORS = {
    "fails": ("failed", "AssertionError"),
    "raises": ("failed", "TypeError"),
    "throws text": ("failed", "Thrown"),
    "errors in set-up": ("error", "Error"),
    "errors in tear-down": ("error", "Error"),
    "fails, and errors in tear-down": ("failed", "Error"),
    "times out": ("failed", "TestTimeout"),
    "takes its worker down": ("failed", "WorkerExit"),
}


@pytest.fixture
def suite(tmp_path):
    return PlaywrightSuite(tmp_path / "project")


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """A run of sample/outcomes.spec.ts with Playwright's JSON report on its standard output."""
    suite = PlaywrightSuite(tmp_path_factory.mktemp("outcomes") / "project", "outcomes.spec.ts")
    return suite.play("--reporter", "json", "--workers", 2)


def test_results_are_playwrights_own(outcomes):
    assert outcomes.returncode == 1
    assert len(outcomes.ends) == 21
    assert recorded_results(outcomes) == own_results(outcomes.stdout)
    assert outcomes.status == "failed"
    assert {end.get("worker") for end in outcomes.ends} <= {"worker-0", "worker-1", None}


def test_errors_have_their_type_and_place(outcomes):
    ends = {end["test_id"].rpartition(" › ")[2]: end for end in outcomes.ends}
    assert {name: (ends[name]["status"], ends[name]["error_type"]) for name in ERRORS} == ERRORS
    assert ends["raises"]["error_message"] == "TypeError: https://shop.example/orders did not answer"
    assert ends["skipped at run time"]["error_message"] == "closed"
    assert ends["second"]["error_message"] == "did not run: a test before it failed"
    assert ends["errors in set-up"]["setup_us"] > 0
    assert ends["errors in set-up"]["suite"] == "outcomes.spec.ts › set-up"


def test_step_that_was_cut_short_has_failed(outcomes):
    assert step_tree(outcomes, "outcomes.spec.ts › takes its worker down") == ["the last step [step] failed"]


def test_steps_that_are_left_out_are_skipped(suite):
    suite.write(
        "one.spec.js",
        """
        const { test } = require('@playwright/test');
        test('works', async () => {
          await test.step.skip('left out', async () => {});
          await test.step('leaves itself out', async (step) => step.skip());
          await test.step('fails', async () => { throw new Error('no'); }).catch(() => {});
          await test.step('runs', async () => {});
        });
        """,
    )
    assert step_tree(suite.play(), "one.spec.js › works") == [
        "left out [step] skipped",
        "leaves itself out [step] skipped",
        "fails [step] failed",
        "runs [step] passed",
    ]


def test_projects_are_in_the_id_and_repeats_are_attempts(suite):
    suite.write("playwright.config.js", "module.exports = { projects: [{ name: 'a' }, { name: 'b' }] };")
    suite.write(
        "one.spec.js",
        """
        const { test } = require('@playwright/test');
        test('works', ({}, info) => { if (info.project.name == 'b') throw new Error('no'); });
        """,
    )
    run = suite.play("--repeat-each", 2, "--retries", 1)
    a, b = "one.spec.js › works [a]", "one.spec.js › works [b]"
    assert run.attempts == {
        (a, 1, "passed"): 1, (a, 3, "passed"): 1,
        (b, 1, "failed"): 1, (b, 2, "failed"): 1, (b, 3, "failed"): 1, (b, 4, "failed"): 1,
    }  # fmt: skip


def test_test_in_flight_at_max_failures_is_interrupted(suite):
    suite.write(
        "waits.spec.js",
        """
        const { test } = require('@playwright/test');
        const fs = require('fs');
        test.describe.configure({ mode: 'parallel' });
        test('waits', async () => { fs.writeFileSync('waiting', ''); await new Promise(() => {}); });
        test('fails', async () => {
          while (!fs.existsSync('waiting')) await new Promise((done) => setTimeout(done, 20));
          throw new Error('no');
        });
        test('never begins', () => {});
        """,
    )
    run = suite.play("--max-failures", 1, "--workers", 2, "--reporter", "json")
    statuses = {"waits.spec.js › waits": "interrupted", "waits.spec.js › fails": "failed"}
    assert run.statuses == statuses
    # Playwright lists what never began without a result.
    assert recorded_results(run) == own_results(run.stdout)
    assert run.returncode == 1
    assert json.loads(run.stdout)["stats"]["unexpected"] == 1


def test_test_in_flight_at_the_global_time_out_is_interrupted_with_its_steps(suite):
    suite.write(
        "waits.spec.js",
        """
        const { test } = require('@playwright/test');
        test('before', () => {});
        test('waits', async () => {
          test.setTimeout(0);
          await test.step('is done', () => {});
          await test.step('outer', () => test.step('inner', () => new Promise(() => {})));
        });
        """,
    )
    run = suite.play("--global-timeout", 6000, "--workers", 1)
    assert run.statuses == {"waits.spec.js › before": "passed", "waits.spec.js › waits": "interrupted"}
    assert run.end_of("waits")["error_message"] == "the run ended before the test did"
    assert run.end_of("waits")["duration_us"] > 0
    assert step_tree(run, "waits.spec.js › waits") == [
        "is done [step] passed",
        "outer [step] failed",
        "  inner [step] failed",
    ]
    assert (run.returncode, run.status) == (1, "failed")


@pytest.mark.parametrize("package", [PLAYWRIGHT, "@playwright/test@1.40.1"])
def test_file_that_does_not_load_is_an_error(tmp_path, package):
    suite = PlaywrightSuite(tmp_path / "project", package=package)
    suite.write("playwright.config.js", "module.exports = { testDir: './specs' };")
    suite.write("specs/fine.spec.js", "require('@playwright/test').test('works', () => {});")
    suite.write("specs/of/broken.spec.js", "throw new TypeError('https://shop.example/?token=s3cret');")
    run = suite.play()
    # Playwright runs none of the files then.
    assert run.statuses == {"of/broken.spec.js": "error"}
    (end,) = run.ends
    assert (end["file"], end["error_type"]) == ("specs/of/broken.spec.js", "TypeError")
    assert end["error_message"] == "TypeError: https://shop.example/"
    assert (run.returncode, run.status) == (1, "failed")


RUN_ID = "0190a8c0-0000-7000-8000-000000000001"
BROKEN = {
    "no global set-up": "",
    "a global set-up, which is not reached": "globalSetup: './start.js'",
}


@pytest.mark.parametrize("config", BROKEN)
def test_file_that_does_not_load_is_one_attempt_of_joined_shards(suite, config):
    suite.write("playwright.config.js", f"module.exports = {{ {BROKEN[config]} }};")
    suite.write("start.js", "module.exports = () => {};")
    suite.write("broken.spec.js", "throw new TypeError('no butter');")
    for shard in ("2/2", "1/2"):
        run = suite.play("--shard", shard, CROSSBRIDGE_RUN_ID=RUN_ID)
        assert run.returncode == 1
    assert run.attempts == {("broken.spec.js", 1, "error"): 1}
    # Each shard has failed.
    assert [end["status"] for end in run.of_type("segment_end")] == ["failed", "failed"]


def test_file_that_does_not_load_is_an_error_of_each_shard_that_is_a_run_of_its_own(suite):
    suite.write("broken.spec.js", "throw new TypeError('no butter');")
    assert suite.play("--shard", "2/2").statuses == {"broken.spec.js": "error"}


@pytest.mark.parametrize("hook", ["globalSetup", "globalTeardown"])
def test_global_hook_that_fails_in_each_of_joined_shards_has_an_attempt_in_each(suite, hook):
    suite.write("playwright.config.js", f"module.exports = {{ {hook}: './hook.js' }};")
    suite.write("hook.js", "module.exports = () => { throw new Error('no broom'); };")
    suite.write("one.spec.js", "require('@playwright/test').test('works', () => {});")
    for shard in ("1/2", "2/2"):
        run = suite.play("--shard", shard, CROSSBRIDGE_RUN_ID=RUN_ID)
    hooks = {attempt: n for attempt, n in run.attempts.items() if attempt[0] == "hook.js"}
    assert hooks == {("hook.js", 1, "error"): 1, ("hook.js", 2, "error"): 1}


def test_global_set_up_that_fails_is_an_error_and_no_test_runs(suite):
    suite.write("playwright.config.js", "module.exports = { globalSetup: './hooks/start.js' };")
    suite.write("hooks/start.js", "module.exports = () => { throw new TypeError('no warehouse'); };")
    suite.write("one.spec.js", "require('@playwright/test').test('works', () => {});")
    plain = suite.play("--reporter", "line", on=False, hook=False)
    run = suite.play("--reporter", "line")
    assert (run.returncode, run.stdout) == (plain.returncode, plain.stdout)
    assert run.stderr.replace(f"{run.line}\n", "") == plain.stderr
    assert (run.returncode, run.status) == (1, "failed")
    assert run.statuses == {"hooks/start.js": "error"}
    (end,) = run.ends
    assert (end["file"], end["error_type"]) == ("hooks/start.js", "TypeError")
    assert end["error_message"] == "TypeError: no warehouse"


def test_global_tear_down_that_fails_is_an_error_beside_the_tests(suite):
    suite.write("playwright.config.js", "module.exports = { globalTeardown: './stop.js' };")
    suite.write("stop.js", "module.exports = () => { throw new Error('no broom'); };")
    suite.write("one.spec.js", "require('@playwright/test').test('works', () => {});")
    run = suite.play()
    assert run.statuses == {"one.spec.js › works": "passed", "stop.js": "error"}
    assert (run.returncode, run.status) == (1, "failed")


def test_shards_join_by_the_run_id(suite):
    for name in ("a", "b"):
        suite.write(f"{name}.spec.js", "require('@playwright/test').test('works', () => {});")
    for shard in ("1/2", "2/2"):
        run = suite.play("--shard", shard, CROSSBRIDGE_RUN_ID=RUN_ID)
        assert run.returncode == 0, run.output
    assert {header["run_id"] for header in run.headers} == {RUN_ID}
    assert run.statuses == {"a.spec.js › works": "passed", "b.spec.js › works": "passed"}
