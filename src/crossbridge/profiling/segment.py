"""Writing a segment: one file a process, one line an event (`spec/segment.md`).

`append` is the hot path: two system calls, no lock, no allocation that lasts. A line it has taken survives the
death of the process (not that of the machine: nothing is forced to disk). Any thread may append; O_APPEND keeps
lines whole. Whatever is out of the ordinary happens in `_append_slowly`, one thread at a time.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
import sys
from _thread import RLock
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from crossbridge.profiling.descriptor import (
    GET_MARK,
    MARK,
    NOT_OPEN,
    close,
    probe,
)
from crossbridge.profiling.encode import to_json
from crossbridge.profiling.files import names_in, size_of
from crossbridge.profiling.origin import DROPPED_OFFSET, dropped_text, first_line
from crossbridge.profiling.real import Real, new_uuid, now_us, pass_refusals
from crossbridge.profiling.segment_file import SegmentFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from crossbridge.profiling.origin import Origin

ROTATE_BYTES = 64 << 20
# How much a process may write before it looks again at what the whole spool holds: a sixteenth of what is left of it
# (several processes write at once), within these bounds.
ALLOWANCE_MIN_BYTES = 64 << 10
ALLOWANCE_MAX_BYTES = 16 << 20
# How long the file is believed to stay where it is before the next look.
LOOK_US = 200_000
# How long a full spool or disk is believed to stay full before the next look.
FULL_LOOK_US = 1_000_000

# The longest wait for another thread's write to end, where it would otherwise land behind `segment_end`.
APPEND_LIMIT_S = 0.1

# An entry for each fork of this process's line. What Python calls there holds nothing of ours: a function would keep
# its module alive, and all that the module can reach, to the very end of the interpreter, which then takes longer.
forks: list[None] = []
os.register_at_fork(after_in_child=partial(forks.append, None))
_locks = {0: RLock()}


def slow_lock(*, new_lock: Callable[[], RLock] = RLock) -> RLock:
    """Return the lock of what is slow; in a forked child it is one that nobody holds."""
    return _locks.get(len(forks)) or _locks.setdefault(len(forks), new_lock())


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
        with slow_lock():
            self._get_ready(0)

    def _begin(self) -> None:
        self.segment_ids: list[str] = []
        self.writer = new_uuid()
        self._forks = len(forks)
        self._file = SegmentFile(_let_appends_finish)
        self._collected, self._dropped = count(), count()
        self._collected_before = self._dropped_before = 0
        self._rest = b""  # what is missing of a line that has begun
        self._room = 0
        self._look_us = 0
        self._full_until_us = 0

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
        at_us: int,
        # Not by keyword only: those defaults take longer to fill in.
        next_: Callable[[count[int]], int] = next,
        probe: Callable[[int, int], int] = probe,
        write: Callable[[int, bytes], int] = os.write,
    ) -> bool:
        """Append one line, line end included, at about the time `at_us`; return False when it was dropped."""
        next_(self._collected)
        size = len(line)
        self._room -= size
        written = 0
        if self._room > 0 and at_us < self._look_us and not self._rest and self._forks == len(forks):
            try:
                fd = self._file.fd
                # Nothing of the user's may stand between these two lines: the number could change hands.
                if probe(fd, GET_MARK) == MARK:
                    written = write(fd, line)
                    if written == size:
                        return True
            except OSError as error:
                if error.errno is None:  # from a signal handler of the user's: see is_refusal
                    raise
        return self._append_slowly(line, written)

    def drop(self) -> None:
        """Count an event that could not even be encoded."""
        with slow_lock():
            if self._forks != len(forks):
                self._begin_in_child()
            else:
                next(self._collected)
            self._get_ready(0)
            self._count_dropped()

    def close(self, status: str | None) -> bool:
        """
        Write `segment_end` and close; afterwards every append is dropped.

        Returns: False in a forked child that has recorded nothing: the segment is its parent's.
        """
        with slow_lock():
            if self._forks != len(forks):
                return False
            if self._full_until_us == sys.maxsize:
                return True
            self._room = 0
            self._full_until_us = sys.maxsize
            if self._file.is_in_place() or self._put_in_place():
                self._end_segment(self._file.fd, status, None)
            self._file.forget()
            return True

    # What is slow: under slow_lock -----------------------------------------------------------------------------

    def _append_slowly(self, line: bytes, written: int = 0) -> bool:
        """Append when a look is due, a line has broken off, or file, spool or disk are not as they should be."""
        with slow_lock():
            if self._forks != len(forks):
                self._begin_in_child()
            if written:
                self._rest, line = line[written:], b""
            if (self._get_ready(len(line)) and self._write(line)) or not line:
                return not self._rest
            self._full_until_us = max(self._full_until_us, now_us() + FULL_LOOK_US)
            self._count_dropped()
            return False

    def _begin_in_child(self) -> None:
        self._origin.parent = self.writer
        self._file.forget()
        self._begin()
        next(self._collected)  # the event on whose account we are here

    def _get_ready(self, size: int) -> bool:
        """Make sure that there is a file to write to and room for `size` bytes in the spool."""
        now = now_us()
        if now < self._full_until_us or not (self._file.is_in_place() or self._put_in_place()):
            return False
        self._look_us = now + LOOK_US
        if self._room <= 0:
            self._make_room(size)
        return self._room > 0

    def _make_room(self, size: int) -> None:
        """Begin a new segment when this one is full, and allow as many bytes more as the spool and the segment have."""
        segment_left = ROTATE_BYTES - self._file.size
        if segment_left <= size:
            segment_left = ROTATE_BYTES if self._open_segment() else ALLOWANCE_MIN_BYTES
        spool_left = self._spool_max_bytes - _spool_bytes(self._spool)
        share = min(max(spool_left >> 4, ALLOWANCE_MIN_BYTES), ALLOWANCE_MAX_BYTES)
        self._room = min(spool_left, share, segment_left) - size

    def _write(self, line: bytes) -> bool:
        """
        Write what is missing of the line before, and `line`; False when nothing of `line` went in.

        A line of which a part went in (the disk is full) is not lost: its rest goes in front of the next one.
        """
        data = self._rest + line
        with pass_refusals:
            while data:
                data = data[Real.write(self._file.fd, data) :]
        missing_before = len(data) - len(line)
        self._rest = data if missing_before < 0 else data[:missing_before]
        return missing_before < 0

    def _count_dropped(self) -> None:
        next(self._dropped)
        self._write_dropped()

    def _write_dropped(self) -> None:
        if self._file.path:
            self._file.overwrite(dropped_text(self.dropped - self._dropped_before), DROPPED_OFFSET)

    # The file ---------------------------------------------------------------------------------------------------

    def _put_in_place(self) -> bool:
        """Get at the segment again, or begin a new one when it is gone for good or there is none yet."""
        if self._file.path and self._file.get_back():
            self._write_dropped()
            return True
        return not self._file.is_open and self._open_segment()

    def _open_segment(self) -> bool:
        """Begin a segment; the one before, if there is one, ends."""
        segment_id = new_uuid() if self.segment_ids else self.writer
        header = first_line(
            self._origin,
            segment_id=segment_id,
            writer=self.writer,
            seq=len(self.segment_ids),
            dropped=0 if self._file.is_open else self.dropped - self._dropped_before,
        )
        self.segment_ids.append(segment_id)
        old_fd = self._file.begin(f"{self._spool}/{self._origin.run_id}/{segment_id}.jsonl", header)
        if old_fd is None:
            self.segment_ids.remove(segment_id)
            return False
        if old_fd != NOT_OPEN:
            self._end_segment(old_fd, None, segment_id, underway=1)
        return True

    def _end_segment(self, fd: int, status: str | None, next_id: str | None, underway: int = 0) -> None:
        """Write the last line, behind what is missing of the one before, and close; `underway` events go elsewhere."""
        _let_appends_finish()
        collected = self.collected - underway - self._collected_before
        dropped = self.dropped - self._dropped_before
        end = {
            "type": "segment_end",
            "at_us": now_us(),
            "status": status,
            "collected": collected,
            "dropped": dropped,
            "next": next_id,
        }
        data, self._rest = self._rest + f"{to_json(end)}\n".encode(), b""
        self._collected_before += collected
        self._dropped_before += dropped
        with pass_refusals:
            while data:
                data = data[Real.write(fd, data) :]
        close(fd)


def _let_appends_finish() -> None:
    """Wait until every thread in the midst of an append has come out of it: it may still write to the file before."""
    busy = _appends()
    deadline_s = Real.monotonic() + APPEND_LIMIT_S
    while busy and Real.monotonic() < deadline_s:
        Real.sleep(0.0001)
        frames = _appends()
        busy = {thread: frame for thread, frame in busy.items() if frames.get(thread) is frame}


def _appends(
    *,
    current_frames: Callable[[], dict[int, FrameType]] = sys._current_frames,  # noqa: SLF001  (documented)
) -> dict[int, FrameType]:
    """Return, by thread, the calls of `append` under way that do not wait for us."""
    waiting, appending = SegmentWriter._append_slowly.__code__, SegmentWriter.append.__code__  # noqa: SLF001
    calls = {}
    for thread, top in current_frames().items():
        frame: FrameType | None = top
        while frame is not None and frame.f_code is not waiting:
            if frame.f_code is appending:
                calls[thread] = frame
                break
            frame = frame.f_back
    return calls


def _value(counter: count[int]) -> int:
    """Read a counter without moving it. `next` on it is atomic, which `+=` on an attribute is not."""
    return int(repr(counter)[6:-1])


def _spool_bytes(spool: str) -> int:
    """Bytes of all segments in the spool."""
    return sum(
        size_of(f"{folder}/{name}")
        for folder in [f"{spool}/{run}" for run in names_in(spool)]
        for name in names_in(folder)
        if name.endswith(".jsonl")
    )
