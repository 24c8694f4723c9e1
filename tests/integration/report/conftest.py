from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psycopg
import pytest

from support.browser import open_browser
from support.cli import run_cli
from support.needs import need
from support.postgres import db_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any

    from selenium.webdriver import Chrome

    from crossbridge.database.target import Target


@pytest.fixture
def connection(migrated: Target) -> Iterator[psycopg.Connection[Any]]:
    """A connection to a fresh database with the schema."""
    with psycopg.connect(**migrated.parameters(), autocommit=True) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        yield connection


@pytest.fixture
def now_us() -> int:
    return time.time_ns() // 1000


@pytest.fixture
def crossbridge(migrated: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run a command on the database, in an empty folder; it must succeed unless `code` says otherwise."""
    for name, value in db_environment(migrated).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)

    def run(*args: object, code: int = 0) -> Any:
        answer = run_cli(*args)
        assert answer.returncode == code, answer.stderr
        return answer

    return run


@pytest.fixture
def report(crossbridge: Callable[..., Any], tmp_path: Path) -> Callable[..., Path]:
    """Write the HTML report and return its file."""

    def write(*args: object) -> Path:
        file = tmp_path / "report.html"
        crossbridge("report", "--html", file, *args)
        return file

    return write


@pytest.fixture(scope="session")
def _browser() -> Iterator[Chrome]:
    need("chromium", "chromedriver", packages="chromium chromium-driver")
    with open_browser() as driver:
        yield driver


@pytest.fixture
def browser(_browser: Chrome) -> Chrome:
    """The session's Chromium, on an empty page, light, 1280 pixels wide."""
    _browser.get("about:blank")
    _browser.get_log("browser")
    _browser.get_log("performance")
    _browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    _browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    return _browser
