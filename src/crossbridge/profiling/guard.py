"""What happens to an error of ours inside a test process: it is counted, remembered and never seen.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

# For our own tests: an error of ours fails the run.
_STRICT = os.environ.get("CROSSBRIDGE_STRICT") == "1"
_OUR_FOLDER = __file__.removesuffix("profiling/guard.py")
# Where the types of errors come from that our code, or C code it calls, can raise.
_OUR_TYPES = frozenset({"builtins", "json", "crossbridge"})


class Faults:
    """How many errors of ours were caught in this process, and the first of them."""

    first: str | None = None
    _count = count()
    number = 0

    @classmethod
    def add(cls, where: str, error: BaseException) -> None:
        cls.number = next(cls._count) + 1
        if cls.first is None:
            cls.first = f"{where}: {type(error).__name__}: {_text(error)}"[:300]


def caught(error: Exception, where: str) -> None:
    """
    Swallow an error of ours; call it from `except Exception as error` around a hook's body.

    Raises:
        Exception: The error itself, when it is the user's and only happened to land in our code (a signal handler
            or another thread raised it), or under CROSSBRIDGE_STRICT=1.
    """
    if _STRICT or _is_from_signal_handler(error) or _is_from_another_thread(error):
        raise error
    Faults.add(where, error)


def say(line: str) -> None:
    """Write a line for people to the process's own stderr, past every capture of a framework."""
    with suppress(OSError, ValueError):  # closed
        print(line, file=sys.__stderr__)


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001  (an error whose text cannot be had is still counted)
        return ""


def _is_from_signal_handler(
    error: Exception, *, getsignal: Callable[[int], Any] = signal.getsignal, numbers: int = signal.NSIG
) -> bool:
    handlers = {_code(getsignal(number)) for number in range(1, numbers)} - {None}
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code in handlers:
            return True
        traceback = traceback.tb_next
    return False


def _code(handler: Any) -> CodeType | None:
    """Return the code a signal handler runs, be it a function, a method, a partial or an object that can be called."""
    while hasattr(handler, "func"):
        handler = handler.func
    if callable(handler) and not hasattr(handler, "__code__"):
        handler = type(handler).__call__
    return getattr(handler, "__code__", None)


def _is_from_another_thread(error: Exception) -> bool:
    """Tell whether an error came out of nothing in our code: of a type that nothing raises there."""
    if type(error).__module__.partition(".")[0] in _OUR_TYPES:
        return False
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback is not None and traceback.tb_frame.f_code.co_filename.startswith(_OUR_FOLDER)
