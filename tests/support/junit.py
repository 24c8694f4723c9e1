"""What `--junitxml` says of a run, in terms that can be compared with rows."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# A test by the name the file has for it, and what became of it.
Outcomes = dict[tuple[str, str], str]


def outcomes(path: Path) -> Outcomes:
    """
    Read a report. It has no word for xpassed, which it calls passed.

    A test that failed and whose tear-down failed too has two entries in it: a failure and an error.
    """
    seen: dict[tuple[str, str], list[str]] = defaultdict(list)
    for case in ET.parse(path).iter("testcase"):
        seen[case.get("classname", ""), case.get("name", "")].append(_outcome(case))
    return {name: _together(found) for name, found in seen.items()}


def outcomes_of(rows: Iterable[tuple[str, str]]) -> Outcomes:
    """Say (test_id, status) rows, the last attempt of each test, in the same terms."""
    found = [(_name(test_id), "passed" if status == "xpassed" else status) for test_id, status in rows]
    assert len(dict(found)) == len(found), "two rows have one name"
    return dict(found)


def _outcome(case: ET.Element) -> str:
    tags = [child.tag for child in case if child.tag in {"failure", "error", "skipped"}]
    if "failure" in tags:
        return "failed"
    if "error" in tags:
        return "error"
    if "skipped" in tags:
        (skipped, *_) = case.findall("skipped")
        return "xfailed" if skipped.get("type") == "pytest.xfail" else "skipped"
    return "passed"


def _together(found: list[str]) -> str:
    if len(found) > 1:
        assert sorted(found) == ["error", "failed"], found
        return "failed"
    return found[0]


def _name(test_id: str) -> tuple[str, str]:
    path, separator, rest = test_id.partition("::")
    name_part, bracket, parameters = rest.partition("[") if separator else (rest, "", "")
    names = [re.sub(r"\.py$", "", path.replace("/", ".")), *(name_part.split("::") if separator else [])]
    names[-1] += bracket + parameters
    return ".".join(names[:-1]), _xml_escape(names[-1])


def _xml_escape(text: str) -> str:
    """What pytest does with characters that XML does not hold."""
    illegal = "[^\t\n\r -~\x80-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
    return re.sub(illegal, lambda match: f"#x{ord(match[0]):0{2 if ord(match[0]) < 256 else 4}X}", text)
