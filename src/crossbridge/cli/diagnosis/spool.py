"""Whether what was recorded moves on, and whether anything is lost."""

from __future__ import annotations

import os
import shutil
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from crossbridge.cli._text import counted, duration, size
from crossbridge.cli.diagnosis import Check
from crossbridge.errors import UsageError
from crossbridge.profiling.models import StorageBackendType
from crossbridge.profiling.progress import run_progress, shipper_state
from crossbridge.profiling.shipping.folder import REJECTED
from crossbridge.profiling.spool import find_segments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossbridge.profiling.models import ProfileConfig
    from crossbridge.profiling.progress import ShipperState

NEARLY_FULL = 0.8
LEAST_FREE_BYTES = 256 << 20
# A shipper sends at least every flush interval: an event that waits much longer is stuck.
STUCK_AFTER_S = 60.0
SLOW_FLUSH_S = 10.0
SMALL_BATCH = 10
BUSY_PERCENT = 2.0
_INGEST = "Deliver them with 'crossbridge ingest'."
_check = partial(Check, "spool")


def checks(config: ProfileConfig) -> Iterator[Check]:
    """Look into the spool, and at the process that empties it."""
    try:
        segments = find_segments([config.spool_path])
    except UsageError as error:
        what, _, mend = str(error).partition(". ")
        yield _check("room", "fail", what, mend)
        return
    yield _room(config, segments)
    yield _disk(config)
    yield _waiting(segments)
    yield _dropped(segments)
    yield _rejected(config)
    yield _shipper(config, segments)
    yield _pace(config)


def _room(config: ProfileConfig, segments: list[Path]) -> Check:
    used = sum(map(_size, segments))
    seen = f"{size(used)} of {size(config.spool_max_bytes)} used in {config.spool_path}"
    mend = f"{_INGEST} Or raise CROSSBRIDGE_SPOOL_MAX_BYTES."
    if used >= config.spool_max_bytes:
        return _check("room", "fail", f"{seen}: events are dropped", mend)
    if used >= NEARLY_FULL * config.spool_max_bytes:
        return _check("room", "warn", seen, mend)
    return _check("room", "ok", seen)


def _disk(config: ProfileConfig) -> Check:
    folder = next(folder for folder in (config.spool_path, *config.spool_path.parents) if folder.exists())
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        mend = "Make room, or set CROSSBRIDGE_SPOOL_DIR to another disk."
        return _check("disk", "warn", f"{size(free)} free", mend)
    return _check("disk", "ok", f"{size(free)} free")


def _waiting(segments: list[Path]) -> Check:
    waiting = sum(run_progress(str(run)).spooled for run in _runs(segments))
    files = counted(len(segments), "segment")
    if not waiting:
        return _check("waiting", "ok", f"no event waits, {files} open" if segments else "no event waits")
    idle_s = time.time() - max(map(_changed_s, segments))
    seen = f"{counted(waiting, 'event')} in {files}, the last one recorded {duration(idle_s * 1e6)} ago"
    if idle_s < STUCK_AFTER_S:
        return _check("waiting", "ok", seen)
    return _check("waiting", "warn", seen, _INGEST)


def _dropped(segments: list[Path]) -> Check:
    dropped = sum(run_progress(str(run)).dropped for run in _runs(segments))
    if dropped:
        mend = "The spool or its disk was full: see 'room' and 'disk'. The runs tell how many they miss."
        return _check("dropped", "warn", f"{counted(dropped, 'event')} of the runs that lie here", mend)
    return _check("dropped", "ok", "no event of the runs that lie here")


def _rejected(config: ProfileConfig) -> Check:
    folder = config.spool_path / REJECTED
    lines = sum(path.read_bytes().count(b"\n") for path in folder.glob("*.jsonl"))
    if lines:
        seen = f"{counted(lines, 'event')} set aside in {folder}"
        mend = "The database refused them; the reasons stand beside them. Report them, then remove the files."
        return _check("rejected", "warn", seen, mend)
    return _check("rejected", "ok", "no event was refused by the database")


def _shipper(config: ProfileConfig, segments: list[Path]) -> Check:
    shipper = shipper_state(str(config.spool_path))
    if config.backend is StorageBackendType.NONE:
        return _check("shipper", "ok", "not used with backend none")
    if shipper.state is None:
        return _check("shipper", "ok", "has not run here yet; the first recorded test starts it")
    if shipper.alive and shipper.state != "ended":
        return _living_shipper(shipper)
    if shipper.error and segments:
        return _check("shipper", "fail", f"gave up: {shipper.error}", f"Mend that. {_INGEST}")
    if segments and shipper.state != "ended":
        seen = f"was killed; its log is {config.spool_path / 'shipper.log'}"
        return _check("shipper", "warn", seen, _INGEST)
    return _check("shipper", "ok", f"not needed now; delivered to {shipper.target} last")


def _living_shipper(shipper: ShipperState) -> Check:
    busy = _cpu_percent(shipper.pid)
    seen = f"{shipper.state} to {shipper.target}, pid {shipper.pid}, {busy:.1f}% of a CPU"
    if shipper.error:
        return _check("shipper", "fail", f"{seen}: {shipper.error}", "It goes on trying; see 'database'.")
    if busy > BUSY_PERCENT:
        mend = "Raise CROSSBRIDGE_BATCH_SIZE and CROSSBRIDGE_FLUSH_INTERVAL; it runs at low priority."
        return _check("shipper", "warn", seen, mend)
    return _check("shipper", "ok", seen)


def _pace(config: ProfileConfig) -> Check:
    seen = (
        f"sends every {config.flush_interval_s:g} s, or {config.batch_size:,} events, and reads {config.queue_size:,}"
        f" ahead, over at most {counted(config.pool_max, 'connection')}"
    )
    mend = None
    if config.flush_interval_s > SLOW_FLUSH_S:
        mend = "Results show late: lower CROSSBRIDGE_FLUSH_INTERVAL (default 1)."
    elif config.batch_size < SMALL_BATCH:
        mend = "Many round trips: raise CROSSBRIDGE_BATCH_SIZE (default 100)."
    return _check("pace", "warn" if mend else "ok", seen, mend)


def _runs(segments: list[Path]) -> set[Path]:
    return {path.parent for path in segments}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # delivered in the meantime
        return 0


def _changed_s(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return time.time()


def _cpu_percent(pid: int | None) -> float:
    """Return the share of one CPU a process has used since it began, over a minute at least: starting is dear."""
    try:
        fields = (
            Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        )
        uptime_s = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
    except OSError:
        return 0.0
    ticks = os.sysconf("SC_CLK_TCK")
    used_s = (int(fields[11]) + int(fields[12])) / ticks
    return 100 * used_s / max(60.0, uptime_s - int(fields[19]) / ticks)
