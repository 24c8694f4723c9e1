"""Ask the database several things on two connections at the same time."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import psycopg

from crossbridge.database.connection import begin_look

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg import Connection


def asked_on_two(connection: Connection[Any], *questions: Callable[[Connection[Any]], Any]) -> list[Any]:
    """
    Return the answers to the questions, in their order; put those that take longest first.

    They are asked through this connection and, in a thread, through a second one that sees what this one sees:
    whichever is free takes the next. Raises what the driver raises.
    """
    (snapshot,) = connection.execute("SELECT pg_export_snapshot()").fetchone()  # type: ignore[misc]
    parameters: dict[str, Any] = {**connection.info.get_parameters(), "password": connection.info.password}
    waiting = deque(enumerate(questions))
    answers: dict[int, Any] = {}

    def ask(through: Connection[Any]) -> None:
        while waiting:
            try:
                number, question = waiting.popleft()
            except IndexError:  # the other took the last one
                return
            answers[number] = question(through)

    def ask_beside() -> None:
        with psycopg.connect(**parameters, prepare_threshold=None) as other:
            begin_look(other, snapshot)
            ask(other)

    with ThreadPoolExecutor(1) as thread:
        beside = thread.submit(ask_beside)
        try:
            ask(connection)
        finally:
            waiting.clear()
        beside.result()
    return [answers[number] for number in range(len(questions))]
