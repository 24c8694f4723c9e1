"""The HTML report of a run of 20,000 tests on 50 workers: how long Chromium takes to open it, sort and filter it.

Opened from disk in headless Chromium, again and again in one browser; the time is from navigation to the end of the
load event, when everything stands. Sorting is by name, filtering as somebody types, zooming by the timeline's button:
each until the page is laid out anew.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import psycopg

from bench.measure import Line, run, say
from bench.stage import Stage, this_python
from support.browser import layout_shift, open_browser, open_file
from support.made_run import Shape, make_run
from support.postgres import db_environment

if TYPE_CHECKING:
    from pathlib import Path

    from selenium.webdriver import Chrome

_LOADED_MS = "return performance.getEntriesByType('navigation')[0].loadEventEnd"
_USED = """
    const timed = (act) => { const began = performance.now(); act(); document.body.offsetHeight; return performance.now() - began; };
    const box = document.querySelector('#tests input');
    return [
        timed(() => document.querySelector('#tests th:nth-child(3) button').click()),
        timed(() => { box.value = 'refund'; box.dispatchEvent(new Event('input')); }),
        timed(() => document.querySelector('.lanes button').click()),
    ];
"""


def measure(stage: Stage) -> list[Line]:
    tests, workers = stage.size(20_000, 200), stage.size(50, 4)
    with (
        stage.new_database() as target,
        psycopg.connect(**target.parameters(), autocommit=True) as connection,
    ):
        now_us = time.time_ns() // 1000
        for number in range(3):
            shape = Shape(tests=tests if number == 2 else 200, workers=workers)
            make_run(connection, shape, at_us=now_us - (4 - number) * 3_600_000_000, seed=number)
        file = stage.folder("report") / "report.html"
        command = [this_python(), "-m", "crossbridge", "report", "--html", file]
        say(f"report of {tests:,} tests")
        environment = stage.environment(db_environment(target))
        wrote_s = statistics.median(
            run(command, env=environment, cwd=stage.scratch).spent.wall_s for _ in range(stage.size(5, 1))
        )
    opened_s, used_ms, moved = _open(file, stage.size(15, 2))
    sorted_ms, filtered_ms, zoomed_ms = (statistics.median(each) for each in zip(*used_ms, strict=True))
    beside = {"median": statistics.median(opened_s)}
    return [
        Line(
            "opened in Chromium, slowest",
            max(opened_s),
            "s",
            2.0,
            beside=beside,
            note=f"{len(opened_s)} times",
        ),
        Line("sorted by name, median", sorted_ms, "ms", 100.0),
        Line("filtered by a word, median", filtered_ms, "ms", 100.0),
        Line("timeline zoomed, median", zoomed_ms, "ms", 100.0),
        Line("cumulative layout shift", moved, "", 0.0),
        Line("size of the file", file.stat().st_size / 1e6, "MB", note=f"{tests:,} tests"),
        Line("`crossbridge report --html`, median", wrote_s, "s"),
    ]


def _open(file: Path, times: int) -> tuple[list[float], list[list[float]], float]:
    opened_s, used_ms = [], []
    with open_browser() as browser:
        for _ in range(times):
            browser.get("about:blank")
            open_file(browser, file)
            opened_s.append(browser.execute_script(_LOADED_MS) / 1000)
            moved = layout_shift(browser)
            used_ms.append(_use(browser))
    return opened_s, used_ms, moved


def _use(browser: Chrome) -> list[float]:
    return browser.execute_script(_USED)
