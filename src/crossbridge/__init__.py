"""Profiling for twelve test frameworks.

Importing this package imports nothing else: it may happen in any test process.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crossbridge._version import __version__

if TYPE_CHECKING:
    from crossbridge.profiling.steps import step

__all__ = ["__version__", "step"]


def __getattr__(name: str) -> Any:
    if name == "step":
        from crossbridge.profiling.steps import step  # noqa: PLC0415  (light until first used)

        globals()[name] = step
        return step
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
