"""
From a browser's commands to rows: what a command was aimed at, and one row for what a wait asks again and again.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

from crossbridge.profiling.context import Active
from crossbridge.profiling.identity import endpoint
from crossbridge.profiling.real import now_us

if TYPE_CHECKING:
    from collections.abc import Mapping

# How Selenium's own scripts begin: `is_displayed` and `get_attribute` of the element that is their first argument.
_OWN_SCRIPTS = ("/* isDisplayed */", "/* getAttribute */")
# The locators of so many elements are remembered, and so many of one `find_elements`.
_ELEMENTS, _ELEMENTS_OF_ONE_FIND = 5000, 200


class Command(NamedTuple):
    """A command that has been carried out, or was `retry_count` times until now. Microseconds of our own clock."""

    name: str
    target: str | None
    started_us: int
    ended_us: int
    error: str | None
    retry_count: int = 0

    def record(self) -> None:
        if (collector := Active.collector) is not None:
            collector.record_driver_command(
                self.name,
                self.ended_us - self.started_us,
                target=self.target,
                retry_count=self.retry_count,
                error=self.error,
                at_us=self.ended_us,
            )


class Poll:
    """
    The commands of one wait: what is asked repeatedly of the same target is one command, from the first to the last.

    It is recorded when the wait ends, as a command is when it ends.
    """

    current: ContextVar[Poll | None] = ContextVar("crossbridge_poll", default=None)

    def __init__(self) -> None:
        self._commands: dict[tuple[Any, ...], Command] = {}

    def add(self, command: Command, params: Mapping[str, Any]) -> None:
        # The texts of scripts tell them apart; elements without a locator tell themselves apart.
        key = (
            command.name,
            command.target,
            params.get("id") if command.target is None else None,
            params.get("script"),
        )
        if (first := self._commands.get(key)) is not None:
            command = command._replace(started_us=first.started_us, retry_count=first.retry_count + 1)
        self._commands[key] = command

    def record(self) -> None:
        for command in sorted(self._commands.values(), key=lambda command: command.ended_us):
            command.record()


class Elements:
    """Under which locator an element was found. Ids of elements are not used twice, whatever the session."""

    _locators: dict[str, str] = {}  # noqa: RUF012  (one for the process)

    @classmethod
    def locator(cls, element_id: object) -> str | None:
        """Return how an element was found, by its id; None for whatever else there is."""
        return cls._locators.get(element_id) if isinstance(element_id, str) else None

    @classmethod
    def remember(cls, found: Any, locator: str) -> None:
        if len(cls._locators) > _ELEMENTS:
            cls._locators.clear()
        for element in found[:_ELEMENTS_OF_ONE_FIND] if isinstance(found, list) else (found,):
            element_id = getattr(element, "_id", None)
            if isinstance(element_id, str):
                cls._locators[element_id] = locator


def note(
    args: tuple[Any, ...], kwargs: dict[str, Any], response: Any, started_us: int, error: BaseException | None
) -> None:
    """Record a call of `WebDriver.execute(self, driver_command, params=None)`."""
    name = args[1] if len(args) > 1 else kwargs.get("driver_command")
    params = (args[2] if len(args) > 2 else kwargs.get("params")) or {}  # noqa: PLR2004
    if not isinstance(name, str):  # BiDi, over a connection of its own
        return
    target = target_of(params)
    if target is not None and "using" in params and isinstance(response, dict):
        Elements.remember(response.get("value"), target)
    command = Command(name, target, started_us, now_us(), None if error is None else type(error).__name__)
    poll = Poll.current.get()
    if poll is None:
        command.record()
    else:
        poll.add(command, params)


def target_of(params: Mapping[str, Any]) -> str | None:
    """
    Return what a command is aimed at: a locator, that of the element, a page without its query, a CDP method.

    Everything else that a command is told is a value, and stays out.
    """
    if "using" in params:
        return f"{params['using']}={params.get('value')}"
    if isinstance(url := params.get("url"), str):
        return endpoint(url)
    if isinstance(method := params.get("cmd"), str):
        return method
    if isinstance(script := params.get("script"), str) and script.startswith(_OWN_SCRIPTS):
        element = next(iter(params.get("args") or ()), None)
        return Elements.locator(getattr(element, "_id", None))
    return Elements.locator(params.get("id"))
