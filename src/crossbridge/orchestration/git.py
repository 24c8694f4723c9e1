"""What git knows of a file: whether it holds changes that no commit has."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_TIMEOUT_S = 20


def has_uncommitted_changes(path: Path) -> bool:
    """Tell whether a tracked file differs from the last commit. False without git or a repository."""
    command = ["git", "status", "--porcelain", "-z", "--untracked-files=no", "--", f"./{path.name}"]
    # Settings of a git that has called us (a hook) are about another folder than the file's.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        ended = subprocess.run(
            command,
            cwd=path.parent,
            env=environ | {"GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ended.returncode == 0 and ended.stdout != b""
