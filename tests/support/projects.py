"""Projects for `crossbridge init`: what lies in a folder, to the byte."""

from __future__ import annotations

import stat
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# The smallest project of each framework that `init` writes hooks for.
PYTEST = {"tests/test_a.py": "def test_a():\n    pass\n"}
ROBOT = {"suites/a.robot": "*** Test Cases ***\nOne\n    No Operation\n"}
BEHAVE = {
    "features/a.feature": "Feature: A\n  Scenario: One\n    Given it passes\n",
    "features/steps/s.py": "from behave import given\n\n\n@given('it passes')\ndef s(context):\n    pass\n",
}


def make(root: Path, files: dict[str, str | bytes]) -> Path:
    """Write files below a folder; texts are dedented."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else textwrap.dedent(content).encode())
    return root


def tree(root: Path) -> dict[str, tuple[int, bytes | str | None]]:
    """Everything below a folder, but for git's own: mode, and content, link target or None for a folder."""
    found: dict[str, tuple[int, bytes | str | None]] = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        if name.parts[0] == ".git":
            continue
        content = str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        found[name.as_posix()] = (stat.S_IMODE(path.lstat().st_mode), content)
    return found
