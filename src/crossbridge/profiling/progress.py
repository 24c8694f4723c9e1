"""What a shipper has told of its progress, in files beside the segments (`spec/segment.md`).

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import Any, NamedTuple

from crossbridge.profiling.real import Real, read_file

_HEADER_DROPPED = slice(len(b'{"dropped":'), len(b'{"dropped":') + 20)
_COUNT_LIMIT_BYTES = 256 << 20


class Ack(NamedTuple):
    """How far one segment is delivered: bytes; events stored; events that could not be; whether it is closed."""

    offset: int = 0
    events: int = 0
    dropped: int = 0
    closed: bool = False


class RunProgress(NamedTuple):
    """Events of a whole run, all its processes; `pending` counts segments with bytes still to deliver."""

    written: int = 0
    spooled: int = 0
    dropped: int = 0
    pending: int = 0


class ShipperState(NamedTuple):
    """What `shipper.json` says; `alive` is whether that process is there."""

    state: str | None = None
    error: str | None = None
    target: str | None = None
    at_us: int = 0
    alive: bool = False


def read_ack(run_folder: str, segment_id: str) -> Ack:
    """Return what is acknowledged of a segment; all zero when nothing is."""
    value = _read_json(Real.join(run_folder, f"{segment_id}.ack"))
    return Ack(**{name: value[name] for name in Ack._fields if name in value})


def shipper_state(spool: str) -> ShipperState:
    """Return how the spool's shipper fares."""
    value = _read_json(Real.join(spool, "shipper.json"))
    pid = value.get("pid")
    return ShipperState(
        value.get("state"),
        value.get("error"),
        value.get("target"),
        value.get("at_us", 0),
        isinstance(pid, int) and _exists(f"/proc/{pid}"),
    )


def run_progress(run_folder: str) -> RunProgress:
    """Count a run's events from its acknowledgements and from what still lies in its segments."""
    acks: dict[str, Ack] = {}
    waiting: set[str] = set()
    try:
        for entry in Real.scandir(run_folder):
            name, _, ending = entry.name.rpartition(".")
            if ending == "ack":
                acks[name] = read_ack(run_folder, name)
            elif ending == "jsonl":
                waiting.add(name)
    except OSError:
        pass
    written = sum(ack.events for ack in acks.values())
    dropped = sum(ack.dropped for ack in acks.values())
    spooled = pending = 0
    for name in waiting:
        ack = acks.get(name, Ack())
        events, lost, at_end = _undelivered(Real.join(run_folder, f"{name}.jsonl"), ack.offset)
        spooled += events
        pending += not at_end
        dropped += max(0, lost - ack.dropped)
    return RunProgress(written, spooled, dropped, pending)


def is_delivered(run_folder: str) -> bool:
    """Tell whether no segment of the run has a byte left to deliver; cheap enough to ask every few milliseconds."""
    try:
        names = [entry.name for entry in Real.scandir(run_folder)]
        for name in names:
            if name.endswith(".jsonl"):
                size = Real.stat(Real.join(run_folder, name)).st_size
                if read_ack(run_folder, name[:-6]).offset < size:
                    return False
    except FileNotFoundError:
        return is_delivered(run_folder) if _exists(run_folder) else True
    except OSError:
        return False
    return True


def _undelivered(path: str, offset: int) -> tuple[int, int, bool]:
    """Return the events behind `offset`, the header's count of dropped ones, and whether nothing is left behind it."""
    content = read_file(path, limit=_COUNT_LIMIT_BYTES)
    if content is None:
        return 0, 0, True
    rest = content[offset:]
    bookkeeping = (not offset) + rest.count(b'\n{"type":"segment_end"')
    events = max(0, rest.count(b"\n") - bookkeeping)
    try:
        lost = int(content[_HEADER_DROPPED])
    except ValueError:
        lost = 0
    return events, lost, not rest


def _read_json(path: str) -> dict[str, Any]:
    content = read_file(path)
    try:
        value = Real.json_loads(content.decode()) if content else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _exists(path: str) -> bool:
    try:
        Real.stat(path)
    except OSError:
        return False
    return True
