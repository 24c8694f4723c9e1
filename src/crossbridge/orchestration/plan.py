"""What `init` and `init --remove` would do to a project: changes to carry out, remarks, and reasons not to."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crossbridge.orchestration.files import Change, read

if TYPE_CHECKING:
    from pathlib import Path

    from crossbridge.orchestration.detection import Found

_WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


@dataclass
class Plan:
    """All or nothing: with a refusal in it, no change may be carried out. Paths in texts are relative to `root`."""

    root: Path
    found: list[Found] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def name(self, path: Path) -> str:
        """Return a path as the texts name it."""
        return path.relative_to(self.root).as_posix()

    def refuse(self, path: Path | str, reason: str) -> None:
        self.refusals.append(f"{path if isinstance(path, str) else self.name(path)} {reason}")

    def read(self, path: Path) -> bytes | None:
        """Return what a file holds; anything but a file of the project's that we may read is a reason to refuse."""
        try:
            if not path.resolve().is_relative_to(self.root.resolve()):
                self.refuse(
                    path, f"is a link to {path.resolve()}, outside the project. Make it a file of its own."
                )
            elif path.exists() and not path.is_file():
                self.refuse(path, "is not a file. Move it away.")
            elif path.is_symlink() and not path.exists():
                self.refuse(path, "is a link to nothing. Remove it.")
            else:
                return read(path)
        except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle, before Python 3.13
            self.refuse(
                path, f"cannot be read ({getattr(error, 'strerror', None) or error}). Mend its permissions."
            )
        return None

    def change(
        self,
        path: Path,
        before: bytes | None,
        after: bytes | None,
        purpose: str,
        *,
        secret: bool = False,
        within: Path | None = None,
        shown_as: Path | None = None,
    ) -> None:
        """
        Add a change, unless it is none or the file is not to be written.

        `secret`, `within` and `shown_as` are those of `Change`.
        """
        if before == after:
            return
        if before is not None and not _is_writable(path):
            self.refuse(path, f"is read-only. Make it writable: chmod u+w {self.name(path)}")
            return
        folder = next(folder for folder in path.parents if folder.exists())
        if not os.access(folder, os.W_OK):
            self.refuse(path, "lies in a folder that is read-only. Make it writable.")
            return
        # A link inside the project stays one: what it points to is written.
        within = within and within.resolve()
        self.changes.append(Change(path.resolve(), before, after, purpose, secret, within, shown_as))


def _is_writable(path: Path) -> bool:
    """Root may write to any file; a file that nobody was meant to write to is left alone by us all the same."""
    return bool(path.stat().st_mode & _WRITABLE) and os.access(path, os.W_OK)
