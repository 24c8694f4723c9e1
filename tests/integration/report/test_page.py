"""The HTML report in a real browser: complete, offline, harmless, usable by keyboard, printable."""

from __future__ import annotations

import json
import re

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from support.browser import complaints, layout_shift, open_file, requests
from support.feed import Segment
from support.made_run import Shape, make_run

HOSTILE = [
    "</script><img src=x onerror=\"window.hacked='img'\">",
    "<svg/onload=window.hacked='svg'>",
    "t::</title><script>window.hacked='script'</script>",
    "{{ 7 * 7 }} ${window.hacked='template'} `backtick`",
    "\u202egnp.exe\u2066 \u2028line",
    "'\"><b>bold</b> & <!-- comment",
]


@pytest.fixture
def run(connection, now_us):
    """Eight runs of one suite; returns the id of the last."""
    shape = Shape(tests=90, workers=3, failing=0.05)
    for number in range(8):
        last = make_run(connection, shape, at_us=now_us - (8 - number) * 3_600_000_000, seed=number)
    return last


def text(browser, selector):
    return browser.find_element(By.CSS_SELECTOR, selector).text


def cells(browser, section, column):
    return [
        cell.text
        for cell in browser.find_elements(By.CSS_SELECTOR, f"#{section} tbody tr td:nth-child({column})")
    ]


def press(browser, *keys):
    actions = ActionChains(browser)
    for key in keys:
        actions.send_keys(key)
    actions.perform()


def focused(browser):
    return browser.execute_script(
        "const one = document.activeElement; return one.getAttribute('aria-label') || one.textContent.trim();"
    )


def check_manners(browser):
    """Nothing asked the network for anything, nothing was refused or broke, nothing moved."""
    assert layout_shift(browser) == 0
    assert complaints(browser) == []
    assert [url for url in requests(browser) if not url.startswith(("file:", "about:", "data:"))] == []


@pytest.mark.parametrize("args", [(), ("--since", "24h")], ids=["run", "window"])
def test_the_report_needs_nothing_but_itself(browser, report, run, args):
    open_file(browser, report(*args))
    assert len(browser.find_elements(By.CSS_SELECTOR, "#tests tbody tr")) == 25
    assert browser.find_elements(By.CSS_SELECTOR, "#trend canvas")
    check_manners(browser)
    # The log does show what a page asks for: the file itself.
    open_file(browser, report(*args))
    assert any(url.startswith("file:") for url in requests(browser))


def test_no_chart_reaches_beyond_its_card(browser, report, run):
    open_file(browser, report())
    beyond = browser.execute_script(
        "return [...document.querySelectorAll('.chart')].map((card) =>"
        " card.querySelector('canvas').getBoundingClientRect().right - card.getBoundingClientRect().right)"
    )
    assert len(beyond) == 2
    assert max(beyond) < 0


def test_the_policy_lets_no_script_of_anyone_else_run(browser, report, run):
    file = report()
    spoiled = file.read_text().replace("<footer>", "<script>window.hacked = 1</script><footer onclick='1'>")
    file.write_text(spoiled)
    open_file(browser, file)
    assert browser.execute_script("return window.hacked") is None
    assert any("Content Security Policy" in complaint for complaint in complaints(browser))


@pytest.mark.parametrize("args", [(), ("--since", "7d")], ids=["run", "window"])
def test_an_empty_database_is_told_how_to_begin(browser, report, args):
    file = report(*args)
    assert file.stat().st_size < 500_000  # all that is not data; the cap is 2 MB
    open_file(browser, file)
    assert text(browser, "h1") == "No test yet"
    assert "CROSSBRIDGE_PROFILING=true" in text(browser, ".empty")
    assert browser.find_elements(By.CSS_SELECTOR, "section, nav a") == []
    check_manners(browser)


def test_one_test_makes_a_whole_report(browser, report, connection):
    Segment().start("tests/test_a.py::test_one").end(
        "tests/test_a.py::test_one", duration_us=1500
    ).close().deliver(connection)
    open_file(browser, report())
    assert text(browser, "h1") == "The one test is fine"
    assert cells(browser, "tests", 3) == ["test_one\ntests/test_a.py"]
    assert text(browser, "#failures .empty").startswith("No failure.")
    assert text(browser, "#trend .empty").startswith("No run to compare with.")
    check_manners(browser)


def test_a_run_in_which_nothing_ended_says_so(browser, report, connection):
    Segment().start("t").deliver(connection)
    open_file(browser, report())
    assert text(browser, "h1") == "No test has ended"
    assert text(browser, "#tests .empty") == "No test of this run has ended. 1 test in flight."
    check_manners(browser)


def test_the_figures_are_those_of_the_run(browser, report, connection, run):
    tests, failed, wall_us = connection.execute(
        """
        SELECT count(DISTINCT test_id), count(DISTINCT test_id) FILTER (WHERE last IN ('failed', 'error')),
               max(extract(epoch FROM created_at)) - min(extract(epoch FROM started_at))
          FROM (SELECT *, first_value(status) OVER (PARTITION BY test_id ORDER BY attempt DESC) AS last
                  FROM crossbridge.tests WHERE run_id = %s) AS t
        """,
        [run],
    ).fetchone()
    assert failed > 0
    open_file(browser, report("--run", run[:13]))
    assert text(browser, "h1") == f"{failed} of {tests} tests failed"
    assert (
        sum(int(tally.text.rstrip("×")) for tally in browser.find_elements(By.CLASS_NAME, "tally")) == failed
    )
    data = json.loads(browser.execute_script("return document.getElementById('data').textContent"))
    assert data["wall_us"] == pytest.approx(float(wall_us) * 1e6, abs=1)
    (longest,) = connection.execute(
        "SELECT max(duration_us) FROM crossbridge.tests WHERE run_id = %s", [run]
    ).fetchone()
    assert cells(browser, "tests", 1)[0].replace("\u202f", " ") == f"{longest / 1e6:.2f} s"
    assert len(browser.find_elements(By.CSS_SELECTOR, "#workers tbody tr")) == 3


def test_hostile_names_stay_text_everywhere(browser, report, connection, now_us):
    for number in range(3):
        segment = Segment(
            at_us=now_us - (3 - number) * 60_000_000,
            environment=HOSTILE[0],
            git_branch=HOSTILE[1],
            worker=HOSTILE[1],
            framework=HOSTILE[0],
            app_version=HOSTILE[2],
            ci_provider="ci",
            ci_url="javascript:window.hacked='link'",
            labels={HOSTILE[5]: HOSTILE[0]},
            git_commit="c1",
        )
        for name in HOSTILE:
            segment.start(name)
            segment.step(name, name)
            segment.add("http_call", test_id=name, endpoint=name, method="<i>", duration_us=5, error=name)
            segment.add("driver_command", test_id=name, command=name, target=name, duration_us=5)
            segment.end(name, "failed", error_type=name, error_message=f"{name}\n{name}")
            segment.start(name, attempt=2).end(
                name, "passed" if number else "failed", attempt=2, error_type=name
            )
        segment.close("failed").deliver(connection)
    for args in ((), ("--since", "7d")):
        open_file(browser, report(*args))
        check_manners(browser)
        for summary in browser.find_elements(By.CSS_SELECTOR, "details:not([open]) > summary"):
            browser.execute_script("arguments[0].click()", summary)
        assert browser.execute_script("return window.hacked") is None
        assert browser.find_elements(By.CSS_SELECTOR, "main img, main b b, main i i, main svg svg") == []
        assert browser.find_elements(By.CSS_SELECTOR, "a[href^=javascript]") == []
        shown = browser.execute_script("return document.body.innerText")
        assert "<img src=x onerror=\"window.hacked='img'\">" in shown
        assert "\\u202egnp.exe\\u2066 \\u2028line" in shown
        assert complaints(browser) == []


def test_a_table_is_sorted_filtered_and_paged(browser, report, run):
    open_file(browser, report())
    (duration,) = browser.find_elements(By.CSS_SELECTOR, "#tests th[aria-sort]")
    assert duration.get_attribute("aria-sort") == "descending"
    slowest_first = cells(browser, "tests", 1)
    browser.find_element(By.CSS_SELECTOR, "#tests th:nth-child(1) button").click()
    assert duration.get_attribute("aria-sort") == "ascending"
    assert cells(browser, "tests", 1)[0] != slowest_first[0]
    browser.find_element(By.CSS_SELECTOR, "#tests th:nth-child(3) button").click()
    names = [cell.splitlines() for cell in cells(browser, "tests", 3)]
    assert [f"{path}::{own}" for own, path in names] == sorted((f"{p}::{o}" for o, p in names), key=str.lower)

    browser.find_element(By.XPATH, "//section[@id='tests']//button[text()='Next']").click()
    assert text(browser, "#tests .range").startswith("26–50 of ")
    box = browser.find_element(By.CSS_SELECTOR, "#tests input")
    box.send_keys("test_ORDERS_")
    assert all("test_orders_" in name for name in cells(browser, "tests", 3))
    assert re.match(r"\d+ of 9\d attempts|\d+ of 90 tests", text(browser, "#tests .count"))
    box.send_keys(" nothing")
    assert cells(browser, "tests", 1) == ["No attempt matches the filter."]


def test_failures_open_to_their_tests_and_messages(browser, report, run):
    open_file(browser, report())
    group = browser.find_element(By.CSS_SELECTOR, "details.group")
    if not group.get_attribute("open"):
        group.find_element(By.TAG_NAME, "summary").click()
    case = group.find_element(By.CSS_SELECTOR, ".cases details")
    case.find_element(By.TAG_NAME, "summary").click()
    assert group.find_elements(By.TAG_NAME, "pre") or "message stands above" in case.text


def test_everything_can_be_done_by_keyboard(browser, report, run):
    open_file(browser, report())
    press(browser, Keys.TAB)
    assert focused(browser) == "Skip to the report"
    outline = browser.execute_script("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    press(browser, Keys.ENTER, Keys.TAB)
    assert browser.execute_script("return document.getElementById('main').contains(document.activeElement)")
    reached = set()
    for _ in range(120):
        press(browser, Keys.TAB)
        reached.add(focused(browser))
    assert {"Filter attempts by name", "Duration", "Next", "Zoom in", "Show as a table"} <= reached
    assert any(name.startswith("Timeline of ") for name in reached)

    browser.execute_script("document.querySelector('#workers canvas').focus()")
    press(browser, Keys.ARROW_RIGHT)
    first = text(browser, "#workers .readout")
    assert " on gw0" in first
    press(browser, Keys.ARROW_RIGHT)
    assert text(browser, "#workers .readout") != first
    press(browser, Keys.ARROW_DOWN)
    assert " on gw1" in text(browser, "#workers .readout")
    press(browser, "+", Keys.ENTER)
    assert len(cells(browser, "tests", 3)) >= 1
    assert text(browser, "#workers .readout b").endswith(cells(browser, "tests", 3)[0].splitlines()[0])


def test_what_can_be_operated_has_a_name(browser, report, run):
    open_file(browser, report())
    nodes = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    wanted = (
        "button",
        "link",
        "searchbox",
        "combobox",
        "columnheader",
        "application",
        "image",
        "table",
        "heading",
    )
    named = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node.get("ignored") and node.get("role", {}).get("value") in wanted
    ]
    assert {"button", "link", "searchbox", "combobox", "columnheader", "application", "table"} <= {
        role for role, _ in named
    }
    assert [role for role, name in named if not name.strip()] == []


def test_the_theme_follows_the_system_until_it_is_chosen(browser, report, run):
    def background():
        return browser.execute_script("return getComputedStyle(document.body).backgroundColor")

    def system(scheme):
        browser.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        )

    file = report()
    system("dark")
    open_file(browser, file)
    dark = background()
    system("light")
    light = background()
    assert dark != light
    button = browser.find_element(By.ID, "theme")
    assert button.get_attribute("aria-label") == "Switch to the dark theme"
    button.click()
    assert background() == dark
    assert button.get_attribute("aria-label") == "Switch to the light theme"
    button.click()
    browser.execute_script("try { localStorage.clear() } catch {}")
    assert complaints(browser) == []


def test_a_phone_shows_it_without_scrolling_sideways(browser, report, run):
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True},
    )
    open_file(browser, report())
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 360
    assert layout_shift(browser) == 0


def test_it_prints_in_light_colours_without_what_only_a_screen_needs(browser, report, run):
    open_file(browser, report())
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"media": "print", "features": [{"name": "prefers-color-scheme", "value": "dark"}]},
    )
    shown = browser.execute_script(
        "return ['.bar', '.tools', '.pager button', '.readout'].map((one) => document.querySelector(one).checkVisibility())"
    )
    assert shown == [False] * 4
    assert browser.execute_script("return getComputedStyle(document.body).color") == "rgb(21, 24, 29)"
    pdf = browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"]
    assert len(pdf) > 20_000


def test_what_is_drawn_and_folded_is_made_ready_for_paper_and_put_back(browser, report, run):
    def state():
        return browser.execute_script("""
            const pixels = document.querySelector('#workers canvas').getContext('2d').getImageData(0, 0, 200, 60).data;
            return [document.querySelectorAll('details.group:not([open])').length, getComputedStyle(document.body).color,
                    pixels.reduce((sum, value) => sum + value, 0)];
        """)

    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    )
    open_file(browser, report())
    on_screen = state()
    browser.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    on_paper = state()
    assert on_paper[0] == 0
    assert on_paper[1] == "rgb(21, 24, 29)"
    assert on_paper[2] != on_screen[2]
    browser.execute_script("window.dispatchEvent(new Event('afterprint'))")
    assert state() == on_screen


def test_json_tells_what_was_written(crossbridge, run, tmp_path):
    file = tmp_path / "r.html"
    answer = crossbridge("report", "--html", file, "--json")
    assert json.loads(answer.stdout) == {"file": str(file), "bytes": file.stat().st_size, "run_id": run}


def test_a_dash_is_stdout_and_leaves_no_room_for_json(crossbridge, run, tmp_path):
    page = crossbridge("report", "--html", "-")
    assert page.stdout.startswith("<!doctype html>")
    assert page.stdout.rstrip().endswith("</html>")
    assert page.stderr == ""
    both = crossbridge("report", "--html", "-", "--json", code=2)
    assert (both.stdout, both.stderr) == (
        "",
        "crossbridge: --html - and --json both print to stdout. Name a file, or leave one of them out.\n",
    )
    assert list(tmp_path.iterdir()) == []


def test_without_jinja2_one_line_says_what_to_install(crossbridge, run, tmp_path, monkeypatch):
    (tmp_path / "jinja2.py").write_text("raise ImportError('hidden')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    answer = crossbridge("report", "--html", tmp_path / "r.html", code=2)
    assert answer.stderr == (
        "crossbridge: the HTML report needs Jinja2, which is not installed."
        " Install it with: pip install 'crossbridge[report]'\n"
    )
