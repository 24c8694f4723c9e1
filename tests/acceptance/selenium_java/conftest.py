from __future__ import annotations

import pytest

from support.needs import need


@pytest.fixture(autouse=True, scope="session")
def _browser():
    """Chromium and its driver, as Debian has them; in CI they must be there."""
    need("chromium", "chromedriver", packages="chromium chromium-driver")
