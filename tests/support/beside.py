"""Write into a database while something else goes on in it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from crossbridge.database.connection import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg import Connection

    from crossbridge.database.target import Target

WRITERS, OTHERS = 3, 2


def write_beside(
    target: Target,
    write: Callable[[Connection[Any], int], object],
    other: Callable[[Connection[Any]], object],
) -> list[BaseException]:
    """
    Let three threads `write`, each with its number, and two do the `other` thing again and again until they are done.

    Each has a connection of its own. Returns what any of them raised.
    """
    failures: list[BaseException] = []
    written = threading.Event()

    def write_all(number: int) -> None:
        try:
            with connect(target) as connection:
                write(connection, number)
        except BaseException as error:
            failures.append(error)

    def repeat_other() -> None:
        try:
            with connect(target) as connection:
                while not written.is_set():
                    other(connection)
        except BaseException as error:
            failures.append(error)

    writers = [threading.Thread(target=write_all, args=(number,)) for number in range(WRITERS)]
    others = [threading.Thread(target=repeat_other) for _ in range(OTHERS)]
    for thread in writers + others:
        thread.start()
    for thread in writers:
        thread.join()
    written.set()
    for thread in others:
        thread.join()
    return failures
