"""Ask the database two things at the same time."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg

from crossbridge.database.connection import begin_look

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psycopg import Connection

T = TypeVar("T")


@contextmanager
def asked_beside(
    connection: Connection[Any], question: Callable[[Connection[Any]], T]
) -> Iterator[Future[T]]:
    """
    Ask in a thread, through a second connection that sees what this one sees, while this one is asked other things.

    The future raises what the driver raises.
    """
    (snapshot,) = connection.execute("SELECT pg_export_snapshot()").fetchone()  # type: ignore[misc]
    parameters: dict[str, Any] = {**connection.info.get_parameters(), "password": connection.info.password}

    def ask() -> T:
        with psycopg.connect(**parameters, prepare_threshold=None) as other:
            begin_look(other, snapshot)
            return question(other)

    with ThreadPoolExecutor(1) as thread:
        yield thread.submit(ask)
