"""Whether the process that wrote a segment still lives (`spec/segment.md`, rules for readers)."""

from __future__ import annotations

import os
import time
from pathlib import Path

# A writer on another machine, or one that cannot be told from a later process of the same number, is taken for gone
# when its file has not changed for this long.
IDLE_LIMIT_S = 600.0

_GONE_STATES = (b"Z", b"X", b"x")


def is_alive(*, host: str | None, pid: int | None, pid_start: int | None, changed_at_s: float) -> bool:
    """
    Tell whether a segment's writer may still append to it.

    `host`, `pid` and `pid_start` stand in the segment's header; `changed_at_s` is the file's modification time, seconds
    since 1970.
    """
    if pid is not None and host == os.uname().nodename:
        known = _is_running(pid, pid_start)
        if known is not None:
            return known
    return time.time() - changed_at_s < IDLE_LIMIT_S


def _is_running(pid: int, pid_start: int | None) -> bool | None:
    """Tell whether `pid` is the process that started `pid_start` ticks after boot; None when that cannot be known."""
    try:
        os.kill(max(pid, 1), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):  # another user's process, or no process number at all
        pass
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:  # not Linux, or hidden from us
        return None
    # The second field is the program's name in parentheses, and may hold spaces and parentheses itself.
    state, *rest = stat.rpartition(b")")[2].split()
    if state in _GONE_STATES:
        return False
    return None if pid_start is None else int(rest[18]) == pid_start
