"""Mocha's runs, recorded as Mocha's own JSON reporter tells them."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from support.node import MOCHAS, SDK, run_tool
from support.segments import read_spool
from support.third_party import node_modules

SAMPLE = Path(__file__).parent / "sample"
REGISTER = ("--require", str(SDK / "src" / "mocha" / "register.js"))
BY_HOOK = {
    "broken set-up errors in setup": "error",
    "broken tear-down errors in teardown": "error",
    "broken before all errors before": "error",
    "broken after all passes before": "error",
}
NESTED = """
const assert = require('node:assert');
const loaded = require('mocha');
const Mocha = loaded.default ?? loaded;
it('runs Mocha', async () => {
  const inner = (file) => new Mocha({ reporter: function () {} }).addFile(file);
  await new Promise((done) => inner('inner.js').run(done));
  await assert.rejects(inner('broken.js').loadFilesAsync(), /no butter/);
});
it('goes on', () => {});
"""


@pytest.fixture(params=MOCHAS)
def project(tmp_path, request):
    shutil.copytree(SAMPLE, tmp_path, dirs_exist_ok=True)
    (tmp_path / ".crossbridge").mkdir()
    (tmp_path / "node_modules").symlink_to(node_modules(request.param))
    return tmp_path


def ends(project):
    return [event for event in read_spool(project / ".crossbridge" / "spool") if event["type"] == "test_end"]


def told(result):
    """Names, statuses and attempts of Mocha's JSON; a hook that broke goes to the test it stood beside."""
    found = {}
    for word, status in (("passes", "passed"), ("failures", "failed"), ("pending", "skipped")):
        for test in result[word]:
            if " hook for " not in test["title"]:
                name = test["fullTitle"] + (" [2]" if test["err"].get("message") == "the second" else "")
                found[name] = (status, test.get("currentRetry", 0) + 1)
    return found | {name: (status, 1) for name, status in BY_HOOK.items()}


@pytest.mark.parametrize("ways", [(), ("--parallel",)])
def test_tests_statuses_and_attempts_are_mochas_own(project, ways):
    plain = run_tool(project, "mocha", *ways, "--reporter", "json")
    ours = run_tool(project, "mocha", *ways, *REGISTER, "--reporter", "json", CROSSBRIDGE_PROFILING="1")
    assert (ours.returncode, ours.stderr) == (plain.returncode, plain.stderr)
    recorded = {}
    for event in ends(project):
        name = event["test_id"].removeprefix("test/shop.spec.js › ").replace(" › ", " ")
        recorded[name] = (event["status"], event.get("attempt", 1))
    assert recorded == told(json.loads(ours.stdout))
    assert json.loads(plain.stdout)["stats"]["tests"] == json.loads(ours.stdout)["stats"]["tests"]


def test_an_attempt_is_one_row_with_its_hooks(project):
    run_tool(project, "mocha", *REGISTER, CROSSBRIDGE_PROFILING="1")
    events = ends(project)
    assert Counter(event["test_id"].split(" › ")[-1] for event in events)["flaky"] == 2
    by_title = {event["test_id"].split(" › ")[-1]: event for event in events}
    assert by_title["flaky"]["attempt"] == 2
    slow = by_title["has slow hooks"]
    assert slow["setup_us"] >= 25_000
    assert slow["teardown_us"] >= 15_000
    assert slow["duration_us"] >= slow["setup_us"] + slow["teardown_us"]
    error = by_title["errors in setup"]
    assert (error["error_type"], error["error_message"]) == ("RangeError", "no server")
    assert {event["file"] for event in events} == {"test/shop.spec.js"}
    assert by_title["fails"]["suite"] == "Cart"


def test_the_output_is_as_without_us_and_off_writes_nothing(project):
    plain = run_tool(project, "mocha", "--reporter", "dot", "--grep", "Cart passes")
    off = run_tool(project, "mocha", *REGISTER, "--reporter", "dot", "--grep", "Cart passes")
    assert (off.returncode, off.stderr, off.stdout.split()[:2]) == (0, "", plain.stdout.split()[:2])
    assert not (project / ".crossbridge" / "spool").exists()


@pytest.mark.parametrize("ways", [(), ("--parallel",)])
@pytest.mark.parametrize("broken", [False, True], ids=["", "a file does not load"])
def test_a_dry_run_runs_no_test_and_records_none(project, ways, broken):
    if broken:
        (project / "test" / "broken.spec.js").write_text("throw new Error('no butter');\n")
    done = run_tool(project, "mocha", "--dry-run", *ways, *REGISTER, CROSSBRIDGE_PROFILING="1")
    assert done.returncode == broken, done.stdout
    assert not (project / ".crossbridge" / "spool").exists()


def test_runs_of_mocha_that_a_test_starts_are_not_recorded(project):
    (project / "test" / "shop.spec.js").write_text(NESTED)
    (project / "inner.js").write_text("it('is inside', () => {});\n")
    (project / "broken.js").write_text("throw new Error('no butter');\n")
    done = run_tool(project, "mocha", *REGISTER, CROSSBRIDGE_PROFILING="1")
    assert done.returncode == 0, done.stdout
    assert {event["test_id"]: event["status"] for event in ends(project)} == {
        "test/shop.spec.js › runs Mocha": "passed",
        "test/shop.spec.js › goes on": "passed",
    }
    assert len(list((project / ".crossbridge" / "spool").glob("*/*.jsonl"))) == 1


def test_a_spool_that_cannot_be_made_changes_nothing(project):
    broken = {"CROSSBRIDGE_PROFILING": "1", "CROSSBRIDGE_SPOOL_DIR": "/proc/crossbridge"}
    done = run_tool(project, "mocha", *REGISTER, "--grep", "Cart passes", strict=False, **broken)
    assert (done.returncode, done.stderr) == (0, "")
