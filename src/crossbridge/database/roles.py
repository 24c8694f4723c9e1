"""Who may do what: the group roles `crossbridge_writer` (shippers) and `crossbridge_reader` (Grafana, the CLI)."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from crossbridge.database.connection import translated
from crossbridge.errors import DatabaseError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crossbridge.database.target import Target

WRITER, READER = "crossbridge_writer", "crossbridge_reader"


def grant_roles(
    connection: psycopg.Connection[Any],
    target: Target,
    writers: Iterable[str] = (),
    readers: Iterable[str] = (),
) -> None:
    """
    Make the two roles, give them their rights in this database, and make users members of them; all or nothing.

    Doing it again does no harm. Run it as the owner of the schema.

    Raises:
        UsageError: There is no user of that name.
        DatabaseError: The user may not do this, or the schema is missing (SchemaError).
    """
    members = [(WRITER, user) for user in writers] + [(READER, user) for user in readers]
    with translated(target):
        try:
            with connection.transaction():
                for name in ("roles.sql", "rights.sql"):
                    connection.execute((files("crossbridge.database") / name).read_bytes())
                for role, user in members:
                    _add_member(connection, role, user)
        except psycopg.errors.InsufficientPrivilege as error:
            raise DatabaseError(
                f"user {connection.info.user} may not set up roles in {target}: {error.diag.message_primary}."
                f" Let an administrator run 'CREATE ROLE {WRITER}; CREATE ROLE {READER}', and run this as the"
                " owner of the schema."
            ) from error


def _add_member(connection: psycopg.Connection[Any], role: str, user: str) -> None:
    try:
        connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), sql.Identifier(user)))
    except psycopg.errors.UndefinedObject as error:
        raise UsageError(
            f"there is no database user {user!r}. Create it first: CREATE ROLE name LOGIN PASSWORD '...'."
        ) from error
