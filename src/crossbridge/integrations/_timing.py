"""
A call into somebody's library, timed from outside and otherwise left as it is.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from crossbridge.integrations._patching import hide_frame
from crossbridge.profiling.context import Active
from crossbridge.profiling.guard import caught
from crossbridge.profiling.real import now_us

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

    from crossbridge.integrations._patching import Wrap

    # Records a call: its arguments, what it returned, when it began in microseconds of our clock, what it raised.
    Note = Callable[[tuple[Any, ...], dict[str, Any], Any, int, "BaseException | None"], None]

# Set inside a call that is timed: requests calls urllib3, and a browser's command is an HTTP call. One row is enough.
inside: ContextVar[bool] = ContextVar("crossbridge_inside", default=False)


class Timing:
    """Times what is called inside its `with`, unless it is part of a call that is being timed. Raises nothing."""

    __slots__ = ("_args", "_is_on", "_kwargs", "_note", "_started_us", "response")

    def __init__(self, note: Note, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._note = note
        self._args = args
        self._kwargs = kwargs
        self._is_on = Active.collector is not None and not inside.get()
        self.response: Any = None

    def __enter__(self, *, clock: Callable[[], int] = now_us) -> Self:
        if self._is_on:
            inside.set(True)
        self._started_us = clock()
        return self

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        if self._is_on:
            inside.set(False)
            try:
                self._note(self._args, self._kwargs, self.response, self._started_us, error)
            except Exception as fault:  # noqa: BLE001
                caught(fault, self._note.__qualname__)
        if error is not None:
            hide_frame(error)


def timed(note: Note) -> Wrap:
    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            with Timing(note, args, kwargs) as timing:
                timing.response = original(*args, **kwargs)
            return timing.response

        return call

    return wrap


def timed_coroutine(note: Note) -> Wrap:
    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            with Timing(note, args, kwargs) as timing:
                timing.response = await original(*args, **kwargs)
            return timing.response

        return call

    return wrap
