"""
What the build of a wheel does beyond pyproject.toml: it packs sdk/ into one file, crossbridge/sdk.zip.

Each start of pytest goes through the list of a distribution's files, and only `crossbridge init` reads these.
"""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKED = ("java/*/src/main", "js/src")


class SdkArchive(BuildHookInterface[Any]):
    """Brings crossbridge/sdk.zip into wheels; an editable one leaves the sources where they are."""

    _made: tempfile.TemporaryDirectory[str] | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        self._made = tempfile.TemporaryDirectory()
        archive = Path(self._made.name) / "sdk.zip"
        _pack(Path(self.root) / "sdk", archive)
        build_data["force_include"][str(archive)] = "crossbridge/sdk.zip"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        if self._made is not None:
            self._made.cleanup()


def _pack(sdk: Path, archive: Path) -> None:
    """Write the same bytes for the same sources: in order, without dates, left to the wheel to compress."""
    found = (path for pattern in PACKED for folder in sdk.glob(pattern) for path in folder.rglob("*"))
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(path for path in found if path.is_file()):
            file.writestr(zipfile.ZipInfo(path.relative_to(sdk).as_posix()), path.read_bytes())
