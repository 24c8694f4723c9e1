"""Writing a segment: one file a process, one line an event (`spec/segment.md`).

`append` is the hot path: three system calls, no lock, no allocation that lasts. A line it has taken
survives the death of the process (not that of the machine: nothing is forced to disk). Any thread may
append; O_APPEND keeps lines whole.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
import sys
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from crossbridge._version import __version__
from crossbridge.profiling.models import SegmentEnd, SegmentStart
from crossbridge.profiling.real import Real, new_uuid, now_us, read_file

if TYPE_CHECKING:
    from crossbridge.profiling.run_info import RunInfo

try:
    from fcntl import F_DUPFD_CLOEXEC, fcntl
except ImportError:  # pragma: no cover  (not a POSIX system)
    fcntl = None  # type: ignore[assignment]

ROTATE_BYTES = 64 << 20
# Above what programs open themselves, so that a `closerange` or a daemonizing test hands our number to nobody soon.
LOWEST_FD = 400
# How much a process may write before it looks again at what the whole spool holds.
ALLOWANCE_BYTES = 16 << 20
# How long a full spool or disk is believed to stay full before the next look.
FULL_RECHECK_US = 1_000_000

_DROPPED_OFFSET = len(b'{"dropped":')
_DROPPED_WIDTH = 20

_encode = msgspec.json.Encoder(enc_hook=str).encode


class Origin(NamedTuple):
    """What a process's segments have in common: see `segment_start` in `spec/segment.md`."""

    run_id: str
    parent: str | None
    framework: str
    framework_version: str | None
    worker: str | None
    environment: str
    app_version: str | None
    labels: dict[str, str]
    info: RunInfo


class SegmentWriter:
    """
    The segments of one process, one after the other, and the counts of what was recorded into them.

    A forked child that appends goes on in segments of its own. Never raises OSError: what cannot be written is dropped
    and counted.
    """

    def __init__(self, spool: str, spool_max_bytes: int, origin: Origin) -> None:
        self._spool = spool
        self._spool_max_bytes = spool_max_bytes
        self._origin = origin
        self._begin()

    def _begin(self) -> None:
        self.segment_ids: list[str] = []
        self.writer = ""
        self._pid = Real.getpid()
        self._fd = self._inode = self._device = -1
        self._path = ""
        self._collected, self._dropped = count(), count()
        self._collected_before = self._dropped_before = 0
        self._torn = False
        self._full_until_us = 0
        self._room = 0
        self._open_segment()

    @property
    def parent(self) -> str | None:
        """The writer that answers for this process, or None."""
        return self._origin.parent

    @property
    def collected(self) -> int:
        """Events recorded by this process, dropped ones included."""
        return _value(self._collected)

    @property
    def dropped(self) -> int:
        """Events this process could not write."""
        return _value(self._dropped)

    def append(
        self,
        line: bytes,
        *,
        getpid: object = os.getpid,
        fstat: object = os.fstat,
        write: object = os.write,
        next_: object = next,
    ) -> bool:
        """Append one line, line end included; return False when it was dropped. Costs about 1.5 microseconds."""
        if getpid() != self._pid:  # type: ignore[operator]
            self._begin_in_child()
        next_(self._collected)  # type: ignore[operator]
        size = len(line)
        self._room -= size
        if self._room > 0 and not self._torn:
            try:
                stat = fstat(self._fd)  # type: ignore[operator]
                if stat.st_ino == self._inode and stat.st_dev == self._device and stat.st_nlink:
                    written = write(self._fd, line)  # type: ignore[operator]
                    if written == size:
                        return True
                    return self._append_slowly(line, written)
            except OSError:
                pass
        return self._append_slowly(line)

    def close(self, status: str | None) -> None:
        """Write `segment_end` and close; afterwards every append is dropped."""
        if Real.getpid() != self._pid or not self._path:
            return
        self._end_segment(status, None)
        self._path, self._room = "", 0
        self._full_until_us = sys.maxsize

    def _begin_in_child(self) -> None:
        self._origin = self._origin._replace(parent=self.writer or self._origin.parent)
        if self._is_ours():
            _close(self._fd)
        self._begin()

    def _append_slowly(self, line: bytes, written: int = 0) -> bool:
        """Deal with a descriptor that is not ours any more, a full or torn segment, a full spool or disk."""
        if now_us() >= self._full_until_us:
            if self._room <= 0:
                self._make_room(len(line))
            if self._room > 0 and self._ensure_open() and self._write_whole(line, written):
                return True
            self._full_until_us = max(self._full_until_us, now_us() + FULL_RECHECK_US)
        next(self._dropped)
        self._write_dropped()
        return False

    def _make_room(self, size: int) -> None:
        """Allow some more bytes, when the spool has them; begin a new segment, when this one is full."""
        if self._is_ours() and Real.fstat(self._fd).st_size >= ROTATE_BYTES:
            self._rotate()
        self._room = min(self._spool_max_bytes - _spool_bytes(self._spool), ALLOWANCE_BYTES) - size

    def _is_ours(self) -> bool:
        try:
            stat = Real.fstat(self._fd)
        except OSError:
            return False
        return stat.st_ino == self._inode and stat.st_dev == self._device and stat.st_nlink > 0

    def _ensure_open(self) -> bool:
        return self._is_ours() or (self._path != "" and self._reopen()) or self._open_segment()

    def _reopen(self) -> bool:
        """Open the segment again after somebody closed our descriptor, whose number may be another's by now."""
        try:
            self._fd = _high_fd(Real.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC))
        except OSError:
            return False
        return self._is_ours()

    def _write_whole(self, line: bytes, written: int = 0) -> bool:
        if self._torn:
            line = b"\n" + line
        try:
            while written < len(line):
                written += Real.write(self._fd, line[written:])
        except OSError:
            self._torn = self._torn or written > 0
            return False
        self._torn = False
        return True

    def _rotate(self) -> None:
        new_id = new_uuid()
        self._end_segment(None, new_id)
        self._open_segment(new_id)

    def _open_segment(self, segment_id: str | None = None) -> bool:
        segment_id = segment_id or new_uuid()
        folder = Real.join(self._spool, self._origin.run_id)
        path = Real.join(folder, f"{segment_id}.jsonl")
        self._fd = -1
        try:
            Real.makedirs(folder, mode=0o700, exist_ok=True)
            fd = _high_fd(
                Real.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
            )
            stat = Real.fstat(fd)
        except OSError:
            self._path = ""
            return False
        self._fd, self._device, self._inode = fd, stat.st_dev, stat.st_ino
        self._path, self._torn = path, False
        if not self.writer:
            self.writer = segment_id
        if not self._write_whole(self._header(segment_id)):
            self._path = ""
            return False
        self.segment_ids.append(segment_id)
        return True

    def _header(self, segment_id: str) -> bytes:
        origin = self._origin
        start = SegmentStart(
            segment_id=segment_id,
            run_id=origin.run_id,
            writer=self.writer,
            seq=len(self.segment_ids),
            parent=origin.parent,
            role="child" if origin.parent else "main",
            pid=self._pid,
            pid_start=_pid_start(),
            host=_SYSTEM.nodename,
            os=f"{_SYSTEM.sysname} {_SYSTEM.release}",
            runtime=_RUNTIME,
            sdk=f"python/{__version__}",
            framework=origin.framework,
            framework_version=origin.framework_version,
            worker=origin.worker,
            at_us=now_us(),
            environment=origin.environment,
            app_version=origin.app_version,
            labels=origin.labels,
            git_commit=origin.info.git_commit,
            git_branch=origin.info.git_branch,
            ci_provider=origin.info.ci_provider,
            ci_url=origin.info.ci_url,
        )
        return b'{"dropped":' + self._dropped_text() + b"," + _encode(start)[1:] + b"\n"

    def _end_segment(self, status: str | None, next_id: str | None) -> None:
        if not self._ensure_open():
            return
        end = SegmentEnd(
            at_us=now_us(),
            status=status,
            collected=self.collected - self._collected_before,
            dropped=self.dropped - self._dropped_before,
            next=next_id,
        )
        if self._write_whole(_encode(end) + b"\n"):
            self._collected_before += end.collected
            self._dropped_before += end.dropped
        _close(self._fd)
        self._fd = -1

    def _dropped_text(self) -> bytes:
        return str(self.dropped - self._dropped_before).encode().ljust(_DROPPED_WIDTH)

    def _write_dropped(self) -> None:
        """Overwrite the header's count in place: no new block is needed, so a full disk takes it."""
        if not self._path or Real.pwrite is None:
            return
        try:
            fd = Real.open(self._path, os.O_WRONLY | os.O_CLOEXEC)
        except OSError:
            return
        try:
            Real.pwrite(fd, self._dropped_text(), _DROPPED_OFFSET)
        except OSError:
            pass
        finally:
            _close(fd)


def _value(counter: count[int]) -> int:
    """Read a counter without moving it. `next` on it is atomic, which `+=` on an attribute is not."""
    return int(repr(counter)[6:-1])


def _high_fd(fd: int) -> int:
    if fcntl is None:  # pragma: no cover
        return fd
    try:
        high = fcntl(fd, F_DUPFD_CLOEXEC, LOWEST_FD)
    except (OSError, ValueError):  # RLIMIT_NOFILE is lower than that
        return fd
    Real.close(fd)
    return high


def _close(fd: int) -> None:
    try:
        if fd >= 0:
            Real.close(fd)
    except OSError:
        pass


def _spool_bytes(spool: str) -> int:
    """Bytes of all segments in the spool."""
    total = 0
    try:
        for run in Real.scandir(spool):
            if run.is_dir(follow_symlinks=False):
                total += sum(
                    entry.stat(follow_symlinks=False).st_size
                    for entry in Real.scandir(run.path)
                    if entry.name.endswith(".jsonl")
                )
    except OSError:
        pass
    return total


def _pid_start() -> int | None:
    """Start time of this process in clock ticks since boot; field 22 of /proc/self/stat."""
    content = read_file("/proc/self/stat")
    try:
        return int(content.rpartition(b")")[2].split()[19]) if content else None
    except (IndexError, ValueError):
        return None


_SYSTEM = os.uname()
_RUNTIME = (
    f"{sys.implementation.name.replace('cpython', 'CPython')} {'.'.join(map(str, sys.version_info[:3]))}"
)
