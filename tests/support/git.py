"""What git would take of a folder."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def untracked(folder: Path) -> list[str]:
    """Files and folders that `git add` would take, had the project of them all just begun."""
    run = {"cwd": folder, "check": True, "capture_output": True, "text": True}
    subprocess.run(["git", "init", "-q"], **run)
    status = subprocess.run(["git", "status", "--porcelain"], **run)
    return [line.removeprefix("?? ") for line in status.stdout.splitlines()]
