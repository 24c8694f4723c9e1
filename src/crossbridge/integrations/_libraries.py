"""The libraries whose calls are recorded as part of the test that makes them, whichever framework runs it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossbridge.integrations import _patching, http, selenium

if TYPE_CHECKING:
    from crossbridge.profiling.collector import MetricsCollector


def watch() -> None:
    """Record HTTP calls and browser commands from now on, once however often it is called. Never raises."""
    _patching.switch_on({**http.LIBRARIES, **selenium.LIBRARIES})


def leave(collector: MetricsCollector) -> None:
    """Put the libraries back as they were, unless another still records in this process. Never raises."""
    if not collector.running:
        _patching.switch_off()
