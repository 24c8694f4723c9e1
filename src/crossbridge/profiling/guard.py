"""What happens to an error of ours inside a test process: it is counted, remembered and never seen.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
import signal
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import CodeType

# For our own tests: an error of ours fails the run.
_STRICT = os.environ.get("CROSSBRIDGE_STRICT") == "1"


class Faults:
    """How many errors of ours were caught in this process, and the first of them."""

    first: str | None = None
    _count = count()
    number = 0

    @classmethod
    def add(cls, where: str, error: BaseException) -> None:
        cls.number = next(cls._count) + 1
        if cls.first is None:
            cls.first = f"{where}: {type(error).__name__}: {error}"[:300]


def caught(error: Exception, where: str) -> None:
    """
    Swallow an error of ours; call it from `except Exception as error` around a hook's body.

    Raises:
        Exception: The error itself, when a signal handler of the user's raised it and it only happened to
            land in our code, or under CROSSBRIDGE_STRICT=1.
    """
    if _STRICT or _is_from_signal_handler(error):
        raise error
    Faults.add(where, error)


def _is_from_signal_handler(error: Exception, *, getsignal: object = signal.getsignal) -> bool:
    handlers: set[CodeType] = set()
    for number in signal.valid_signals():
        handler = getsignal(number)  # type: ignore[operator]
        code = getattr(getattr(handler, "__func__", handler), "__code__", None)
        if code is not None:
            handlers.add(code)
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code in handlers:
            return True
        traceback = traceback.tb_next
    return False
