"""What Robot Framework's own output.xml says of a run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Our statuses for each of Robot's.
OURS = {"PASS": {"passed"}, "FAIL": {"failed", "error", "interrupted"}, "SKIP": {"skipped"}}


def outcomes(path: Path) -> list[tuple[str, str]]:
    """Long name and status of every test in order, as they were when the test ended."""
    return list(_tests(ET.parse(path).getroot().find("suite")))


def normalised(path: Path) -> str:
    """The whole file without times and without the folder it was run in."""
    text = re.sub(r' (?:generated|start|elapsed|starttime|endtime|time)="[^"]*"', "", path.read_text())
    return re.sub(r' source="[^"]*/(?=tests)', ' source="', text)


def _tests(suite: ET.Element, parents: str = "") -> Iterator[tuple[str, str]]:
    name = f"{parents}{suite.get('name')}"
    for child in suite:
        if child.tag == "suite":
            yield from _tests(child, f"{name}.")
        elif child.tag == "test":
            yield f"{name}.{child.get('name')}", child.find("status").get("status")
