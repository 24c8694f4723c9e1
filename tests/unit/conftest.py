from __future__ import annotations

from itertools import count

import pytest

from crossbridge.profiling.guard import Faults


@pytest.fixture(autouse=True)
def _no_faults_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    """The errors of ours that a test provokes are counted in this process: not beyond the test."""
    monkeypatch.setattr(Faults, "first", None)
    monkeypatch.setattr(Faults, "number", 0)
    monkeypatch.setattr(Faults, "_count", count())
