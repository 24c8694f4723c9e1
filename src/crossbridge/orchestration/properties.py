"""One more value in a list of a Java properties file: ours at its end, or in a line of our own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crossbridge.orchestration import block, text_hook

if TYPE_CHECKING:
    from pathlib import Path

    from crossbridge.orchestration.plan import Plan


def add(plan: Plan, path: Path, key: str, value: str, purpose: str) -> None:
    """Plan to have `value` among those of `key`, which are separated by commas."""
    refusals = len(plan.refusals)
    before = plan.read(path)
    if len(plan.refusals) > refusals or (before is not None and value.encode() in before):
        return
    place = _end_of_value(before or b"", key)
    if before is None or place is None:
        text_hook.add(plan, path, [f"{key}={value}"], purpose)
        return
    at, is_empty = place
    more = value if is_empty else f",{value}"
    plan.change(path, before, before[:at] + more.encode() + before[at:], purpose)


def take_out(plan: Plan, path: Path, key: str, value: str, purpose: str) -> None:
    """Plan to take `value` out."""
    changes = len(plan.changes)
    text_hook.take_out(plan, path, frozenset({f"{key}={value}"}), purpose, within=plan.root)
    before = plan.read(path)
    if before is None or len(plan.changes) > changes or block.HASH.added in before:
        return
    after = re.sub(rb",?" + re.escape(value.encode()), b"", before)
    plan.change(path, before, after, purpose)


def _end_of_value(content: bytes, key: str) -> tuple[int, bool] | None:
    """Return where the last value of a key ends, and whether it is empty; a backslash continues a line."""
    found = None
    pattern = rb"^[ \t\f]*" + re.escape(key.encode()) + rb"[ \t\f]*[=: \t\f][ \t\f]*"
    logical = re.compile(rb"(?:[^\r\n\\]|\\(?:\r\n|[\s\S]))*")
    at = 0
    while at < len(content):
        match = logical.match(content, at)
        end = match.end() if match else at
        if head := re.match(pattern, content[at:end]):
            stripped = content[at + head.end() : end].rstrip(b" \t\f")
            found = at + head.end() + len(stripped), not stripped
        at = end + 1
    return found
