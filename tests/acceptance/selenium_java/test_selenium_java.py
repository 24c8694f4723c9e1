"""Commands that Java tests send to a real headless Chromium: what is recorded, and that nothing else is different."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
from selenium.webdriver.chromium.remote_connection import ChromiumRemoteConnection
from selenium.webdriver.firefox.remote_connection import FirefoxRemoteConnection
from selenium.webdriver.remote import remote_connection
from selenium.webdriver.safari.remote_connection import SafariRemoteConnection

from support.java import JAVA_SDK
from support.maven import MavenSuite

MORE = Path(__file__).parent / "sample" / "MoreTest.java"
ROUTES = JAVA_SDK / "selenium/src/main/java/crossbridge/profiling/selenium/Routes.java"
OLDER = ("4.10.0", "4.20.0")

USER, ADD, MISSING, ITEM = (f"css selector={css}" for css in ("#user", "#add", "#missing", ".item"))
PARALLEL = (
    "junit.jupiter.execution.parallel.enabled=true",
    "junit.jupiter.execution.parallel.mode.default=concurrent",
    "junit.jupiter.execution.parallel.config.strategy=fixed",
    "junit.jupiter.execution.parallel.config.fixed.parallelism=2",
)
NOT_FOUND = "NoSuchElementException"
PAGE = ("get", "HOST/shop.html")
SCRIPT = ("w3cExecuteScript", None)

# Every command, by test; what is repeated has a `+`, what fails its error.
COMMANDS = {
    None: [("newSession", None), ("quit", None)] * 2,  # before and after each class's tests
    "browserCommands": [
        PAGE,
        ("findElement", USER),
        ("sendKeysToElement", USER),
        ("findElement", "css selector=#password"),
        ("sendKeysToElement", "css selector=#password"),
        ("findElement", "css selector=#sign-in"),
        ("clickElement", "css selector=#sign-in"),
        ("findElement", "css selector=#greeting"),
        ("getElementText", "css selector=#greeting"),
    ],
    "waits": [
        PAGE,
        ("findElement", ADD),
        ("clickElement", ADD),
        ("findElement", ITEM, "+"),
        ("w3cExecuteScript", ITEM),  # isDisplayed
        ("getElementText", ITEM),
    ],
    "actions": [PAGE, ("findElement", r"css selector=#sign\-in"), ("actions", None), SCRIPT],
    "fails": [PAGE, ("findElement", "css selector=#checkout", NOT_FOUND)],
    "secrets": [PAGE, ("addCookie", None), ("getCookies", None), SCRIPT, ("get", "data:")],
    "elements": [
        PAGE,
        ("findElements", "tag name=input"),
        ("w3cExecuteScript", "tag name=input"),
        ("w3cExecuteScript", "tag name=input"),
        ("findElement", "css selector=#login"),
        ("findChildElement", "tag name=button"),
        ("w3cExecuteScript", "tag name=button"),
        ("actions", None),
    ],
    "errors": [
        PAGE,
        ("findElement", MISSING, NOT_FOUND),
        ("findElement", ADD),
        ("refresh", None),
        ("clickElement", ADD, "StaleElementReferenceException"),
        ("findElement", "xpath=//[", "InvalidSelectorException"),
    ],
    "waitThatGivesUp": [PAGE, ("findElement", MISSING, NOT_FOUND, "+")],
    "waitsInAWait": [
        PAGE,
        ("findElement", ADD),
        ("clickElement", ADD),
        ("findElement", ITEM, "+"),
        ("isElementEnabled", ITEM),
        ("getTitle", None),
    ],
    "waitsOneAfterTheOther": [
        PAGE,
        ("findElement", ADD),
        ("clickElement", ADD),
        ("findElement", ITEM, "+"),
        ("findElement", ITEM),
    ],
    "thread": [PAGE, ("findElement", USER)],
    "wrapped": [
        PAGE,
        ("findElement", USER),
        ("sendKeysToElement", USER),
        ("findElement", MISSING, NOT_FOUND),
    ],
    # A driver whose HTTP client the test has chosen: by the listener alone, so without how an element was found.
    "clientOfTheUser": [
        PAGE,
        PAGE,
        ("findElement", "id=user"),
        ("sendKeysToElement", None),
        ("findElement", "id=missing", NOT_FOUND),
        ("w3cMaximizeWindow", None),
        ("refresh", None),
    ],
    "noBrowser": [PAGE, ("newSession", None, "ERROR")],
    "looks": [
        PAGE,
        ("getTitle", None),
        ("setWindowRect", None),
        ("executeCdpCommand", "Browser.getVersion"),
        ("deleteNetworkConditions", None),
        ("w3cGetActiveElement", None),
        ("getElementTagName", None),
    ],
}

# The same commands as chromedriver calls them in its log.
OF_CHROMEDRIVER = {
    "newSession": "InitSession", "quit": "Quit", "get": "Navigate", "findElement": "FindElement", "findElements": "FindElements",
    "findChildElement": "FindChildElement", "sendKeysToElement": "TypeElement", "clickElement": "ClickElement",
    "getElementText": "GetElementText", "w3cExecuteScript": "ExecuteScript", "actions": "PerformActions", "refresh": "Refresh",
    "addCookie": "AddCookie", "getCookies": "GetCookies", "isElementEnabled": "IsElementEnabled", "getTitle": "GetTitle",
    "setWindowRect": "SetWindowRect", "executeCdpCommand": "ExecuteCDP", "deleteNetworkConditions": "DeleteNetworkConditions", "w3cGetActiveElement": "GetActiveElement",
    "getElementTagName": "GetElementTagName", "w3cMaximizeWindow": "MaximizeWindow",
}  # fmt: skip


def project(folder: Path) -> MavenSuite:
    suite = MavenSuite(folder, example="selenium-java")
    shutil.copy(MORE, folder / "src" / "test" / "java" / "shop")
    return suite


def run_maven(suite: MavenSuite, *args: str, **options):
    run = suite.run("test", *args, timeout_s=300, **options)
    assert run.returncode == 1, run.output
    assert re.search(r"Tests run: 15, Failures: 0, Errors: 1, Skipped: 0$", run.stdout, re.MULTILINE), (
        run.output
    )
    return run


def commands(run):
    """Command, target, error and `+` when it was repeated, by test, in order."""
    found = {}
    for event in sorted(run.of_type("driver_command"), key=lambda event: event["at_us"]):
        test = event.get("test_id") and event["test_id"].partition("#")[2].removesuffix("()")
        target = event.get("target") and re.sub(r"^127\.0\.0\.1:\d+", "HOST", event["target"])
        error = "ERROR" if test == "noBrowser" else event.get("error")  # each Selenium has its own
        rest = [error] if "error" in event else []
        found.setdefault(test, []).append(
            (event["command"], target, *rest, *(["+"] if event.get("retry_count") else []))
        )
    return found


def seen(run):
    """What the tests have printed, stack traces included, and what Maven says of them."""
    lines = [line for line in run.stdout.splitlines() if line.startswith("SEEN") or "Tests run:" in line]
    return sorted(re.sub(r"Time elapsed: \S+", "", line) for line in lines)


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    return project(tmp_path_factory.mktemp("selenium") / "shop")


@pytest.fixture(scope="module")
def recorded(suite):
    log = ("logfile=chromedriver.log", "verboseLogging=true", "appendLog=true")
    return run_maven(suite, "-DargLine=" + " ".join(f"-Dwebdriver.chrome.{setting}" for setting in log))


def test_every_command_is_a_row_of_its_test(recorded):
    assert commands(recorded) == COMMANDS


def test_commands_are_called_as_in_python(monkeypatch):
    monkeypatch.setattr(remote_connection, "remote_commands", {**remote_connection.remote_commands})
    ChromiumRemoteConnection("http://127.0.0.1", vendor_prefix="*", browser_name="any")  # each adds its own
    FirefoxRemoteConnection("http://127.0.0.1")
    SafariRemoteConnection("http://127.0.0.1")
    pythons = {
        f"{method} {re.sub('[$][a-zA-Z]+', '*', path).removeprefix('/session').removeprefix('/*').removeprefix('/')}": command
        for command, (method, path) in remote_connection.remote_commands.items()
    }
    table = re.findall(r'^ {8}"([A-Z]+) ?(.*) (\w+)",?$', ROUTES.read_text(), re.MULTILINE)
    assert {f"{method} {path}": command for method, path, command in table} == pythons


def test_chromedriver_received_what_is_recorded(suite, recorded):
    log = (suite.folder / "chromedriver.log").read_text(errors="replace")
    received = Counter(re.findall(r" COMMAND (\w+) ", log))
    counted = Counter()
    for event in recorded.of_type("driver_command"):
        counted[OF_CHROMEDRIVER[event["command"]]] += 1 + event.get("retry_count", 0)
    counted["InitSession"] -= 1  # that nobody answered
    counted += Counter(["InitSession", "Quit"])  # of the driver that was wrapped in between
    assert received == counted


def test_a_wait_says_how_often_it_asked_and_how_long_it_took(recorded):
    (row,) = [
        event
        for event in recorded.of_type("driver_command")
        if event.get("error") and event.get("retry_count")
    ]
    assert 1 <= row["retry_count"] <= 6  # asked every 0.05 s for 0.3 s, give or take the browser
    assert row["duration_us"] >= 250_000


def test_the_browsers_http_is_no_http_call_and_no_secret_is_in_the_spool(suite, recorded):
    assert recorded.of_type("http_call") == []
    text = "".join(path.read_text() for path in suite.spool.glob("*/*.jsonl"))
    assert text.count("driver_command") > 50
    assert "s3cret" not in text
    assert "token" not in text


def test_nothing_a_user_can_see_is_different(suite, recorded):
    off = run_maven(suite, on=False)
    assert len(seen(off)) == 24
    assert seen(recorded) == seen(off)


def test_fault_of_ours_changes_nothing(tmp_path, recorded):
    suite = project(tmp_path / "shop")
    suite.write(
        "src/test/java/crossbridge/profiling/selenium/Exchange.java",
        """
        package crossbridge.profiling.selenium;

        import org.openqa.selenium.remote.http.HttpRequest;
        import org.openqa.selenium.remote.http.HttpResponse;

        /** In the place of ours, which comes later on the class path. */
        final class Exchange {
            static void record(HttpRequest request, HttpResponse response, long startUs, long endUs, String error) {
                throw new IllegalStateException("injected");
            }
        }
        """,
    )
    run = run_maven(suite, strict=False)
    assert seen(run) == seen(recorded)
    assert set(commands(run)) == {
        "clientOfTheUser",
        "wrapped",
    }  # by the listener, which is no part of the fault


@pytest.mark.parametrize("version", OLDER)
def test_an_older_selenium(tmp_path, version):
    run = run_maven(project(tmp_path / "shop"), f"-Dselenium.version={version}")
    assert commands(run) == COMMANDS


def test_browsers_of_tests_that_run_at_once(tmp_path):
    suite = MavenSuite(tmp_path / "shop", example="selenium-java")
    suite.write(
        "src/test/java/shop/ParallelTest.java",
        """
        package shop;

        import static org.openqa.selenium.support.ui.ExpectedConditions.presenceOfElementLocated;

        import java.time.Duration;
        import java.util.concurrent.CyclicBarrier;
        import java.util.concurrent.TimeUnit;
        import org.junit.jupiter.params.ParameterizedTest;
        import org.junit.jupiter.params.provider.ValueSource;
        import org.openqa.selenium.By;
        import org.openqa.selenium.WebDriver;
        import org.openqa.selenium.support.ui.WebDriverWait;

        class ParallelTest {
            private static final CyclicBarrier BARRIER = new CyclicBarrier(2);

            @ParameterizedTest
            @ValueSource(strings = {"user", "password"})
            void atOnce(String field) throws Exception {
                WebDriver driver = Browser.start();
                try (Pages pages = new Pages()) {
                    driver.get(pages.shop());
                    driver.findElement(By.id("add")).click();
                    BARRIER.await(60, TimeUnit.SECONDS);
                    new WebDriverWait(driver, Duration.ofSeconds(30), Duration.ofMillis(50))
                        .until(presenceOfElementLocated(By.className("item")));
                    driver.findElement(By.id(field));
                } finally {
                    driver.quit();
                }
            }
        }
        """,
    )
    run = suite.run("test", "-Dtest=ParallelTest", "-DargLine=" + " ".join(f"-D{name}" for name in PARALLEL))
    assert run.returncode == 0, run.output
    assert commands(run) == {
        f"atOnce({field})": [
            ("newSession", None),
            PAGE,
            ("findElement", ADD),
            ("clickElement", ADD),
            ("findElement", ITEM, "+"),
            ("findElement", f"css selector=#{field}"),
            ("quit", None),
        ]
        for field in ("user", "password")
    }
