"""The `profiling:` block of crossbridge.yml: nested keys and plain values.

A YAML library is no guest of a test process, and the block needs none of its features: a value that is a
list, an anchor or a block of text is an error that names the line. Whatever else stands in the file is
passed over.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re

from crossbridge.errors import ConfigError

_LINE = re.compile(
    r"""
    (?P<indent>[ ]*) (?P<key>[A-Za-z_][\w-]*) [ \t]* :
    (?: [ \t]+ (?: '(?P<single>[^']*)' | "(?P<double>[^"\\]*)" | (?P<bare>[^\s'"\#\[{|>&*!%@`].*?) ) )?
    [ \t]* (?: (?<=\s) \#.* )? \Z
    """,
    re.VERBOSE,
)
_PROFILING = re.compile(r" *profiling[ \t]*:")
_NULL = ("~", "null")


def profiling_block(text: str) -> dict[str, str]:
    """
    Return the values below `profiling:` (at the top, or one level below `crossbridge:`), nested keys joined by dots.

    Raises:
        ConfigError: A line of the block has another form than `key: value` or `key:`.
    """
    values: dict[str, str] = {}
    above: list[tuple[int, str]] = []  # keys that lead to this line, with their indentation
    block_indent: int | None = None
    top_key = ""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        indent = len(line) - len(line.lstrip(" "))
        if block_indent is not None and indent <= block_indent:
            break
        if block_indent is None:
            if indent == 0:
                top_key = line.partition(":")[0].strip()
            if _PROFILING.match(line) and (indent == 0 or top_key == "crossbridge"):
                block_indent = indent
                _parse(line, number)
            continue
        key, value = _parse(line, number)
        while above and above[-1][0] >= indent:
            above.pop()
        above.append((indent, key))
        if value:
            values[".".join(name for _, name in above)] = value
    return values


def _parse(line: str, number: int) -> tuple[str, str]:
    match = _LINE.match(line)
    if match is None:
        # What stands behind the colon is not shown: it may be a password.
        seen = line.strip().partition(":")[0] if ":" in line else "no colon"
        raise ConfigError(
            f"crossbridge.yml line {number} must be 'key: value' inside the profiling block, got {seen!r}."
        )
    value = match["single"] or match["double"] or match["bare"] or ""
    return match["key"], "" if value in _NULL and match["bare"] else value
