"""What runs on this machine, read from /proc."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def command_lines() -> dict[int, list[str]]:
    """Every process's arguments; zombies and kernel threads have none and are left out."""
    found = {}
    for pid in _pids():
        if text := read_quietly(pid, "cmdline"):
            found[pid] = text.rstrip("\0").split("\0")
    return found


def postmasters(data_dir: Path) -> list[int]:
    """Process ids of the servers started on `data_dir`: the processes with a -D, not their children."""
    return [
        pid
        for pid, arguments in command_lines().items()
        if arguments[0].endswith("/postgres") and arguments[1:3] == ["-D", str(data_dir / "cluster")]
    ]


def read_quietly(pid: int, name: str) -> str:
    """Text of /proc/PID/NAME, empty when the process is gone."""
    try:
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except OSError:
        return ""


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
