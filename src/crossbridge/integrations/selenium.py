"""
Selenium: the commands that tests send to a browser, and `profile_webdriver` for drivers not found by themselves.

While a collector records, `WebDriver.execute` is wrapped, through which every command goes. Nothing is kept of what is
typed, of scripts, cookies and queries.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from functools import wraps
from types import MethodType
from typing import TYPE_CHECKING, Any, TypeVar

from crossbridge.integrations._patching import hide_frame, is_ours, patch
from crossbridge.integrations._selenium_commands import Poll, note
from crossbridge.integrations._timing import timed
from crossbridge.profiling.context import Active
from crossbridge.profiling.guard import caught

if TYPE_CHECKING:
    from collections.abc import Callable


_Driver = TypeVar("_Driver")
_MARK = "_crossbridge"


def profile_webdriver(driver: _Driver) -> _Driver:
    """
    Have the commands of this driver recorded, and return it: the same object, in which only `execute` is wrapped.

    For programs that start a `MetricsCollector` without a test framework of ours, and for drivers that are no
    `selenium.webdriver.remote.webdriver.WebDriver`. What is recorded already is left alone, and so is everything while
    no collector records. Never raises.
    """
    try:
        if Active.collector is not None:
            _wrap(getattr(driver, "wrapped_driver", driver))  # of an EventFiringWebDriver
    except Exception as error:  # noqa: BLE001
        caught(error, "profile_webdriver")
    return driver


def _wrap(driver: Any) -> None:
    execute = driver.execute
    function = getattr(execute, "__func__", None)
    if is_ours(function) or hasattr(function, _MARK):
        return
    recorded = wraps(execute)(timed(note)(lambda _driver, *args, **kwargs: execute(*args, **kwargs)))
    setattr(recorded, _MARK, True)
    driver.execute = MethodType(recorded, driver)


def patch_webdriver(module: Any) -> None:
    patch(module.WebDriver, "execute", timed(note))
    patch(module.WebDriver, "_get_cdp_details", timed(_note_nothing))  # HTTP of Selenium's own


def patch_wait(module: Any) -> None:
    for name in ("until", "until_not"):
        patch(module.WebDriverWait, name, _polling)


def patch_selenium_library(module: Any) -> None:
    patch(module.WaitingKeywords, "_wait_until_worker", _polling)


def _note_nothing(*_: object) -> None:
    pass


def _polling(original: Callable[..., Any]) -> Callable[..., Any]:
    def until(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        with _Polling():
            return original(*args, **kwargs)

    return until


class _Polling:
    """Joins what is asked repeatedly inside its `with`. A wait inside a wait is a part of it. Raises nothing."""

    _poll: Poll | None = None

    def __enter__(self) -> None:
        if Active.collector is not None and Poll.current.get() is None:
            self._poll = Poll()
            Poll.current.set(self._poll)

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        if self._poll is not None:
            Poll.current.set(None)
            try:
                self._poll.record()
            except Exception as fault:  # noqa: BLE001
                caught(fault, "selenium")
        if error is not None:
            hide_frame(error)
