"""The files of a project that may tell of a test framework: a bounded walk past what is installed or built."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

_PASSED_OVER = frozenset(
    {
        "node_modules",
        "site-packages",
        "venv",
        "env",
        "build",
        "dist",
        "target",
        "bin",
        "obj",
        "vendor",
        "__pycache__",
    }
)
_MOST_ENTRIES = 100_000
_MOST_FOLDERS_DEEP = 12
_MOST_BYTES = 1 << 20


@dataclass
class Survey:
    """Files by the folder they lie in; paths are relative to `root`."""

    root: Path
    folders: dict[Path, list[str]] = field(default_factory=dict)
    complete: bool = True

    def named(self, *patterns: str) -> list[Path]:
        """Return the files whose name matches one of the patterns; those nearest to the root first, then by name."""
        found = [
            folder / name
            for folder, names in self.folders.items()
            for name in names
            if any(_matches(name, pattern) for pattern in patterns)
        ]
        return sorted(found, key=lambda path: (len(path.parts), path))

    def holds(self, folder: Path, pattern: str) -> bool:
        """Tell whether a folder itself holds a file whose name matches."""
        return any(_matches(name, pattern) for name in self.folders.get(folder, ()))

    def text(self, path: Path) -> str:
        """Return the beginning of a file; nothing when it cannot be read."""
        try:
            with (self.root / path).open("rb") as file:
                return file.read(_MOST_BYTES).decode("utf-8", "replace").removeprefix("\ufeff")
        except OSError:
            return ""


def _matches(name: str, pattern: str) -> bool:
    head, star, tail = pattern.partition("*")
    if not star:
        return name == pattern
    return name.startswith(head) and name.endswith(tail) and len(name) >= len(head) + len(tail)


def survey(root: Path) -> Survey:
    """Walk through a project: no hidden folders, no symbolic links to folders, nothing that others have installed."""
    found = Survey(root)
    entries = 0
    for here, folders, files in os.walk(root):
        folder = Path(here).relative_to(root)
        entries += len(folders) + len(files)
        if entries > _MOST_ENTRIES:
            found.complete = False
            break
        folders[:] = sorted(name for name in folders if _is_ours(here, name))
        if len(folder.parts) >= _MOST_FOLDERS_DEEP:
            folders.clear()
        found.folders[folder] = sorted(files)
    return found


def _is_ours(here: str, name: str) -> bool:
    if name.startswith(".") or name.lower() in _PASSED_OVER or name.endswith(".egg-info"):
        return False
    return not os.path.exists(os.path.join(here, name, "pyvenv.cfg"))  # noqa: PTH110, PTH118
