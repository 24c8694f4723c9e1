"""The command lines of behave's tests, what examples/behave gives, and what behave itself says of a run."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from crossbridge.orchestration.templates import template

if TYPE_CHECKING:
    from pathlib import Path

RUNNER = "crossbridge.integrations.behave:Runner"
BEHAVE = ("behave", "-r", RUNNER)
JSON = ("-f", "json", "-o", "report.json")

# What `crossbridge init` adds to an environment.py.
INSTALL = "\n" + "\n".join(template("environment.py")) + "\n"

# behave's own words for a scenario, in ours.
OURS = {"passed": "passed", "failed": "failed", "skipped": "skipped"} | dict.fromkeys(
    ("error", "hook_error", "cleanup_error"), "error"
)

_OUTCOMES = "features/outcomes.feature::"
_ROW = f"{_OUTCOMES}Parametrised \"größe\" 1/2 'ünï' <item>"

# Every attempt at a scenario of the example with its status, in order.
EXAMPLE = [
    ("features/http.feature::Http Calls", 1, "passed"),
    (f"{_OUTCOMES}Passes", 1, "passed"),
    (f"{_OUTCOMES}Fails", 1, "failed"),
    (f"{_OUTCOMES}Raises", 1, "error"),
    (f"{_OUTCOMES}Errors In Setup", 1, "error"),
    (f"{_OUTCOMES}Errors In Teardown", 1, "error"),
    (f"{_OUTCOMES}Skipped", 1, "skipped"),
    (f"{_OUTCOMES}Undefined", 1, "error"),
    (f"{_OUTCOMES}Flaky", 1, "failed"),
    (f"{_OUTCOMES}Flaky", 2, "passed"),
    (f"{_ROW} [1]", 1, "passed"),
    (f"{_ROW} [2]", 1, "failed"),
    (f"{_ROW} [2.1]", 1, "passed"),
    ("features/steps.feature::Nested Steps", 1, "passed"),
    ("features/steps.feature::Slow", 1, "passed"),
    ("features/steps.feature::The same names mean other scenarios here::Slow", 1, "passed"),
]


def outcomes(report: Path) -> list[tuple[str, str]]:
    """Feature file and status, in our words, of every scenario in a JSON report, in order."""
    return [
        (feature["location"].partition(":")[0], OURS[scenario["status"]])
        for feature in json.loads(report.read_text())
        for scenario in _scenarios(feature)
    ]


def junit_outcomes(folder: Path) -> Counter[tuple[str, str]]:
    """`file.Feature name` and status, in our words, of every scenario that behave's JUnit reports call run or skipped."""
    return Counter(
        (case.get("classname"), OURS[case.get("status")])
        for path in folder.glob("TESTS-*.xml")
        for case in ET.parse(path).iter("testcase")
        if case.get("status") != "untested"
    )


def _scenarios(container: dict) -> list[dict]:
    return [element for element in container.get("elements", ()) if element["type"] != "background"]
