"""
Whole files of sdk/ in a project: the sources that are tested here, each with a first line that says whose it is.

That line holds a digest of the rest, so that a file nobody has edited is known in any later release, in a colleague's
clone too: it is brought up to date and taken away without a question. Line ends do not count: git may change them.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crossbridge.orchestration.plan import Plan
    from crossbridge.orchestration.survey import Survey

# What both have: `/`, iterdir(), is_dir(), name, read_bytes() and read_text().
Source = Path | zipfile.Path

_IN_WHEEL = Path(__file__).resolve().parents[1] / "sdk.zip"
_SOURCE_TREE = Path(__file__).resolve().parents[3] / "sdk"

_MARK = "made by 'crossbridge init', taken away by 'crossbridge init --remove'; sha256"
_LINE_COMMENT = ("// ", "")
# A linter of the project's has no say in a file that is not the project's.
_JAVASCRIPT = ("/* eslint-disable -- ", " */")
_COMMENTS = {
    ".java": _LINE_COMMENT,
    ".ts": _LINE_COMMENT,
    ".cts": _LINE_COMMENT,
    ".js": _JAVASCRIPT,
    ".cjs": _JAVASCRIPT,
}
_HEAD = re.compile(re.escape(_MARK).encode() + rb" ([0-9a-f]{64})( \*/)?$")

_EDITED = "was edited: 'crossbridge init' made it. Take your edit back, or have it thrown away with --force."


@dataclass(frozen=True)
class Destination:
    """
    A folder of the project's that copies go into.

    Folders below `within` that they leave empty are taken away. `purpose` and the folder stand for all of the files
    on the screen.
    """

    folder: Path
    within: Path
    purpose: str


@cache
def sdk() -> Source:
    """Return the folder of the sources: in the wheel's archive, or in the source tree that runs."""
    return zipfile.Path(_IN_WHEEL) if _IN_WHEEL.is_file() else _SOURCE_TREE


def walk(folder: Source, *names: str) -> Iterator[tuple[Source, PurePosixPath]]:
    """Yield the files below a folder of sdk/, in order, with their paths in it, which begin with `names`."""
    entries: Iterable[Source] = folder.iterdir()
    for entry in sorted(entries, key=lambda entry: entry.name):
        if entry.is_dir():
            yield from walk(entry, *names, entry.name)
        else:
            yield entry, PurePosixPath(*names, entry.name)


def add(
    plan: Plan, sources: Iterable[tuple[Source, PurePosixPath]], into: Destination, *, force: bool
) -> None:
    """Plan to copy files to their relative paths below a folder; copies of an older release go where no file stays."""
    expected = set()
    for source, name in sources:
        path = into.folder / name
        expected.add(path)
        _add_one(plan, path, source.read_bytes(), into, force=force)
    for folder in sorted({path.parent for path in expected}):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path not in expected and path.suffix in _COMMENTS:
                _take_out_one(plan, path, into.within, into.folder, force=force)


def _add_one(plan: Plan, path: Path, source: bytes, into: Destination, *, force: bool) -> None:
    refusals = len(plan.refusals)
    before = plan.read(path)
    if len(plan.refusals) > refusals:
        return
    after = _marked(source, path.suffix)
    if before is not None:
        if _digest(before) == _digest(after):
            return
        if not is_ours(before):
            plan.refuse(path, "is not of 'crossbridge init', which would write it. Move it away.")
            return
        if not (force or _is_unedited(before)):
            plan.refuse(path, _EDITED)
            return
    plan.change(path, before, after, into.purpose, shown_as=into.folder)


def take_out(plan: Plan, files: Survey, *, force: bool) -> None:
    """Plan to take every copy away that lies below the project."""
    for path in files.named(*(f"*{suffix}" for suffix in _COMMENTS)):
        if "crossbridge" in path.parts[:-1]:
            top = path.parts.index("crossbridge")
            shown_as = plan.root.joinpath(*path.parts[: top + 1])
            _take_out_one(plan, plan.root / path, plan.root, shown_as, force=force)


def _take_out_one(plan: Plan, path: Path, within: Path, shown_as: Path, *, force: bool) -> None:
    before = plan.read(path)
    if before is None or not is_ours(before):
        return
    if force or _is_unedited(before):
        plan.change(path, before, None, "CrossBridge's sources", within=within, shown_as=shown_as)
    else:
        plan.refuse(path, _EDITED)


def is_ours(content: bytes) -> bool:
    """Tell whether the first line says that this is a copy, be it an edited one."""
    return _HEAD.search(_head(content)) is not None


def _head(content: bytes) -> bytes:
    return content.partition(b"\n")[0].rstrip(b"\r")


def _is_unedited(content: bytes) -> bool:
    found = _HEAD.search(_head(content))
    return found is not None and found[1].decode() == _digest(content.partition(b"\n")[2])


def _marked(source: bytes, suffix: str) -> bytes:
    begin, end = _COMMENTS[suffix]
    return f"{begin}{_MARK} {_digest(source)}{end}\n".encode() + source


def _digest(content: bytes) -> str:
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()
