"""What a shipper has told of its progress, in files beside the segments (`spec/segment.md`).

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TypeVar

from crossbridge.profiling.descriptor import close
from crossbridge.profiling.encode import from_json
from crossbridge.profiling.files import exists, names_in, size_of
from crossbridge.profiling.origin import DROPPED_OFFSET, DROPPED_WIDTH
from crossbridge.profiling.real import Real, pass_refusals, read_file

_CHUNK_BYTES = 1 << 20
_BOOKKEEPING = (b'\n{"type":"segment_end"', b'\n{"type":"dropped"', b'\n{"dropped":', b"\n\n")


class Ack(SimpleNamespace):
    """How far one segment is delivered, as its `.ack` says: bytes, events stored, events dropped or refused."""

    def __init__(self, offset: int = 0, events: int = 0, dropped: int = 0, *, closed: bool = False) -> None:
        self.offset = offset
        self.events = events
        self.dropped = dropped
        self.closed = closed


class RunProgress(SimpleNamespace):
    """Events of a whole run, all its processes; `pending` counts segments with bytes still to deliver."""

    def __init__(self, written: int = 0, spooled: int = 0, dropped: int = 0, pending: int = 0) -> None:
        self.written = written
        self.spooled = spooled
        self.dropped = dropped
        self.pending = pending


class ShipperState(SimpleNamespace):
    """What `shipper.json` says."""

    def __init__(
        self,
        pid: int | None = None,
        state: str | None = None,
        error: str | None = None,
        target: str | None = None,
        at_us: int = 0,
    ) -> None:
        self.pid = pid
        self.state = state
        self.error = error
        self.target = target
        self.at_us = at_us

    @property
    def alive(self) -> bool:
        """Whether that process is there."""
        if self.pid is None or self.pid < 1:
            return False
        try:
            Real.kill(self.pid, 0)
        except PermissionError:  # another user's
            return True
        except (ProcessLookupError, OverflowError):
            return False
        return True


_Told = TypeVar("_Told", Ack, ShipperState)
_KINDS = {
    Ack: {"offset": int, "events": int, "dropped": int, "closed": bool},
    ShipperState: {"pid": int, "state": str, "error": str, "target": str, "at_us": int},
}


def read_ack(run_folder: str, segment_id: str) -> Ack:
    """Return what is acknowledged of a segment; all zero when nothing is."""
    return _read(f"{run_folder}/{segment_id}.ack", Ack)


def shipper_state(spool: str) -> ShipperState:
    """Return how the spool's shipper fares."""
    return _read(f"{spool}/shipper.json", ShipperState)


def run_progress(run_folder: str) -> RunProgress:
    """Count a run's events from its acknowledgements and from what still lies in its segments."""
    names = names_in(run_folder)
    waiting = {name.removesuffix(".jsonl") for name in names if name.endswith(".jsonl")}
    delivered = {name.removesuffix(".ack") for name in names if name.endswith(".ack")} - waiting
    written = spooled = dropped = pending = 0
    for name in delivered:
        ack = read_ack(run_folder, name)
        written += ack.events
        dropped += ack.dropped
    for name in waiting:
        ack = read_ack(run_folder, name)
        size, events, dropped_by_writer = _read_rest(f"{run_folder}/{name}.jsonl", ack.offset)
        written += ack.events
        spooled += events
        dropped += max(dropped_by_writer, ack.dropped)
        pending += size > 0
    return RunProgress(written, spooled, dropped, pending)


def is_delivered(run_folder: str) -> bool:
    """Tell whether no segment of the run has a byte left to deliver; cheap enough to ask every few milliseconds."""
    if not exists(run_folder):
        return True
    with pass_refusals:
        return all(
            size_of(f"{run_folder}/{name}") <= read_ack(run_folder, name.removesuffix(".jsonl")).offset
            for name in Real.listdir(run_folder)
            if name.endswith(".jsonl")
        )
    return False


def _read_rest(path: str, offset: int) -> tuple[int, int, int]:
    """Return what of a segment is not delivered, in bytes and events, and its header's count of dropped events."""
    with pass_refusals:
        fd = Real.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            header = Real.pread(fd, DROPPED_OFFSET + DROPPED_WIDTH, 0)
            digits = header[DROPPED_OFFSET:].strip()
            return *_count(fd, offset), int(digits) if digits.isdigit() else 0
        finally:
            close(fd)
    return 0, 0, 0


def _count(fd: int, offset: int) -> tuple[int, int]:
    """Return how many bytes and events lie behind `offset`, at which a line begins."""
    size = events = 0
    begun = b"\n"  # as if the line before had ended in what is read, then what is read of a line
    while chunk := Real.pread(fd, _CHUNK_BYTES, offset + size):
        size += len(chunk)
        lines, _, begun = (begun + chunk).rpartition(b"\n")
        events += lines.count(b"\n") - sum(lines.count(mark) for mark in _BOOKKEEPING)
        begun = b"\n" + begun
    return size, events


def _read(path: str, told: type[_Told]) -> _Told:
    try:
        said = from_json((read_file(path) or b"{}").decode())
        return told(
            **{name: said[name] for name, kind in _KINDS[told].items() if isinstance(said.get(name), kind)}
        )
    except (ValueError, AttributeError, RecursionError):  # no JSON, no object, too deep
        return told()
