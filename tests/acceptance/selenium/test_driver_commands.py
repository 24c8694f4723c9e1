"""Commands to a real headless Chromium: what is recorded, and that nothing else is different."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest

from support.framework_runs import Suite
from support.third_party import python_with

MORE = Path(__file__).parent / "sample" / "more.py"
OLDER = ("pytest==8.4.2", "selenium==4.11.2", "requests==2.28.2", "urllib3==1.26.20")

USER, PASSWORD, ADD, SIGN_IN = (
    f'css selector=[id="{name}"]' for name in ("user", "password", "add", "sign-in")
)
MISSING = 'css selector=[id="missing"]'
NOT_FOUND = "NoSuchElementException"
PAGE = ("get", "HOST/shop.html")
SCRIPT = ("w3cExecuteScript", None)

# Every command, by test; what is repeated has a `+`, what fails its error.
COMMANDS = {
    "browser_commands": [
        ("newSession", None),
        PAGE,
        ("findElement", USER),
        ("sendKeysToElement", USER),
        ("findElement", PASSWORD),
        ("sendKeysToElement", PASSWORD),
        ("findElement", "css selector=#sign-in"),
        ("clickElement", "css selector=#sign-in"),
        ("findElement", 'css selector=[id="greeting"]'),
        ("getElementText", 'css selector=[id="greeting"]'),
    ],
    "waits": [
        PAGE,
        ("findElement", ADD),
        ("clickElement", ADD),
        ("findElement", "css selector=.item", "+"),
        ("w3cExecuteScript", "css selector=.item"),  # is_displayed
        ("getElementText", "css selector=.item"),
    ],
    "actions": [PAGE, ("findElement", SIGN_IN), ("actions", None), SCRIPT],
    "fails": [PAGE, ("findElement", 'css selector=[id="checkout"]', NOT_FOUND)],
    "profile_webdriver": [PAGE, ("findElement", USER)],
    "secrets": [PAGE, ("addCookie", None), ("getCookie", None), SCRIPT, ("get", "data:")],
    "elements": [
        PAGE,
        ("findElements", "css selector=input"),
        ("w3cExecuteScript", "css selector=input"),
        ("w3cExecuteScript", "css selector=input"),
        ("findElement", 'css selector=[id="login"]'),
        ("findChildElement", "css selector=button"),
        ("w3cExecuteScript", "css selector=button"),
        ("actions", None),
    ],
    "errors": [
        PAGE,
        ("findElement", MISSING, NOT_FOUND),
        ("findElement", ADD),
        ("refresh", None),
        ("clickElement", ADD, "StaleElementReferenceException"),
    ],
    "wait_that_gives_up": [PAGE, ("findElement", MISSING, NOT_FOUND, "+")],
    "waits_in_a_wait": [
        PAGE,
        ("findElement", ADD),
        ("clickElement", ADD),
        ("findElement", "css selector=.item", "+"),
        ("getTitle", None),
    ],
    "events": [PAGE, ("findElement", USER), ("sendKeysToElement", USER), ("findElement", MISSING, NOT_FOUND)],
    "thread": [PAGE, ("findElement", USER)],
    "http_beside_the_browser": [PAGE, ("findElement", USER)],
    "title": [PAGE, ("findElement", USER), ("sendKeysToElement", USER), ("getTitle", None)],
    "what_can_be_seen": [("quit", None)],  # by the session's fixture, in the last test's tear-down
}


def project(folder: Path, **options) -> Suite:
    suite = Suite(folder, example="selenium", **options)
    shutil.copy(MORE, folder / "tests" / "test_more.py")
    return suite


def run_pytest(suite: Suite, module: str = "pytest", **options):
    has_entry_point = suite.python == sys.executable
    plugin = "crossbridge" if has_entry_point else "crossbridge.integrations.pytest"
    run = suite.run(module, "-q", "-rA", "-p", plugin, "-p", "no:cacheprovider", **options)
    assert run.returncode == 1, run.output
    assert re.search(r"1 failed, 14 passed", run.stdout), run.output
    return run


def commands(run):
    """Command, target, error and `+` when it was repeated, by test, in order."""
    found = {}
    for event in sorted(run.of_type("driver_command"), key=lambda event: event["at_us"]):
        test = event["test_id"].rpartition("test_")[2]
        target = event.get("target") and re.sub(r"^127\.0\.0\.1:\d+", "HOST", event["target"])
        target = target and target.replace("tag name=", "css selector=")  # as Selenium before 4.12 says
        rest = [event["error"]] if "error" in event else []
        found.setdefault(test, []).append(
            (event["command"], target, *rest, *(["+"] if event.get("retry_count") else []))
        )
    return found


def seen(run):
    return [line for line in run.stdout.splitlines() if line.startswith("SEEN")]


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    return project(tmp_path_factory.mktemp("selenium") / "shop")


@pytest.fixture(scope="module")
def recorded(suite):
    return run_pytest(suite)


def test_every_command_is_a_row_of_its_test(recorded):
    assert commands(recorded) == COMMANDS


def test_a_wait_says_how_often_it_asked_and_how_long_it_took(recorded):
    (row,) = [
        event
        for event in recorded.of_type("driver_command")
        if event.get("error") and event.get("retry_count")
    ]
    assert row["test_id"].endswith("test_wait_that_gives_up")
    assert 1 <= row["retry_count"] <= 6  # asked every 0.05 s for 0.3 s, give or take the browser
    assert row["duration_us"] >= 250_000


def test_the_browsers_http_is_no_http_call(recorded):
    (call,) = recorded.of_type("http_call")
    assert call["test_id"].endswith("test_http_beside_the_browser")


def test_no_secret_is_in_the_spool(suite, recorded):
    text = "".join(path.read_text() for path in suite.spool.glob("*/*.jsonl"))
    assert text.count("driver_command") > 50
    assert "s3cret" not in text
    assert "token" not in text


def test_nothing_a_user_can_see_is_different(suite, recorded):
    off = run_pytest(suite, on=False)
    assert len(seen(off)) == 7
    assert seen(recorded) == seen(off)


def test_fault_of_ours_changes_nothing(tmp_path, recorded):
    suite = project(tmp_path / "shop")
    suite.write(
        "faulty.py",
        """
        import sys
        import pytest
        from crossbridge.integrations import _selenium_commands

        def fault(*args, **kwargs):
            raise RuntimeError("injected")

        _selenium_commands.Command.record = fault  # which a command calls, and the end of a wait
        sys.exit(pytest.main(sys.argv[1:]))
        """,
    )
    run = run_pytest(suite, "faulty", strict=False)
    assert seen(run) == seen(recorded)
    assert run.of_type("driver_command") == []
    assert "RuntimeError: injected" in run.line


def test_an_older_selenium(tmp_path):
    run = run_pytest(project(tmp_path / "shop", python=python_with(*OLDER)))
    assert commands(run) == COMMANDS


def test_a_program_of_no_framework(tmp_path):
    suite = project(tmp_path / "shop")
    suite.write(
        "program.py",
        """
        import shutil
        from pathlib import Path
        from selenium import webdriver
        from selenium.webdriver.support.event_firing_webdriver import EventFiringWebDriver
        from selenium.webdriver.support.events import AbstractEventListener
        from crossbridge.integrations.selenium import profile_webdriver
        from crossbridge.profiling.collector import MetricsCollector

        options = webdriver.ChromeOptions()
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu"):
            options.add_argument(argument)
        options.binary_location = shutil.which("chromium")
        with webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver"))) as plain:
            assert profile_webdriver(plain) is plain
            assert "execute" not in vars(plain)  # nothing records yet
            collector = MetricsCollector.get_instance()
            assert collector.start(framework="script")
            collector.record_test_start("program")
            page = Path("shop.html").absolute().as_uri()
            with profile_webdriver(plain) as driver:
                assert driver is plain and isinstance(driver, webdriver.Chrome)
                profile_webdriver(profile_webdriver(driver)).get(page)
                firing = EventFiringWebDriver(driver, AbstractEventListener())
                profile_webdriver(firing).find_element("id", "user").send_keys("s3cret")
                collector.record_test_end("program")
                collector.shutdown()
                assert driver.title == "Shop"
        """,
    )
    run = suite.run("program")
    assert run.returncode == 0, run.output
    assert commands(run) == {
        "program": [("get", "file:"), ("findElement", USER), ("sendKeysToElement", USER)]
    }


def test_behave(tmp_path):
    pytest.importorskip("behave")
    suite = project(tmp_path / "shop")
    shutil.copy(suite.folder / "conftest.py", suite.folder / "browser.py")
    suite.write(
        "features/steps/steps.py",
        """
        from pathlib import Path
        from behave import when
        from selenium.webdriver.common.by import By
        from browser import driver as browser

        @when("the page is opened")
        def opened(context):
            driver = next(browser.__wrapped__())
            context.add_cleanup(driver.quit)
            driver.get(Path("shop.html").absolute().as_uri())
            driver.find_element(By.ID, "user").send_keys("s3cret")
        """,
    )
    suite.write("features/a.feature", "Feature: A\n  Scenario: Opens\n    When the page is opened\n")
    run = suite.run(
        "behave", "-r", "crossbridge.integrations.behave:Runner", environ={"PYTHONPATH": str(suite.folder)}
    )
    assert run.statuses == {"features/a.feature::Opens": "passed"}, run.output
    names = [event["command"] for event in run.of_type("driver_command")]
    assert names == ["newSession", "get", "findElement", "sendKeysToElement", "quit"]
    assert {event["test_id"] for event in run.of_type("driver_command")} == {"features/a.feature::Opens"}


def test_robots_selenium_library(tmp_path):
    suite = project(tmp_path / "shop")
    switches = "add_argument('--headless=new');add_argument('--no-sandbox');add_argument('--disable-gpu')"
    suite.write(
        "t.robot",
        f"""
        *** Settings ***
        Library    SeleniumLibrary

        *** Test Cases ***
        Shops
            Open Browser    file://{suite.folder}/shop.html    chrome
            ...    options={switches};binary_location='{shutil.which("chromium")}'
            ...    service=executable_path='{shutil.which("chromedriver")}'
            Input Password    id:password    s3cret
            Click Button    id:add
            Wait Until Element Is Visible    css:.item
            [Teardown]    Close All Browsers
        """,
    )
    run = suite.run("robot", "--listener", "crossbridge.integrations.robot", "--output", "NONE", "t.robot")
    assert run.statuses == {"T.Shops": "passed"}, run.output
    assert {event["test_id"] for event in run.of_type("driver_command")} == {"T.Shops"}
    assert run.of_type("http_call") == []
    (item,) = [
        event
        for event in run.of_type("driver_command")
        if event.get("target") == "css selector=.item" and event["command"] == "findElements"
    ]
    assert item["retry_count"] >= 1
    assert "s3cret" not in "".join(path.read_text() for path in suite.spool.glob("*/*.jsonl"))
