"""The `profiling:` block of crossbridge.yml: nested keys and plain values.

A YAML library is no guest of a test process, and the block needs none of its features: a value that is a
list, an anchor or a block of text is an error that names the line. Whatever else stands in the file is
passed over.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re

from crossbridge.errors import ConfigError

_KEY = re.compile(r"(?P<indent> *)(?P<key>[A-Za-z_][\w-]*)\s*:(?:\s+(?P<value>.*))?$")
_COMMENT = re.compile(r"(?:^|\s)#.*$")


def profiling_block(text: str) -> dict[str, str]:
    """
    Return the values below `profiling:` (at the top, or one level below `crossbridge:`), nested keys joined by dots.

    Raises:
        ConfigError: A line of the block has another form than `key: value` or `key:`.
    """
    values: dict[str, str] = {}
    stack: list[tuple[int, str]] = []
    block_indent: int | None = None
    for number, raw in enumerate(text.splitlines(), 1):
        line = _COMMENT.sub("", raw).rstrip()
        if not line:
            continue
        indent = len(line) - len(line.lstrip(" "))
        if block_indent is None:
            if re.fullmatch(r"(?: *)profiling\s*:", line) and (
                indent == 0 or _below_crossbridge(text, number)
            ):
                block_indent = indent
            continue
        if indent <= block_indent:
            break
        match = _KEY.match(line)
        if match is None or (match["value"] or "")[:1] in {"[", "{", "|", ">", "&", "*", "!", "-"}:
            raise ConfigError(
                f"crossbridge.yml line {number} must be 'key: value' inside the profiling block, got {raw.strip()!r}."
            )
        while stack and stack[-1][0] >= indent:
            stack.pop()
        key = ".".join([*(name for _, name in stack), match["key"]])
        if match["value"]:
            values[key] = _unquoted(match["value"].strip())
        else:
            stack.append((indent, match["key"]))
    return values


def _below_crossbridge(text: str, number: int) -> bool:
    top = [line for line in text.splitlines()[: number - 1] if re.match(r"[^\s#]", line)]
    return bool(top) and re.match(r"crossbridge\s*:", top[-1]) is not None


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value
