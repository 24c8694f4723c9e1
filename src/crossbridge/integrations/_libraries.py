"""The libraries whose calls are recorded as part of the test that makes them, whichever framework runs it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from crossbridge.integrations import _patching

if TYPE_CHECKING:
    from crossbridge.profiling.collector import MetricsCollector

# By the module whose import brings what is patched: our module that knows it, imported then, and its function.
_PATCHED_BY = {
    "requests": ("http", "patch_requests"),
    "urllib3": ("http", "patch_urllib3"),
    "httpx": ("http", "patch_httpx"),
    "aiohttp": ("http", "patch_aiohttp"),
    "selenium.webdriver.remote.webdriver": ("selenium", "patch_webdriver"),
    "selenium.webdriver.support.wait": ("selenium", "patch_wait"),
    "SeleniumLibrary.keywords.waiting": ("selenium", "patch_selenium_library"),
}


def watch() -> None:
    """Record HTTP calls and browser commands from now on, once however often it is called. Never raises."""
    _patching.switch_on(dict.fromkeys(_PATCHED_BY, _install))


def leave(collector: MetricsCollector) -> None:
    """Put the libraries back as they were, unless another still records in this process. Never raises."""
    if not collector.running:
        _patching.switch_off()


def _install(library: Any) -> None:
    module, function = _PATCHED_BY[library.__name__]
    name = f"crossbridge.integrations.{module}"
    __import__(name)
    getattr(sys.modules[name], function)(library)
