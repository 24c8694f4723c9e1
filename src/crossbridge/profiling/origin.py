"""What a process's segments say about it in their first line (`spec/segment.md`).

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from crossbridge._version import __version__
from crossbridge.profiling.encode import to_json
from crossbridge.profiling.real import Real, now_us, read_file
from crossbridge.profiling.sanitise import clean_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crossbridge.profiling.run_info import RunInfo

FORMAT_VERSION = 1
DROPPED_OFFSET = len(b'{"dropped":')
DROPPED_WIDTH = 20

_SYSTEM = os.uname()
_RUNTIME = (
    f"{sys.implementation.name.replace('cpython', 'CPython')} {'.'.join(map(str, sys.version_info[:3]))}"
)


class Origin:
    """What a process's segments have in common."""

    def __init__(
        self,
        *,
        run_id: str,
        parent: str | None,
        framework: str,
        framework_version: str | None,
        worker: str | None,
        environment: str,
        app_version: str | None,
        labels: Mapping[str, str],
        info: RunInfo,
    ) -> None:
        self.run_id = run_id
        self.parent = parent
        self.framework = framework
        self.framework_version = framework_version
        self.worker = worker
        self.environment = environment
        self.app_version = app_version
        self.labels = labels
        self.info = info


def first_line(origin: Origin, *, segment_id: str, writer: str, seq: int, dropped: int) -> bytes:
    """Return `segment_start`, line end included; `spec/segment.md` explains each field."""
    info = origin.info
    header = {
        "type": "segment_start",
        "v": FORMAT_VERSION,
        "segment_id": segment_id,
        "run_id": origin.run_id,
        "writer": writer,
        "seq": seq,
        "parent": origin.parent,
        "role": "child" if origin.parent else "main",
        "pid": Real.getpid(),
        "pid_start": _pid_start(),
        "host": clean_text(_SYSTEM.nodename),
        "os": f"{_SYSTEM.sysname} {_SYSTEM.release}",
        "runtime": _RUNTIME,
        "sdk": f"python/{__version__}",
        "framework": clean_text(origin.framework),
        "framework_version": _clean(origin.framework_version),
        "worker": _clean(origin.worker),
        "at_us": now_us(),
        "environment": clean_text(origin.environment),
        "app_version": _clean(origin.app_version),
        "labels": {clean_text(key): clean_text(value) for key, value in origin.labels.items()},
        "git_commit": _clean(info.git_commit),
        "git_branch": _clean(info.git_branch),
        "ci_provider": info.ci_provider,
        "ci_url": _clean(info.ci_url),
    }
    return b'{"dropped":' + dropped_text(dropped) + f",{to_json(header)[1:]}\n".encode()


def dropped_text(dropped: int) -> bytes:
    """Return the count as it stands in the header, to be overwritten in place."""
    return str(dropped).encode().ljust(DROPPED_WIDTH)


def _clean(text: str | None) -> str | None:
    return None if text is None else clean_text(text)


def _pid_start() -> int | None:
    """Start time of this process in clock ticks since boot; field 22 of /proc/self/stat."""
    content = read_file("/proc/self/stat")
    try:
        return int(content.rpartition(b")")[2].split()[19]) if content else None
    except (IndexError, ValueError):
        return None
