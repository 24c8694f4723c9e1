"""The contract's cases and samples, read in place. None at all is an error, not a test that passes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SPEC = Path(__file__).parents[2] / "spec"


def cases(name: str) -> list[dict[str, Any]]:
    """The cases of spec/cases/NAME.json."""
    found: list[dict[str, Any]] = json.loads((SPEC / "cases" / f"{name}.json").read_text(encoding="utf-8"))
    assert len({case["name"] for case in found}) == len(found) > 0
    return found


def name_of(case: dict[str, Any]) -> str:
    return str(case["name"])
