"""What the integrations share."""

from __future__ import annotations

import pytest

from crossbridge.integrations._session import guarded, relative_file
from crossbridge.profiling.guard import Faults


def test_guarded_hook_swallows_and_counts_errors(monkeypatch):
    monkeypatch.setattr(Faults, "first", None)

    @guarded
    def hook():
        raise ValueError("ours")

    before = Faults.number
    assert hook() is None
    assert Faults.number == before + 1
    assert Faults.first.endswith("hook: ValueError: ours")


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_guarded_hook_lets_go_what_is_no_error(error):
    @guarded
    def hook():
        raise error

    with pytest.raises(error):
        hook()


@pytest.mark.parametrize(
    ("path", "root", "seen"),
    [
        ("/home/ann/shop/tests/a.robot", "/home/ann/shop", "tests/a.robot"),
        ("/home/ann/shop2/a.robot", "/home/ann/shop", "../shop2/a.robot"),
        ("/home/ann/a.robot", "/home/ann/shop", "../a.robot"),
        ("/tests/a.robot", "/", "tests/a.robot"),
    ],
)
def test_file_is_told_as_seen_from_the_project_root(path, root, seen):
    assert relative_file(path, root) == seen
