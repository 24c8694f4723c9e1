from __future__ import annotations

import os
import shutil

import pytest


@pytest.fixture(autouse=True, scope="session")
def _browser():
    """Chromium and its driver, as Debian has them; in CI they must be there."""
    missing = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    if missing:
        is_ci = os.environ.get("CROSSBRIDGE_CI")
        reason = f"{' and '.join(missing)} not on PATH: apt-get install chromium chromium-driver"
        (pytest.fail if is_ci else pytest.skip)(reason)
