"""Run a named query and read its rows as a result type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct
from psycopg.rows import class_row

from crossbridge.database.queries import query

if TYPE_CHECKING:
    from psycopg import Connection

    from crossbridge.analysis.scope import RunScope, Scope

# A test that several workers ran, or that ran several times as its first attempt, is shown with the worst outcome.
WORST_FIRST = ["failed", "error", "interrupted", "xpassed", "passed", "xfailed", "skipped"]


R = TypeVar("R", bound=Struct)


def rows(
    connection: Connection[Any],
    name: str,
    result: type[R],
    scope: Scope | RunScope | None = None,
    **more: Any,
) -> list[R]:
    """Return the rows of the query `name`, whose columns are the fields of `result`."""
    parameters = scope.parameters(**more) if scope else more
    with connection.cursor(row_factory=class_row(result)) as cursor:
        # Never prepared: a plan that is to serve any window and filter reads every row of a large database.
        # Binary: arrays of numbers are read much faster.
        return cursor.execute(query(name), parameters, prepare=False, binary=True).fetchall()
