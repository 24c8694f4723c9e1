"""pabot: many processes of Robot Framework that are one run.

pabot itself loads no listener. It starts a process for every suite (or test) and passes it `--variable`s; what its
processes have in common, and with no other run, is pabot's own process.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from crossbridge.profiling.real import read_file

if TYPE_CHECKING:
    from collections.abc import Callable

# One of them stands in the command line of every process pabot starts, and of what `pabot --command` puts around it.
_MARKS = (b"PABOTQUEUEINDEX:", b"_argfile.txt")


def worker(variable: Callable[[str], object]) -> str | None:
    """Return the name of the pabot process slot this process runs in, None when pabot did not start it."""
    slot = variable("${PABOTEXECUTIONPOOLID}")
    return None if slot is None else f"pabot{slot}"


def run_id() -> str | None:
    """
    Return the id that all processes of this pabot agree on.

    None where /proc does not tell when pabot began: its process number alone comes back some day.
    """
    pid = os.getppid()
    while any(mark in (read_file(f"/proc/{pid}/cmdline") or b"") for mark in _MARKS):
        pid = int(_stat(pid)[1])
    stat = _stat(pid)
    if not stat:
        return None
    boot = read_file("/proc/sys/kernel/random/boot_id") or b""
    digits = hashlib.sha256(b"pabot %d %s %s" % (pid, stat[19], boot)).hexdigest()
    # Version 8 of RFC 9562: made by a rule of one's own.
    digits = f"{digits[:12]}8{digits[13:16]}8{digits[17:32]}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _stat(pid: int) -> list[bytes]:
    """Return the fields of /proc/PID/stat from the third on: [1] is the parent, [19] the start time."""
    return (read_file(f"/proc/{pid}/stat") or b"").rpartition(b")")[2].split()
