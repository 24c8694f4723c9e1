"""Our lines in other files: `.gitignore`, `.env`, Robot Framework's `__init__.robot`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossbridge.orchestration import block

if TYPE_CHECKING:
    from pathlib import Path

    from crossbridge.orchestration.plan import Plan


def create(plan: Plan, path: Path, lines: list[str], purpose: str, *, secret: bool = False) -> None:
    """Plan to make a file, unless there is one."""
    if plan.read(path) is None and not path.exists():
        plan.change(path, None, block.insert(None, lines), purpose, secret=secret)


def add(
    plan: Plan,
    path: Path,
    lines: list[str],
    purpose: str,
    *,
    together: bool = False,
    shown_as: Path | None = None,
) -> None:
    """Plan to add those of the lines that the file does not hold; `together`, all of them if it lacks the last."""
    refusals = len(plan.refusals)
    before = plan.read(path)
    there = _find(plan, path, before or b"")
    if len(plan.refusals) > refusals:
        return
    theirs = {_bare(line) for line in (before or b"").splitlines()}
    missing = [line for line in lines if _bare(line.encode()) not in theirs]
    if not missing or (together and lines[-1] not in missing):
        return
    if there is None:
        after = block.insert(before, lines if together else missing)
    elif together:
        after = block.replace(there, lines)
    else:
        after = block.replace(there, [*there.body.decode("utf-8", "surrogateescape").splitlines(), *missing])
    plan.change(path, before, after, purpose, shown_as=shown_as)


def take_out(
    plan: Plan,
    path: Path,
    ours: frozenset[str],
    purpose: str,
    *,
    within: Path | None = None,
    shown_as: Path | None = None,
) -> None:
    """Plan to take out the lines that are ours; what somebody has written between them stays."""
    before = plan.read(path)
    there = _find(plan, path, before or b"")
    if before is not None and there is not None:
        after = block.remove(there, _foreign(there.body, ours))
        plan.change(path, before, after, purpose, within=within, shown_as=shown_as)


def _find(plan: Plan, path: Path, content: bytes) -> block.Block | None:
    try:
        return block.find(content)
    except block.BrokenMarks:
        plan.refuse(path, block.BROKEN)
        return None


def _bare(line: bytes) -> bytes:
    """Return a line as one of another layout would read: `/.env` ignores what `.env` does."""
    return b" ".join(line.strip().removeprefix(b"\xef\xbb\xbf").split()).strip(b"/")


def _foreign(body: bytes, ours: frozenset[str]) -> bytes:
    known = {line.strip().encode() for line in ours}
    return b"".join(line for line in body.splitlines(keepends=True) if line.strip() not in known)
