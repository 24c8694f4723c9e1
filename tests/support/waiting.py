"""Waiting without sleeping blindly."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def until(check: Callable[[], T], timeout_s: float = 30, every_s: float = 0.005) -> T:
    """Call `check` until its answer is true, and return that answer; fails when it never is."""
    deadline = time.monotonic() + timeout_s
    while not (answer := check()):
        assert time.monotonic() < deadline, f"still {answer!r} after {timeout_s} s"
        time.sleep(every_s)
    return answer
