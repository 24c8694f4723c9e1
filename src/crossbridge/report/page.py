"""Write the report: the data, the styles and the scripts in one HTML file that asks nobody for anything."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import msgspec

from crossbridge._version import __version__
from crossbridge.analysis.totals import FAILING, STATUSES, status_counts
from crossbridge.cli import _text
from crossbridge.errors import UsageError

if TYPE_CHECKING:
    import jinja2

    from crossbridge.report.data import Page

_ASSETS = files("crossbridge.report") / "assets"
_STYLES = ("uplot/uPlot.min.css", "report.css")
_SCRIPTS = ("uplot/uPlot.iife.min.js", "format.js", "tables.js", "charts.js", "timeline.js", "sections.js")
# Inside <script> the parser looks for these; U+2028 and U+2029 end a line in older JavaScript.
_ESCAPES = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}
_ESCAPED = str.maketrans(_ESCAPES)


def render(page: Page) -> str:
    """
    Write the report as one HTML document.

    Raises:
        UsageError: Jinja2 is not installed.
    """
    style, script = _joined(_STYLES), _script()
    return _template().render(
        page=page,
        title=_title(page),
        headline=_headline(page),
        has_data=page.run is not None or page.collector.runs > 0 or bool(page.totals),
        counts=status_counts(page.totals),
        statuses=STATUSES,
        tiles=_tiles(page),
        facts=_facts(page),
        version=__version__,
        data=embed(page),
        style=style,
        script=script,
        policy=_policy(style, script),
    )


def embed(value: Any) -> str:
    """Encode as JSON that can stand inside a `<script>` element, whatever names it holds."""
    return msgspec.json.encode(value).decode().translate(_ESCAPED)


def _template() -> jinja2.Template:
    try:
        import jinja2  # noqa: PLC0415  (an extra)
    except ImportError as error:
        raise UsageError(
            "the HTML report needs Jinja2, which is not installed. Install it with: pip install 'crossbridge[report]'"
        ) from error
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "duration": _text.duration,
        "moment": _text.moment,
        "number": _text.number,
        "safe_text": _text.safe,
    }
    return environment.from_string(_text_of("report.html"))


def _text_of(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


def _joined(names: tuple[str, ...]) -> str:
    return "\n".join(_text_of(name) for name in names)


def _script() -> str:
    library, *ours = _SCRIPTS
    return f"{_text_of(library)}\n(() => {{\n'use strict';\n{_joined(tuple(ours))}\n}})();\n"


def _policy(style: str, script: str) -> str:
    """Allow what is in the file, by its hash, and nothing else: no request can leave the page."""
    return (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; img-src data:;"
        " base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _title(page: Page) -> str:
    if page.run:
        return f"Run {str(page.run.run_id)[:13]}"
    return f"Since {_text.moment(page.since)}"


def _failed(page: Page) -> int:
    return sum(getattr(total, status) for total in page.totals for status in FAILING)


def _headline(page: Page) -> str:
    counted = sum(total.counted for total in page.totals)
    noun = "test" if page.run else "attempt"
    if not counted:
        return "No test has ended" if page.run else "No test yet"
    failed = _failed(page)
    if not failed:
        return "The one test is fine" if counted == 1 else f"All {_text.counted(counted, noun)} are fine"
    return f"{failed:,} of {_text.counted(counted, noun)} failed"


def _tiles(page: Page) -> list[tuple[str, str, str]]:
    """Figures at the top: label, figure, remark."""
    totals = page.totals
    counted = sum(total.counted for total in totals)
    passed = sum(total.passed for total in totals)
    attempts = sum(total.attempts for total in totals)
    total_us = sum(total.total_us for total in totals)
    flaky = len(page.retried) if page.run else len(page.flaky)
    tiles = [
        (
            "Tests" if page.run else "Attempts",
            _text.number(counted),
            _joined_remarks(page, attempts, counted),
        ),
        ("Passed", _text.percent(passed, counted), f"{passed:,} of {counted:,}"),
        ("Failed", _text.number(_failed(page)), "failed, broken or interrupted"),
        (
            "Flaky",
            _text.number(flaky),
            "passed only when retried" if page.run else "same code, both outcomes",
        ),
    ]
    if page.run:
        tiles.append(("Wall time", _text.duration(page.run.duration_us), _wall_remark(page)))
    tiles.append(("Test time", _text.duration(total_us), "all attempts together"))
    if page.run and page.lanes:
        busy = sum(lane.busy_us for lane in page.lanes)
        lanes = len(page.lanes)
        tiles.append(
            ("Workers busy", _text.percent(busy, page.wall_us * lanes), _text.counted(lanes, "worker"))
        )
    elif not page.run:
        tiles.append(("Runs", _text.number(page.collector.runs), "began in this time"))
    return tiles


def _joined_remarks(page: Page, attempts: int, counted: int) -> str:
    names = ", ".join(total.framework for total in page.totals)
    return f"{attempts:,} attempts" if page.run and attempts != counted else names


def _wall_remark(page: Page) -> str:
    return "start to end" if page.run and page.run.ended_at else "still running"


def _facts(page: Page) -> list[tuple[str, str, str | None]]:
    """Tell what is known of the run or the window: label, text, link."""
    run = page.run
    if run is None:
        facts = [("Runs", _text.number(page.collector.runs)), ("Since", _text.moment(page.since))]
        facts += [(name.capitalize(), value) for name, value in page.filters.items()]
        return [(label, text, None) for label, text in facts]
    on = " · ".join(filter(None, [run.hostname, run.os, run.runtime]))
    labels = ", ".join(f"{key}={value}" for key, value in sorted(run.labels.items()))
    texts = [
        ("Run", str(run.run_id)),
        ("Began", _text.moment(run.started_at)),
        ("Environment", run.environment),
        ("Branch", run.git_branch),
        ("Commit", (run.git_commit or "")[:12]),
        ("Version", run.app_version),
        ("Framework", page.filters.get("framework", run.framework)),
        ("Machine", on),
        ("Labels", labels),
    ]
    facts_of_run: list[tuple[str, str, str | None]] = [
        (label, _text.safe(text), None) for label, text in texts if text
    ]
    if run.ci_url or run.ci_provider:
        facts_of_run.append(("CI", _text.safe(run.ci_provider or run.ci_url), _web_address(run.ci_url)))
    return facts_of_run


def _web_address(url: str | None) -> str | None:
    """Return an address that may be a link: a `javascript:` one may not."""
    return url if url and url.lower().startswith(("http://", "https://")) else None
