"""Writes YAML for people to read: every text quoted, but for those of several lines, which stand as they are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def to_yaml(value: dict[str, Any]) -> str:
    """Return `value`, made of dictionaries, lists, texts, numbers and truths, as a YAML document."""
    return "\n".join(_lines(value)) + "\n"


def _lines(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from _entry(f"{key}:", entry)
    else:
        for entry in value:
            first, *rest = _lines(entry) if _is_nested(entry) else [json.dumps(entry, ensure_ascii=False)]
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)


def _entry(key: str, value: Any) -> Iterator[str]:
    if _is_nested(value):
        yield key
        yield from (f"  {line}" for line in _lines(value))
    elif isinstance(value, str) and "\n" in value and not value[0].isspace() and not value[-1].isspace():
        yield f"{key} |-"
        yield from (f"  {line}" if line else "" for line in value.split("\n"))
    else:
        yield f"{key} {json.dumps(value, ensure_ascii=False)}"


def _is_nested(value: Any) -> bool:
    return isinstance(value, (dict, list)) and bool(value)
