"""Programs that tests need. Where one is missing a test is skipped, and fails in CI."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

IN_CI = "CROSSBRIDGE_CI" in os.environ  # read at import: fixtures clean the environment


def need(*programs: str, packages: str) -> None:
    """Go on only when all programs are on PATH; `packages` are Debian's that have them."""
    if missing := [program for program in programs if shutil.which(program) is None]:
        give_up(f"{' and '.join(missing)} not on PATH: apt-get install {packages}")


def give_up(reason: str) -> NoReturn:
    """Skip this test, or fail it in CI."""
    if IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)
