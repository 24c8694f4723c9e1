"""Segments for tests: writers and collectors on a spool of the test's own, and what they have written."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from crossbridge.profiling.collector import MetricsCollector
from crossbridge.profiling.models import ProfileConfig, StorageBackendType
from crossbridge.profiling.origin import Origin
from crossbridge.profiling.real import new_uuid, now_us
from crossbridge.profiling.run_info import RunInfo
from crossbridge.profiling.segment import SegmentWriter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLENTY_BYTES = 1 << 30


def origin(**changes: Any) -> Origin:
    values: dict[str, Any] = {
        "run_id": new_uuid(),
        "parent": None,
        "framework": "pytest",
        "framework_version": "9.0",
        "worker": None,
        "environment": "local",
        "app_version": None,
        "labels": {},
        "info": RunInfo(),
    }
    return Origin(**values | changes)


def new_writer(spool: Path, max_bytes: int = PLENTY_BYTES, **changes: Any) -> SegmentWriter:
    return SegmentWriter(str(spool), max_bytes, origin(**changes))


def append(writer: SegmentWriter, number: int = 0, size: int = 0) -> bool:
    """Append a numbered line, filled up to `size` bytes."""
    line = json.dumps({"type": "test_start", "number": number}).encode()
    return writer.append(line + b" " * (size - 1 - len(line)) + b"\n", now_us())


@contextmanager
def collecting(folder: Path, **settings: Any) -> Iterator[MetricsCollector]:
    """A collector that records into `folder` and delivers nowhere, as the only one of the process."""
    config = ProfileConfig(
        **{"enabled": True, "backend": StorageBackendType.NONE, "project_root": folder, **settings}
    )
    collector = MetricsCollector(config)
    assert collector.start(framework="pytest")
    try:
        yield collector
    finally:
        collector.shutdown()


def only_segment(spool: Path) -> Path:
    (path,) = segment_paths(spool)
    return path


def dropped_in_header(path: Path) -> int:
    return json.loads(path.read_bytes().split(b"\n")[0])["dropped"]


def fill(disk: Path) -> Path:
    """Fill a file system to the last byte; return the file to remove when there shall be room again."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    return filler


def open_descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))  # noqa: PTH208  (names are what is wanted)


def segment_paths(spool: Path) -> list[Path]:
    return sorted(path for path in spool.rglob("*.jsonl") if path.parent.name != "rejected")


def read_events(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a segment, its first line included. Each must be JSON; a torn last line is left out."""
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


def read_spool(spool: Path) -> list[dict[str, Any]]:
    """All lines of all segments but the bookkeeping ones."""
    events = [event for path in segment_paths(spool) for event in read_events(path)]
    return [event for event in events if not event["type"].startswith("segment_")]


def numbers(spool: Path) -> list[int]:
    """The numbers that `append` wrote, in order."""
    return sorted(event["number"] for event in read_spool(spool))
