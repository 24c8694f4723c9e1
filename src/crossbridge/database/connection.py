"""The one place where the driver's errors become ours.

with connect(target) as connection, translated(target):
    connection.execute(...)
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from math import ceil
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg.sql import SQL

from crossbridge.errors import BadData, CrossbridgeError, DatabaseError, DatabaseUnreachable, SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossbridge.database.target import Target

# 54: a limit of the server's that these data exceed, such as JSON nested too deep for its stack
_BAD_DATA = ("22", "23", "54")
_NO_SCHEMA = ("3F000", "42P01", "42883", "42703", "42704")
_CONNECTION_LOST = ("08", "57P")
_READ_ONLY = "25006"
_NOT_ALLOWED = "42501"


_PREFIX = re.compile(
    r"^(- )?(connection (failed|is bad): )?(host: .*?: )?(connection to server .*? failed: )?(FATAL: +)?"
)


class _Refusal(NamedTuple):
    """Why a connection failed, known by the text: libpq passes no SQLSTATE on. `permanent`: waiting is of no use."""

    pattern: str
    permanent: bool
    mend: str


_REFUSALS = (
    _Refusal(
        r"no password supplied",
        permanent=True,
        mend="It asks for a password: set CROSSBRIDGE_DB_PASSWORD, or add a line to ~/.pgpass.",
    ),
    _Refusal(
        r"password authentication failed|SASL authentication failed|authentication failed for user",
        permanent=True,
        mend="Check CROSSBRIDGE_DB_USER and CROSSBRIDGE_DB_PASSWORD.",
    ),
    _Refusal(
        r"role .* does not exist|no such user|is not permitted to log in",
        permanent=True,
        mend="Check CROSSBRIDGE_DB_USER, or create the user.",
    ),
    _Refusal(
        r"database .* does not exist|no such database",
        permanent=True,
        mend="Check CROSSBRIDGE_DB_NAME, or create it with 'crossbridge db init'.",
    ),
    _Refusal(
        r"permission denied for database",
        permanent=True,
        mend="Its owner lets you in with GRANT CONNECT ON DATABASE.",
    ),
    _Refusal(
        r"no pg_hba.conf entry|pg_hba.conf rejects",
        permanent=True,
        mend="Its pg_hba.conf must allow this machine, user and database.",
    ),
    _Refusal(
        r"does not support SSL|certificate|sslmode",
        permanent=True,
        mend="Check CROSSBRIDGE_DB_SSLMODE and the certificates.",
    ),
    _Refusal(
        r"starting up|shutting down|recovery mode|too many (clients|connections)|remaining connection slots",
        permanent=False,
        mend="Try again in a moment.",
    ),
    _Refusal(
        r"",
        permanent=False,
        mend="Check CROSSBRIDGE_DB_HOST and CROSSBRIDGE_DB_PORT, and that the server runs.",
    ),
)


# A server that vanishes without a word (power, network) is noticed after half a minute, not after two hours.
_KEEPALIVE: dict[str, Any] = {
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}


def connect(
    target: Target, *, timeout_s: float = 5.0, autocommit: bool = True, application_name: str = "crossbridge"
) -> psycopg.Connection[Any]:
    """
    Connect to a database; works behind PgBouncer in transaction mode too.

    `timeout_s` is the longest wait in seconds for one address of the host; the driver rounds up, to 2 at least.

    Raises:
        DatabaseUnreachable: Nobody answered, or nobody let us in; `permanent` tells them apart.
    """
    try:
        return psycopg.connect(
            **target.parameters(),
            autocommit=autocommit,
            application_name=application_name,
            connect_timeout=ceil(timeout_s),
            prepare_threshold=None,
            **_KEEPALIVE,
        )
    except (psycopg.Error, UnicodeError) as error:
        raise _unreachable(target, str(error)) from error


def begin_look(connection: psycopg.Connection[Any], snapshot: str | None = None) -> None:
    """Begin a read-only transaction that sees one state of the database, in UTC; with `snapshot`, that one's."""
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    if snapshot:
        connection.execute(SQL("SET TRANSACTION SNAPSHOT {}").format(snapshot))
    connection.execute("SET LOCAL TIME ZONE 'UTC'")
    connection.execute("SET LOCAL jit = off")  # compiling these queries takes longer than they do
    # Questions are short, and others ask meanwhile: starting workers costs more than they bring.
    connection.execute("SET LOCAL max_parallel_workers_per_gather = 0")
    connection.execute("SET LOCAL work_mem = '32MB'")  # what is sorted for one question stays in memory


@contextmanager
def translated(target: Target | str) -> Iterator[None]:
    """
    Turn what psycopg raises inside into our errors; `target` names the database in them.

    Raises:
        BadData: The values can never be stored.
        SchemaError: A table or function is missing.
        DatabaseUnreachable: The connection is lost; what was under way may have happened or not.
        DatabaseError: Any other refusal.
    """
    try:
        yield
    except psycopg.Error as error:
        raise _translate(error, target) from error


def _unreachable(target: Target, text: str) -> DatabaseUnreachable:
    # Hints are indented; with several addresses, or TLS tried first, there is a line a try, the last one's last.
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("\t")] or [
        "no reason given"
    ]
    reason = _PREFIX.sub("", lines[-1])
    refusal = next(r for r in _REFUSALS if re.search(r.pattern, text))
    return DatabaseUnreachable(
        f"database unreachable at {target}: {reason.rstrip('.')}. {refusal.mend}", permanent=refusal.permanent
    )


def _translate(error: psycopg.Error, target: Target | str) -> CrossbridgeError:
    state = error.sqlstate or ""
    said = error.diag.message_primary or str(error).strip() or type(error).__name__
    if state.startswith(_BAD_DATA) or isinstance(error, (psycopg.DataError, psycopg.IntegrityError)):
        detail = f" ({error.diag.message_detail})" if error.diag.message_detail else ""
        return BadData(said + detail)
    if state in _NO_SCHEMA:
        return SchemaError(
            f"the database {target} lacks the schema of this release: {said}. Run 'crossbridge db migrate'."
        )
    if state == _READ_ONLY:
        return DatabaseError(
            f"the database {target} is read-only: {said}. Point CROSSBRIDGE_DB_HOST at the primary server,"
            " or see default_transaction_read_only."
        )
    if state == _NOT_ALLOWED:
        return DatabaseError(
            f"the database {target} refused: {said}."
            " Log in as the schema's owner, or see 'crossbridge db roles --help' for who may do what."
        )
    if state.startswith(_CONNECTION_LOST) or (
        not state and isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))
    ):
        return DatabaseUnreachable(f"the connection to {target} is lost: {said}. Try again.")
    return DatabaseError(f"the database {target} refused: {said} ({state or type(error).__name__}).")
