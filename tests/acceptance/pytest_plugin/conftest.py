from __future__ import annotations

import pytest

from support.pytest_runs import Project


@pytest.fixture
def project(tmp_path):
    """An empty project of its own."""
    folder = tmp_path / "project"
    folder.mkdir()
    return Project(folder)
