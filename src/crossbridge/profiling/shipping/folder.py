"""The folder segments lie in: finding new ones, acknowledging, setting lines aside, tidying (`spec/segment.md`)."""

# ruff: noqa: PTH116, PTH118, PTH119, PTH208
# A spool is looked at 50 times a second: Path objects would cost more than the looking.

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import TYPE_CHECKING

from crossbridge.profiling.encode import to_json
from crossbridge.profiling.files import names_in
from crossbridge.profiling.shipping.reader import is_uuid

if TYPE_CHECKING:
    from pathlib import Path

    from crossbridge.profiling.progress import Ack

REJECTED = "rejected"
# How long an acknowledgement outlives its segment, and an empty run folder its last change.
KEEP_S = 3600.0
# How often a run folder that holds no segment is looked at.
QUIET_LOOK_S = 0.5
# A folder's modification time may be this coarse: a second change within it leaves no trace.
COARSE_S = 3.0


def write_ack(segment_path: Path, ack: Ack) -> None:
    """Replace a segment's `.ack` file. A folder that is gone, or a full disk, leaves none: it is a hint only."""
    with contextlib.suppress(OSError):
        write_whole(segment_path.with_suffix(".ack"), to_json(vars(ack)).encode())


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file, readable by its owner only, so that a reader sees the old content or the new."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "wb", buffering=0) as file:
            file.write(content)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


class SetAside:
    """The lines of one segment that the database refused: `rejected/<segment_id>.jsonl`."""

    def __init__(self, spool: Path, segment_id: str) -> None:
        self._path = spool / REJECTED / f"{segment_id}.jsonl"
        self._offsets: set[int] = set()
        with contextlib.suppress(FileNotFoundError):
            for line in self._path.read_bytes().splitlines():
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    self._offsets.add(int(json.loads(line)["offset"]))

    def add(self, *, offset: int, line: bytes, reason: str) -> None:
        """
        Keep a line with the reason; once only, however often it is refused.

        On return it survives the death of this process.

        Raises:
            OSError: It could not be written.
        """
        if offset in self._offsets:
            return
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        record = {"reason": reason, "offset": offset, "line": line.decode(errors="backslashreplace")}
        fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb", buffering=0) as file:
            file.write(json.dumps(record).encode() + b"\n")
        self._offsets.add(offset)

    def count_before(self, offset: int) -> int:
        """How many lines that begin before `offset` were set aside."""
        return sum(1 for at in self._offsets if at < offset)


class SpoolWatch:
    """
    Finds the segments in a spool as they appear, cheaply enough to be asked 50 times a second.

    A folder is read again only when its modification time says so; one that holds no segment is asked twice a second.
    """

    def __init__(self, spool: Path) -> None:
        self._spool = spool
        self._root = _Folder(os.fspath(spool), "", quiet_look_s=0.0)
        self._runs: list[_Folder] = []
        self._segments: list[Path] = []

    def segments(self) -> list[Path]:
        """Return the paths of all segments there are: the same list while it has not changed."""
        changed = self._root.read()
        if changed:
            known = {folder.path: folder for folder in self._runs}
            paths = [os.path.join(self._root.path, name) for name in self._root.names if is_uuid(name)]
            self._runs = [known.get(path) or _Folder(path, ".jsonl") for path in paths]
        for folder in self._runs:
            changed |= folder.read()
        if changed:
            self._segments = [
                self._spool / os.path.basename(folder.path) / name
                for folder in self._runs
                for name in folder.names
                if is_uuid(name.removesuffix(".jsonl"))
            ]
        return self._segments


class _Folder:
    """The names in a folder that end in a certain way, and when to read them again."""

    def __init__(self, path: str, ending: str, *, quiet_look_s: float = QUIET_LOOK_S) -> None:
        self.path = path
        self.names: list[str] = []
        self._ending = ending
        self._quiet_look_s = quiet_look_s
        self._next_look_s = 0.0
        self._changed_at_s = -1.0
        self._settled = False

    def read(self) -> bool:
        """Read the names again if they may have changed; return whether they have."""
        if time.monotonic() < self._next_look_s:
            return False
        before = self.names
        try:
            changed_at_s = os.stat(self.path).st_mtime
            if changed_at_s == self._changed_at_s and self._settled:
                return False
            self._settled = abs(time.time() - changed_at_s) > COARSE_S
            self._changed_at_s = changed_at_s
            self.names = [name for name in os.listdir(self.path) if name.endswith(self._ending)]
        except (FileNotFoundError, NotADirectoryError):
            self.names, self._settled = [], False
        except PermissionError:  # another user's: what was seen in it is not gone
            self._settled = False
            self._next_look_s = time.monotonic() + self._quiet_look_s
        if self._settled and not self.names:
            self._next_look_s = time.monotonic() + self._quiet_look_s
        return self.names != before


def tidy(spool: Path) -> None:
    """
    Remove what has outlived its use: acknowledgements of segments deleted an hour ago, and folders empty as long.

    A younger folder may be one in which a writer is about to make its segment.
    """
    for name in filter(is_uuid, names_in(os.fspath(spool))):
        run = spool / name
        with contextlib.suppress(OSError):  # a writer came back, another reader tidies too, or it is not ours
            changed_at_s = run.stat().st_mtime
            for path in run.iterdir():
                if _is_outlived(path):
                    path.unlink()
            if time.time() - changed_at_s > KEEP_S:
                run.rmdir()


def _is_outlived(path: Path) -> bool:
    if path.suffix not in {".ack", ".tmp"} or path.with_suffix(".jsonl").exists():
        return False
    return time.time() - path.stat().st_mtime > KEEP_S
