"""`crossbridge.step`: for authors of tests who want to see where the time inside a test goes.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from functools import wraps
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, TypeVar, cast

from crossbridge.profiling.context import Active, OpenStep

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

_Function = TypeVar("_Function", bound="Callable[..., Any]")


class step:  # noqa: N801  (reads as a word of the language where it is used)
    """
    A named part of a test, as a context manager or as a decorator of a function or coroutine function.

        with crossbridge.step("log in"):
            ...

        @crossbridge.step("fill the form")
        def fill_form(): ...

    Steps nest. A step that an exception leaves is `failed`; the exception goes on. Outside a profiled
    test a step does nothing.
    """

    __slots__ = ("_name", "_open")

    def __init__(self, name: str) -> None:
        self._name = name
        self._open: OpenStep | None = None

    def __enter__(self) -> Self:
        if (collector := Active.collector) is not None:
            self._open = collector.begin_step(self._name)
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        opened, self._open = self._open, None
        if opened is not None and (collector := Active.collector) is not None:
            collector.end_step(opened, _status(error))

    def __call__(self, function: _Function) -> _Function:
        name = self._name
        if iscoroutinefunction(function):

            @wraps(function)
            async def call_async(*args: Any, **kwargs: Any) -> Any:
                with step(name):
                    return await function(*args, **kwargs)

            return cast("_Function", call_async)

        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with step(name):
                return function(*args, **kwargs)

        return cast("_Function", call)


def _status(error: BaseException | None) -> str:
    if error is None:
        return "passed"
    # unittest.SkipTest and pytest's Skipped: leaving a step by a skip is no failure.
    return "skipped" if type(error).__name__ in {"Skipped", "SkipTest"} else "failed"
