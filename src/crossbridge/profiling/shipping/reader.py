"""A segment as its reader sees it: the header, whole lines, growth, the writer's death (`spec/segment.md`)."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from crossbridge.profiling.origin import DROPPED_OFFSET, DROPPED_WIDTH
from crossbridge.profiling.shipping.liveness import is_alive

if TYPE_CHECKING:
    from pathlib import Path

VERSION = 1
BATCH_MAX_BYTES = 4 << 20
LINE_MAX_BYTES = 64 << 10

# How long a file without a whole first line may be one whose writer has only just created it.
HEADER_GRACE_S = 10.0
_DROPPED = slice(DROPPED_OFFSET, DROPPED_OFFSET + DROPPED_WIDTH)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BOOKKEEPING = re.compile(rb'"type"\s*:\s*"(?:segment_end|dropped|run_info|rejected)"')


class Header(msgspec.Struct, tag_field="type", tag="segment_start", frozen=True):
    """What a reader needs of `segment_start`."""

    segment_id: str
    run_id: str
    v: int = VERSION
    writer: str | None = None
    seq: int = 0
    pid: int | None = None
    pid_start: int | None = None
    host: str | None = None
    app_version: str | None = None
    git_commit: str | None = None


@dataclass(frozen=True)
class Batch:
    """Whole lines of a segment, and the offset in bytes at which they begin."""

    start: int
    data: bytes

    @property
    def end(self) -> int:
        return self.start + len(self.data)

    @cached_property
    def lines(self) -> list[bytes]:
        """The lines without their ends; empty ones mean nothing and are left out."""
        return [line for line in self.data.split(b"\n") if line]

    @property
    def payload(self) -> bytes:
        """The lines as a JSON array."""
        return b"[" + b",".join(self.lines) + b"]"

    def count_events(self) -> int:
        """How many of the lines are events, bookkeeping left out."""
        lines, data = len(self.lines), self.data
        if self.start == 0 and lines:  # segment_start, whose labels may look like anything
            lines, data = lines - 1, data.lstrip(b"\n").partition(b"\n")[2]
        # No quote stands unescaped inside a JSON text: what matches is a member of the line's object.
        return lines - len(_BOOKKEEPING.findall(data))

    def halves(self) -> tuple[Batch, Batch]:
        """Split between two lines."""
        lines = self.data.split(b"\n")
        left = b"\n".join(lines[: len(lines) // 2]) + b"\n"
        return Batch(self.start, left), Batch(self.start + len(left), self.data[len(left) :])


class Segment:
    """
    One segment file, looked at again and again while it grows. Sizes and offsets are bytes.

    Not to be used by two threads at once. What a method cannot read because the file is gone sets `vanished`.
    """

    def __init__(self, path: Path, header: Header) -> None:
        self.path = path
        self._name = os.fspath(path)
        self.header = header
        self.size = 0
        self.whole = 0  # where the last whole line ends
        self.ended = False  # the last whole line is segment_end
        self.vanished = False
        self.changed_at_s = 0.0  # modification time, seconds since 1970
        self.grown_lines = 0  # whole lines that came since `sent_all`
        self.grown_at_s: float | None = None  # when the first of them was seen, monotonic

    @property
    def spool(self) -> Path:
        """The spool the segment lies in; its own folder when that is not named after the run."""
        folder = self.path.parent
        return folder.parent if folder.name == self.header.run_id else folder

    def look(self) -> None:
        """See how far the file has grown."""
        try:
            stat = os.stat(self._name)  # noqa: PTH116  (50 times a second; half the cost)
            if stat.st_size > self.size:
                self._see_growth(stat.st_size)
        except FileNotFoundError:
            self.vanished = True
            return
        except PermissionError:  # its folder was taken from us: it has not grown as far as we can see
            return
        self.size = stat.st_size
        self.changed_at_s = stat.st_mtime

    def sent_all(self) -> None:
        """Note that nothing whole waits any more."""
        self.grown_lines = 0
        self.grown_at_s = None

    def waited_enough(self) -> None:
        """Note that whatever waits need not wait for more."""
        self.grown_at_s = 0.0

    def read_batch(self, offset: int, max_events: int) -> Batch | None:
        """Return up to `max_events` whole lines and about 4 MiB from `offset` on; None when there is none."""
        limit = BATCH_MAX_BYTES
        while True:
            data = self._read(offset, limit)
            *lines, rest = data.split(b"\n", max_events)
            if lines or len(data) < limit:
                break
            limit *= 2
        return Batch(offset, data[: len(data) - len(rest)]) if lines else None

    def count_events(self, end: int) -> int:
        """Count the events of the whole lines before `end`, lines set aside included."""
        offset = events = 0
        while offset < end and (batch := self.read_batch(offset, BATCH_MAX_BYTES)):
            if batch.end > end:
                batch = Batch(offset, batch.data[: end - offset])
            events += batch.count_events()
            offset = batch.end
        return events

    def read_dropped(self) -> int:
        """How many events the writer had to drop so far: the number in the header, which it overwrites in place."""
        count = self._read(0, _DROPPED.stop)[_DROPPED]
        return int(count) if count.strip().isdigit() else 0

    def is_alive(self) -> bool:
        """Tell whether the writer may still append to this file."""
        header = self.header
        return is_alive(
            host=header.host, pid=header.pid, pid_start=header.pid_start, changed_at_s=self.changed_at_s
        )

    def _see_growth(self, size: int) -> None:
        start = max(self.whole, size - BATCH_MAX_BYTES)
        data = self._read(start, max(0, size - start))
        lines = data.count(b"\n")
        if not lines:
            return
        self.whole = start + data.rfind(b"\n") + 1
        self.ended = _is_end(data[: self.whole - start])
        self.grown_lines += lines
        if self.grown_at_s is None:
            self.grown_at_s = time.monotonic()

    def _read(self, offset: int, size: int) -> bytes:
        """Read `size` bytes, fewer only at the end of the file."""
        try:
            fd = os.open(self._name, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            self.vanished = True
            return b""
        try:
            return os.pread(fd, size, offset)
        finally:
            os.close(fd)


def open_segment(path: Path) -> Segment | None:
    """
    Begin to follow a segment.

    A file whose first line cannot be read is followed too, by its name: what follows that line may be sound.

    Returns: None when its writer has only just created it, it is of a later version, or it is not ours to read.
    """
    try:
        header = read_header(path) or _header_by_name(path)
        if header is None or header.v > VERSION:
            return None
        segment = Segment(path, header)
        segment.look()
    except OSError:
        return None
    segment.waited_enough()
    return segment


def _header_by_name(path: Path) -> Header | None:
    named = is_uuid(path.stem) and is_uuid(path.parent.name)
    if named and time.time() - path.stat().st_mtime > HEADER_GRACE_S:
        return Header(segment_id=path.stem, run_id=path.parent.name)
    return None


def read_header(path: Path) -> Header | None:
    """Read a segment's first line; None when it is not there, not whole, or no `segment_start`."""
    with contextlib.suppress(FileNotFoundError, msgspec.DecodeError):
        with path.open("rb") as file:
            line = file.readline(LINE_MAX_BYTES)
        if line.endswith(b"\n"):
            header = msgspec.json.decode(line, type=Header)
            return header if is_uuid(header.segment_id) and is_uuid(header.run_id) else None
    return None


def is_uuid(text: str) -> bool:
    """Tell whether a text is a UUID as the spool writes them: lower case, with hyphens."""
    return _UUID.fullmatch(text) is not None


def _is_end(lines: bytes) -> bool:
    """Tell whether the last of some whole lines is `segment_end`."""
    line = lines.rstrip(b"\n").rpartition(b"\n")[2]
    if b'"segment_end"' not in line:
        return False
    with contextlib.suppress(ValueError):
        event = json.loads(line)
        return isinstance(event, dict) and event.get("type") == "segment_end"
    return False
