"""Changes to files, all of them or none: each file is replaced in one step, and a failure puts back what was there."""

from __future__ import annotations

import difflib
import os
import stat
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossbridge.errors import CrossbridgeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_OWNER_ONLY = 0o600


class NotWritten(CrossbridgeError):
    """A file could not be written; every file is as it was."""


@dataclass(frozen=True)
class Change:
    """
    What becomes of a file. None for its content means that it is not there.

    Folders that it needs are made. With the file, folders below `within` that hold nothing else are taken away.
    People are shown one line for all files with the same folder `shown_as`.
    """

    path: Path
    before: bytes | None
    after: bytes | None
    purpose: str
    secret: bool = False
    within: Path | None = None
    shown_as: Path | None = None

    @property
    def action(self) -> str:
        if self.before is None:
            return "create"
        return "delete" if self.after is None else "edit"


def apply(changes: Sequence[Change]) -> None:
    """
    Carry out every change, durably, or none.

    Raises:
        NotWritten: One could not be made; those before it are undone.
    """
    temporaries: list[str | None] = []
    folders: list[Path] = []
    done: list[Change] = []
    try:
        for change in changes:
            with _translated(change):
                _make_folders(change, folders)
                temporaries.append(_stage(change, change.after))
        for change, temporary in zip(changes, temporaries, strict=True):
            with _translated(change):
                _check_unchanged(change)
                done.append(change)
                _put(change.path, temporary)
    except BaseException:
        for change in reversed(done):
            _put(change.path, _stage(change, change.before))
        _unlink(temporaries)
        for folder in reversed(folders):
            folder.rmdir()
        raise
    _unlink(temporaries)
    for change in changes:
        _remove_empty_folders(change)


def _unlink(temporaries: Sequence[str | None]) -> None:
    for temporary in filter(None, temporaries):
        with suppress(FileNotFoundError):
            os.unlink(temporary)  # noqa: PTH108


def _make_folders(change: Change, made: list[Path]) -> None:
    if change.after is None:
        return
    missing = [folder for folder in change.path.parents if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir()
        made.append(folder)


def _remove_empty_folders(change: Change) -> None:
    if change.after is not None or change.within is None:
        return
    for folder in change.path.parents:
        if folder == change.within or not folder.is_relative_to(change.within):
            return
        try:
            folder.rmdir()
        except OSError:  # it holds something else
            return


@contextmanager
def _translated(change: Change) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise NotWritten(f"{change.path} cannot be written ({reason}). Nothing was changed.") from error


def _check_unchanged(change: Change) -> None:
    if read(change.path) != change.before:
        raise NotWritten(
            f"{change.path} was changed by somebody else just now. Nothing was changed; run it again."
        )


def _stage(change: Change, content: bytes | None) -> str | None:
    """Write the content into a file beside the one it is for, with that one's mode and owner; return its path."""
    if content is None:
        return None
    handle, temporary = tempfile.mkstemp(dir=change.path.parent, prefix=".crossbridge-init-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            _take_over(change, file.fileno())
            os.fsync(file.fileno())
    except BaseException:
        os.unlink(temporary)  # noqa: PTH108
        raise
    return temporary


def _take_over(change: Change, descriptor: int) -> None:
    try:
        there = change.path.stat()
    except FileNotFoundError:
        os.fchmod(descriptor, _OWNER_ONLY if change.secret else 0o666 & ~_umask())
        return
    os.fchmod(descriptor, stat.S_IMODE(there.st_mode))
    made = os.fstat(descriptor)
    if (there.st_uid, there.st_gid) != (made.st_uid, made.st_gid):
        with suppress(PermissionError):
            os.fchown(descriptor, there.st_uid, there.st_gid)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _put(path: Path, temporary: str | None) -> None:
    if temporary is None:
        path.unlink(missing_ok=True)
    else:
        os.replace(temporary, path)  # noqa: PTH105


def read(path: Path) -> bytes | None:
    """Return a file's content; None when there is no file."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def diff(change: Change, name: str) -> Iterator[str]:
    """Yield the lines of a unified diff, without line ends. Bytes that are no UTF-8 are shown as escapes."""
    before, after = (_lines(content) for content in (change.before, change.after))
    old = "/dev/null" if change.before is None else f"a/{name}"
    new = "/dev/null" if change.after is None else f"b/{name}"
    for line in difflib.unified_diff(before, after, old, new, lineterm=""):
        yield line.removesuffix("\n")
        if line[:1] in "+- " and line[:3] not in ("+++", "---") and not line.endswith("\n"):
            yield "\\ No newline at end of file"


def _lines(content: bytes | None) -> list[str]:
    return [line.decode("utf-8", "backslashreplace") for line in (content or b"").splitlines(keepends=True)]
