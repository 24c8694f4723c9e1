"""Reading `.env`, by the grammar of `spec/dotenv.md`.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re

_LINE = re.compile(
    r"""
    [^\S\n]* (?:export[^\S\n]+)? (?P<name>[A-Za-z_][A-Za-z0-9_]*) [^\S\n]* = [^\S\n]*
    (?:
        '(?P<single>[^'\n]*)'
      | "(?P<double>(?:[^"\\\n]|\\.)*)"
      | (?P<bare>(?!['"])[^\n]*?)
    )
    [^\S\n]* (?:(?<=\s)\#[^\n]*|(?<=['"=])\#[^\n]*)? \r? \Z
    """,
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


def parse(text: str) -> dict[str, str]:
    """Return the assignments of a `.env` file: the last one of a name counts, other lines are passed over."""
    values: dict[str, str] = {}
    for line in text.removeprefix("\ufeff").split("\n"):
        if match := _LINE.match(line):
            values[match["name"]] = _value(match)
    return values


def _value(match: re.Match[str]) -> str:
    if match["single"] is not None:
        return match["single"]
    if match["double"] is not None:
        return _ESCAPE.sub(lambda escape: _ESCAPED.get(escape[1], escape[1]), match["double"])
    return (match["bare"] or "").rstrip()
