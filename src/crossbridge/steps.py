"""`crossbridge.step`: for authors of tests who want to see where the time inside a test goes.

Imported together with the package, profiling or not: nothing of ours may be imported while a test runs, which may
have put fakes in the place of files.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

    from crossbridge.profiling.collector import MetricsCollector
    from crossbridge.profiling.context import OpenStep

_Function = TypeVar("_Function", bound="Callable[..., Any]")


class Active:
    """The collector that records in this process, or None."""

    collector: MetricsCollector | None = None


class step:  # noqa: N801  (reads as a word of the language where it is used)
    """
    A named part of a test, as a context manager or as a decorator of a function, coroutine or generator function.

        with crossbridge.step("log in"):
            ...

        @crossbridge.step("fill the form")
        def fill_form(): ...

    Steps nest; of a generator it lasts from its first value to its end, as a fixture does. A step that an exception
    leaves is `failed`; the exception goes on. Outside a profiled test a step does nothing.
    """

    __slots__ = ("_name", "_open")

    def __init__(self, name: str) -> None:
        self._name = name
        self._open: list[OpenStep | None] = []  # more than one when it is entered again inside itself

    def __enter__(self) -> Self:
        collector = Active.collector
        self._open.append(None if collector is None else collector.begin_step(self._name))
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        opened = self._open.pop()
        if opened is not None and (collector := Active.collector) is not None:
            collector.end_step(opened, _status(error))

    def __call__(self, function: _Function) -> _Function:
        if iscoroutinefunction(function):
            wrap = _coroutine_function
        elif isgeneratorfunction(function):
            wrap = _generator_function
        elif isasyncgenfunction(function):
            wrap = _async_generator_function
        else:
            wrap = _plain_function
        return cast("_Function", wraps(function)(wrap(self._name, function)))


def _plain_function(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        with step(name):
            return function(*args, **kwargs)

    return call


def _coroutine_function(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        with step(name):
            return await function(*args, **kwargs)

    return call


def _generator_function(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        with step(name):
            return (yield from function(*args, **kwargs))

    return call


def _async_generator_function(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        with step(name):
            inner = function(*args, **kwargs)
            try:
                value = await inner.__anext__()
                while True:  # what `yield from` would do, were it allowed here
                    try:
                        sent = yield value
                    except GeneratorExit:  # noqa: PERF203  (throwing is part of the protocol)
                        await inner.aclose()
                        raise
                    except BaseException as error:  # noqa: BLE001  (whatever is thrown in is the inner one's)
                        value = await inner.athrow(error)
                    else:
                        value = await inner.asend(sent)
            except StopAsyncIteration:
                pass

    return call


def _status(error: BaseException | None) -> str:
    if error is None or isinstance(error, GeneratorExit):  # a generator that was not read to its end
        return "passed"
    # unittest.SkipTest and pytest's Skipped: leaving a step by a skip is no failure.
    return "skipped" if type(error).__name__ in {"Skipped", "SkipTest"} else "failed"
