"""What git would take of a folder."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def untracked(folder: Path) -> list[str]:
    """Files and folders that `git add` would take, had the project of them all just begun."""
    subprocess.run(["git", "init", "-q", folder], check=True)
    status = ["git", "-C", folder, "status", "--porcelain"]
    output = subprocess.run(status, check=True, capture_output=True, text=True).stdout
    return [line.removeprefix("?? ") for line in output.splitlines()]
