"""HTTP calls of real clients to a real server on loopback: what is recorded, and that nothing else is different."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from support.framework_runs import Suite
from support.hazards import python_of
from support.third_party import python_with

SAMPLE = Path(__file__).parent / "sample"
NOW = (
    "pytest==9.2.0",
    "requests==2.34.2",
    "urllib3==2.8.0",
    "httpx==0.28.1",
    "aiohttp==3.14.5",
    "freezegun==1.5.5",
    "pytest-httpx==0.36.2",
    "requests-mock==1.12.1",
    "responses==0.26.3",
    "respx==0.23.1",
    "vcrpy==9.4.2",
)
OLDER = (
    "pytest==8.4.2",
    "requests==2.28.2",
    "urllib3==1.26.20",
    "httpx==0.24.1",
    "aiohttp==3.9.5",
    "aioresponses==0.7.6",
)
ITEM, OLD = ("GET", "/items/{id}", 200), ("GET", "/old/{id}", 302)
BODY = ("GET", "/body_on_demand", 200)

# Every call, by file and test; a status in the place of a number is the error.
CALLS = {
    "aiohttp": {
        "methods": [
            ITEM,
            ("POST", "/items/a", 200),
            ("GET", "/status/{id}", 404),
            ("GET", "/status/{id}", 500),
        ],
        "redirects": [("POST", "/old/{id}", 302), OLD, ITEM, OLD, OLD, OLD],
        "streaming": [BODY],
        "gather": [("GET", "/status/{id}", status) for status in range(200, 204)],
        "errors": [("GET", "/never", "TimeoutError"), ("GET", "/items/{id}", "ClientConnectorError")],
        "tracing_of_the_user": [ITEM, ITEM],
    },
    "httpx": {
        "methods": [ITEM, ("POST", "/items/a", 200), ("GET", "/status/{id}", 404)],
        "redirects": [OLD, OLD, ITEM, OLD],
        "streaming": [BODY],
        "errors": [("GET", "/never", "ReadTimeout"), ("GET", "/items/{id}", "ConnectError")],
        "async": [ITEM, *(("GET", "/status/{id}", status) for status in range(200, 205)), OLD, ITEM],
        "async_streaming": [BODY],
        "async_errors": [
            ("GET", "/never", "ReadTimeout"),
            ("GET", "/items/{id}", "ConnectError"),
            ("GET", "/never", "CancelledError"),
        ],
        "subclasses": [ITEM],
    },
    "requests": {
        "methods": [ITEM, ("POST", "/items/a/b", 200), ("DELETE", "/status/{id}", 404)],
        "redirects": [OLD, OLD, ITEM, OLD],
        "streaming": [BODY],
        "retries": [("GET", "/unavailable/requests", 200)],
        "errors": [
            ("GET", "/never", "ReadTimeout"),
            ("GET", "/items/{id}", "ConnectionError"),
            ("GET", "/gone", "ConnectionError"),
            ("GET", "/status/{id}", 500),
        ],
        "threads": [ITEM] * 20,
        "subclasses": [ITEM, ITEM],
        "pickling": [ITEM],
        "mock": [ITEM],
    },
    "urllib3": {
        "methods": [ITEM, ("POST", "/items/a", 200), ("GET", "/status/{id}", 404)],
        "redirects": [OLD, OLD, ITEM, OLD],
        "redirects_in_a_pool": [("GET", "/old/{id}", 200)],  # the pool follows by itself
        "streaming": [BODY],
        "retries": [("GET", "/unavailable/urllib3", 200)],
        "errors": [("GET", "/never", "ReadTimeoutError"), ("GET", "/items/{id}", "NewConnectionError")],
        "proxy": [("GET", "shop.test/users/{id}", "MaxRetryError")],
    },
}
FROZEN = {"requests": {"frozen_clock": [ITEM]}}
MOCKS = {
    "mocks": {
        "responses": [ITEM],
        "requests_mock": [ITEM],
        "respx": [ITEM],
        "pytest_httpx": [ITEM],
        "vcr_records": [ITEM, ITEM],
        "vcr_plays": [ITEM],  # of the two, the one through requests: the documented limit
    }
}
PEOPLES_OWN = {"aioresponses": {"aioresponses": [ITEM]}}


class Calls:
    """The sample, run in an environment of its own."""

    def __init__(self, folder: Path, python: str, *ignored: str, passed_over: str = "") -> None:
        self.suite = Suite(folder, python=python)
        for path in SAMPLE.glob("*.py"):
            shutil.copy(path, folder)
        settings = f"[pytest]\npython_files = calls_*.py\npythonpath = .\nfilterwarnings =\n    error\n    {passed_over}\n"
        self.suite.write("pytest.ini", settings)
        self._arguments = ["-q", "-rA", "-p", "server", *(f"--ignore=calls_{name}.py" for name in ignored)]

    def run(self, *arguments, module="pytest", **options):
        plugin = ("-p", "crossbridge.integrations.pytest")
        run = self.suite.run(module, *plugin, *self._arguments, *arguments, **options)
        assert run.returncode == 0, run.output
        return run


@pytest.fixture(scope="module")
def now(tmp_path_factory):
    return Calls(tmp_path_factory.mktemp("now"), python_with(*NOW), "aioresponses")


@pytest.fixture(scope="module")
def recorded(now):
    return now.run()


@pytest.fixture(scope="module")
def older(tmp_path_factory):
    # aiohttp 3.9 leaves a connection behind now and then, with us or without.
    passed_over = "ignore:Unclosed connection:ResourceWarning"
    python = python_with(*OLDER, base=python_of("3.10"))
    return Calls(tmp_path_factory.mktemp("older"), python, "mocks", passed_over=passed_over)


def _calls(run):
    """Method, path and status or error of every call, by file and test, in the order of their ends."""
    calls = {}
    for event in sorted(run.of_type("http_call"), key=lambda event: event["at_us"]):
        file, _, test = event["test_id"].partition("::test_")
        path = re.sub(r"^127\.0\.0\.1:\d+", "", event["endpoint"])
        assert ("status_code" in event) != ("error" in event)
        call = (event["method"], path, event.get("status_code") or event["error"])
        calls.setdefault(file.removeprefix("calls_").removesuffix(".py"), {}).setdefault(test, []).append(
            call
        )
    return calls


def _in_any_order(calls):
    return {
        file: {test: sorted(map(str, found)) for test, found in tests.items()}
        for file, tests in calls.items()
    }


def _merged(*tables):
    merged = {}
    for table in tables:
        for file, tests in table.items():
            merged.setdefault(file, {}).update(tests)
    return merged


def _seen(run):
    return [line for line in run.stdout.splitlines() if line.startswith("SEEN")]


def test_every_call_is_a_row(recorded):
    expected = _merged(CALLS, FROZEN, MOCKS)
    found = _calls(recorded)
    assert _in_any_order(found) == _in_any_order(expected)
    for file, test in (("requests", "redirects"), ("httpx", "redirects"), ("aiohttp", "redirects")):
        assert found[file][test] == expected[file][test]


def test_a_call_ends_before_its_body_is_read(recorded):
    for segment in recorded.segments:
        order = [
            e["type"]
            for e in segment
            if e.get("step_name") == "body" or e.get("endpoint", "").endswith("demand")
        ]
    assert order == ["http_call", "step_start", "step_end"] * 5


def test_durations_are_the_clocks_not_the_tests(recorded):
    for event in recorded.of_type("http_call"):
        assert 0 < event["duration_us"] < 30_000_000
        if event.get("error", "").startswith("ReadTimeout"):  # whose clock runs within ours
            assert event["duration_us"] >= 50_000


def test_no_secret_is_in_the_spool(now, recorded):
    assert recorded.of_type("http_call")
    text = "".join(path.read_text() for path in now.suite.spool.glob("*/*"))
    assert "s3cret" not in text
    assert "token" not in text


def test_nothing_a_user_can_see_is_different(now, recorded):
    off = now.run(on=False)
    assert len(_seen(off)) > 20
    assert _seen(recorded) == _seen(off)


@pytest.mark.parametrize("part", ["http.record", "http.patch", "_patching._watch"])
def test_fault_of_ours_changes_nothing(now, recorded, part):
    module, _, name = part.partition(".")
    now.suite.write(
        "faulty.py",
        f"""
        import sys
        import pytest
        from crossbridge.integrations import {module}

        def fault(*args, **kwargs):
            raise RuntimeError("injected")

        {module}.{name} = fault
        sys.exit(pytest.main(sys.argv[1:]))
        """,
    )
    shutil.rmtree(now.suite.spool)
    run = now.run(module="faulty", strict=False)
    assert _seen(run) == _seen(recorded)
    assert len(run.of_type("http_call")) < len(recorded.of_type("http_call"))
    assert "RuntimeError: injected" in run.line


def test_older_versions_on_the_oldest_python(older):
    run = older.run()
    assert _in_any_order(_calls(run)) == _in_any_order(_merged(CALLS, PEOPLES_OWN))
