"""Steps and calls, and that nothing that was typed, searched or sent is among them."""

from __future__ import annotations

import re

import pytest

from support.cli import run_cli
from support.framework_runs import step_tree
from support.needs import need
from support.playwright import PlaywrightSuite
from support.pytest_runs import clean_environ

OLD = "@playwright/test@1.50.1"


def played(folder, **options):
    need("chromium", packages="chromium")
    suite = PlaywrightSuite(folder / "project", "steps.spec.ts", **options)
    suite.write("playwright.config.js", "module.exports = {};")
    done = run_cli("init", suite.folder, env=clean_environ())
    assert done.returncode == 0, done.stderr
    return suite.play(hook=False)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return played(tmp_path_factory.mktemp("steps"))


def calls(run):
    return [
        (call["method"], re.sub(r":\d{4,}", "", call["endpoint"]), call.get("status_code"), call.get("error"))
        for call in run.of_type("http_call")
    ]


CALLS = [
    ("GET", "127.0.0.1/users/{id}", 200, None),
    ("POST", "127.0.0.1/orders", 201, None),
    ("GET", "127.0.0.1/orders/{id}", 200, None),
    ("GET", "127.0.0.1:1/away", None, "ECONNREFUSED"),
]


def test_steps_nest_by_category(run):
    tree = step_tree(run, "steps.spec.ts › page")
    body = tree[tree.index("Navigate [api] passed") : tree.index("After Hooks [hook] passed")]
    assert body == [
        "Navigate [api] passed",
        "Fill [api] passed",
        "Type [api] passed",
        "Click [api] passed",
        "outer [step] passed",
        "  inner [step] passed",
        '    Expect "toHaveValue" [expect] passed',
    ]
    assert tree[0] == "Before Hooks [hook] passed"
    assert '  Fixture "page" [fixture] passed' in tree
    end = run.end_of("page")
    outermost = [
        step
        for step in run.of_type("step_end")
        if step["test_id"] == end["test_id"] and not step.get("depth")
    ]
    hooks = {step["step_name"]: step["duration_us"] for step in outermost if step["event_type"] == "hook"}
    assert end["setup_us"] == hooks.pop("Before Hooks")
    assert end["teardown_us"] == sum(hooks.values()) > 0
    assert end["setup_us"] + end["teardown_us"] < end["duration_us"]


def test_calls_of_the_fixture_and_of_node_are_recorded(run):
    assert calls(run) == CALLS
    assert {call["test_id"] for call in run.of_type("http_call")} == {"steps.spec.ts › calls"}


def test_no_secret_is_recorded(run):
    end = run.end_of("no element")
    assert (end["status"], end["error_type"]) == ("failed", "TimeoutError")
    assert end["error_message"] == "TimeoutError: page.fill: Timeout 200ms exceeded."
    assert "s3cret" not in str(run.events)


def test_older_version_has_the_same_calls_and_no_secret(tmp_path):
    run = played(tmp_path, package=OLD)
    assert calls(run) == CALLS
    assert "s3cret" not in str(run.events)
    tree = step_tree(run, "steps.spec.ts › page")
    assert tree[tree.index("page.goto [api] passed") + 1] == "page.fill [api] passed"


def test_without_the_configuration_the_fixtures_calls_are_read_from_its_steps(tmp_path):
    suite = PlaywrightSuite(tmp_path / "project", "steps.spec.ts")
    run = suite.play("--grep", "calls")
    fixtures = [CALLS[0], CALLS[1], CALLS[3]]
    assert [call[:2] for call in calls(run)] == [call[:2] for call in fixtures]
    assert "s3cret" not in str(run.events)
