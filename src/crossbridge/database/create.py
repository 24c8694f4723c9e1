"""Make the database itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from crossbridge.database.connection import connect, translated
from crossbridge.errors import DatabaseError, DatabaseUnreachable, UsageError

if TYPE_CHECKING:
    from crossbridge.database.target import Target

MAINTENANCE = "postgres"  # where one connects to create another


def ensure_database(target: Target) -> bool:
    """
    Create the target's database unless it is there; true when it was created.

    Raises:
        DatabaseUnreachable: Nobody answered, or let us in.
        DatabaseError: The user may not create databases.
    """
    try:
        connect(target).close()
    except DatabaseUnreachable as refusal:
        return _create(target, refusal)
    return False


def _create(target: Target, refusal: DatabaseUnreachable) -> bool:
    if target.dbname is None:
        raise UsageError("which database? Set CROSSBRIDGE_DB_NAME.") from refusal
    try:
        admin = connect(replace(target, dbname=MAINTENANCE))
    except DatabaseUnreachable:
        raise refusal from None
    with admin, translated(target):
        # The server may have refused for another reason than a missing database.
        if admin.execute("SELECT FROM pg_database WHERE datname = %s", (target.dbname,)).fetchone():
            raise refusal
        statement = sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0")
        try:
            admin.execute(statement.format(sql.Identifier(target.dbname)))
        except psycopg.errors.DuplicateDatabase:
            return False
        except psycopg.errors.InsufficientPrivilege as error:
            raise DatabaseError(
                f"user {admin.info.user} may not create the database {target.dbname} at {target.host}:{target.port}."
                " Let an administrator create it, with that user as its owner."
            ) from error
    return True
