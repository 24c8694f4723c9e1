"""What is recorded of a Cypress run is what Cypress itself says of it, and nobody notices that we are there."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from support.cypress import LOCAL, CypressSuite, once, told
from support.framework_runs import step_tree
from support.node import SDK, find_node
from support.pytest_runs import clean_environ

PROJECT = Path(__file__).parent / "project"
STATUSES = {"passed": "passed", "failed": "failed", "pending": "skipped", "skipped": "skipped"}


def copy(folder):
    suite = CypressSuite(folder)
    shutil.copytree(PROJECT, folder, dirs_exist_ok=True)
    return suite


@pytest.fixture(scope="module")
def without_us(tmp_path_factory):
    return once(tmp_path_factory, "without_us", lambda folder: copy(folder).run(on=False))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    def make(folder):
        suite = copy(folder)
        suite.init()
        return suite.run()

    return once(tmp_path_factory, "with_us", make)


@pytest.fixture(scope="module")
def results(run):
    """Cypress's results, as a handler of the project's own wrote them."""
    return json.loads((run.project / "results.json").read_text())


def attempts_of(results, suffix=""):
    """The attempts as Cypress tells of them; the second test of a name is another test."""
    found = Counter()
    for spec in results["runs"]:
        named = Counter()
        if spec["error"] and not spec["tests"]:
            found[spec["spec"]["relative"] + suffix, 1, "failed"] += 1
        for test in spec["tests"]:
            name = " › ".join([spec["spec"]["relative"], *test["title"]]) + suffix
            named[name] += 1
            test_id = name if named[name] == 1 else f"{name} [{named[name]}]"
            for number, attempt in enumerate(test["attempts"] or [test], 1):
                found[test_id, number, STATUSES[attempt["state"]]] += 1
    return found


def as_cypress_says(run):
    """The attempts as recorded; Cypress has one word, failed, for what we call failed and error."""
    return Counter(
        (test, attempt, status.replace("error", "failed"))
        for test, attempt, status in run.attempts.elements()
    )


def test_tests_statuses_and_attempts_are_those_of_cypress(run, results):
    assert as_cypress_says(run) == attempts_of(results)
    assert run.status == "failed"


def test_hooks_that_fail_are_errors(run):
    assert {end["test_id"] for end in run.ends if end["status"] == "error"} == {
        "specs/kinds.cy.js › before all fails › first",
        "specs/kinds.cy.js › before each fails at the second › second",
        "specs/kinds.cy.js › after each fails › first",
        "specs/kinds.cy.js › after all fails › last",
        "specs/broken.cy.js",
    }


def test_spec_that_does_not_compile_says_why(run):
    broken = run.end_of("specs/broken.cy.js")
    assert "SyntaxError" in broken["error_message"]
    assert broken["file"] == broken["suite"] == "specs/broken.cy.js"


def test_test_at_which_the_browser_crashed_has_its_time_and_the_reason(run):
    crashed = run.end_of("crash › takes its browser down")
    assert crashed["error_message"].startswith("We detected that the Electron Renderer process just crashed.")
    assert crashed["duration_us"] > 1000


def test_durations_hold_what_cypress_measures(run, results):
    measured = {
        " › ".join([spec["spec"]["relative"], *test["title"]]): test["duration"] * 1000
        for spec in results["runs"]
        for test in spec["tests"]
        if test["state"] in {"passed", "failed"} and test["title"][-1] != "is called the same"
    }
    ours = Counter()
    for end in run.ends:
        ours[end["test_id"]] += end["duration_us"]
    millisecond = 1000  # Cypress rounds to it, an attempt each
    short = {name: (ours[name], us) for name, us in measured.items() if ours[name] < us - 2 * millisecond}
    assert not short
    # A test that goes on in another window has lasted since it began; Cypress counts from there.
    long = {name: (ours[name], us) for name, us in measured.items() if ours[name] > us + 100 * millisecond}
    assert {name for name in long if "kinds.cy.js" in name} == set()


def test_exit_code_output_and_own_handlers_are_as_without_us(run, without_us):
    assert run.returncode == without_us.returncode
    assert told(run) == told(without_us)
    handlers = (without_us.project / "handlers.log").read_text()
    assert (run.project / "handlers.log").read_text() == handlers
    assert [line for line in handlers.splitlines() if line.startswith("after:run")] == ["after:run 28"]
    assert "crossbridge" not in run.stderr
    assert list((run.project / ".crossbridge" / "cypress").iterdir()) == []


def test_steps_are_once_where_a_test_begins_anew_on_another_site(run):
    assert step_tree(run, "specs/sites.cy.js › goes to another site") == [
        "wrap [setup] passed",
        "as [setup] passed",
        "wrap [command] passed",
        "request [command] passed",
        "visit [command] passed",
        "pay [command] passed",
        "  get [command] passed",
        "  click [command] passed",
        "  get [command] passed",
    ]


def test_commands_in_callbacks_are_steps_within(run):
    assert step_tree(run, "specs/sites.cy.js › fails within")[2:] == [
        "visit [command] passed",
        "get [command] passed",
        "within [command] failed",
        "  get [command] passed",
        "  then [command] failed",
        "    get [command] failed",
    ]
    assert step_tree(run, "specs/sites.cy.js › has a task of its own")[2:] == [
        "task [command] passed",
        "should [expect] passed",
    ]


def test_calls_of_the_page_and_of_the_test(run):
    calls = {}
    for call in run.of_type("http_call"):
        host, _, path = call["endpoint"].partition("/")
        what = (call["method"], host.partition(":")[0], path, call.get("status_code"), call.get("error"))
        calls.setdefault(call["test_id"].partition(" › ")[2], []).append(what)
    order = "api/orders/{id}"
    assert calls == {
        "sees each request itself": [("POST", "127.0.0.1", order, 201, None)],
        "goes to another site": [
            ("GET", "127.0.0.1", "api/users/{id}", 201, None),
            ("POST", "localhost", order, 201, None),
        ],
        "asks for what is not there": [("GET", "127.0.0.1", "api/nowhere", 404, None)],
        "asks nobody": [("GET", "127.0.0.1", "", None, "CypressError")],
    }


def test_nothing_that_was_asked_for_or_typed_is_recorded(run):
    spool = (run.project / ".crossbridge" / "spool").glob("*/*.jsonl")
    written = "".join(path.read_text() for path in spool)
    assert "cy.request()" in written
    assert "s3cret" not in written


def test_set_up_is_part_of_the_test(run):
    first = run.end_of("specs/kinds.cy.js › kinds › passes")
    assert 20_000 < first["setup_us"] < first["duration_us"]


def test_results_alone_give_every_attempt_when_the_browser_tells_nothing(results, run, tmp_path):
    script = tmp_path / "replay.mjs"
    script.write_text(
        f"""
        import {{ readFileSync }} from 'node:fs';
        import {{ Collector }} from {json.dumps(str(SDK / "src/core/index.js"))};
        import {{ Recorder }} from {json.dumps(str(SDK / "src/cypress/recorder.js"))};
        const results = JSON.parse(readFileSync(process.argv[2]));
        const collector = Collector.start({{ framework: 'cypress' }});
        const recorder = new Recorder(collector);
        recorder.runBegins('chrome');
        for (const spec of results.runs) {{
          recorder.specBegins(spec.spec.relative);
          recorder.specEnds(spec);
        }}
        await collector.shutdown('failed');
        """
    )
    environ = clean_environ(**LOCAL, CROSSBRIDGE_STRICT="1")
    suite = CypressSuite(tmp_path / "project")
    done = subprocess.run(
        [find_node(), script, run.project / "results.json"],
        cwd=suite.folder, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    replayed = suite.run_of(0)
    assert as_cypress_says(replayed) == attempts_of(results, " [chrome]")
    assert {"RangeError", "CypressError"} <= {end.get("error_type") for end in replayed.ends}
    assert "s3cret" not in str(replayed.events)
