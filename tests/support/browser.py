"""A headless Chromium and what went on in it."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def open_browser(*switches: str) -> Iterator[webdriver.Chrome]:
    """Start Debian's Chromium; what it prints to its console and asks the network for is logged."""
    options = Options()
    options.binary_location = shutil.which("chromium") or ""
    for switch in (
        "--headless=new",
        "--no-sandbox",
        "--window-size=1280,900",
        "--disable-background-networking",
        *switches,
    ):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver") or ""))
    try:
        yield driver
    finally:
        driver.quit()


def open_file(driver: webdriver.Chrome, file: Path, fragment: str = "") -> None:
    driver.get(file.as_uri() + fragment)


def complaints(driver: webdriver.Chrome) -> list[str]:
    """What the console says since it was last asked: errors, refusals of the content security policy."""
    return [entry["message"] for entry in driver.get_log("browser")]


def requests(driver: webdriver.Chrome) -> list[str]:
    """The addresses that pages asked for since the log was last read."""
    messages: list[dict[str, Any]] = [
        json.loads(entry["message"])["message"] for entry in driver.get_log("performance")
    ]
    return [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]


def layout_shift(driver: webdriver.Chrome) -> float:
    """How much of the page has moved by itself since it was opened: cumulative layout shift, 0 is none."""
    return driver.execute_async_script("""
        const done = arguments[0];
        let whole = 0;
        new PerformanceObserver((list) => { for (const entry of list.getEntries()) whole += entry.value; })
            .observe({ type: 'layout-shift', buffered: true });
        requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(whole), 50)));
    """)
