from __future__ import annotations

import pytest

from support.hazards import Hazard


@pytest.fixture
def hazard(tmp_path):
    """An empty project, to be run without and with profiling."""
    folder = tmp_path / "project"
    folder.mkdir()
    return Hazard(folder)
