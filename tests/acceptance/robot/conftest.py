from __future__ import annotations

import pytest

from support.framework_runs import Suite

pytest.importorskip("robot")


@pytest.fixture
def example(tmp_path):
    """A copy of examples/robot."""
    return Suite(tmp_path / "shop", example="robot")


@pytest.fixture
def suite(tmp_path):
    """An empty project."""
    return Suite(tmp_path / "project")
