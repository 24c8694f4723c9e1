"""Whether the database can be reached, lets us do what we must, and gets events."""

from __future__ import annotations

import socket
import statistics
import time
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from crossbridge.cli._common import is_local
from crossbridge.cli._text import ago, counted, size
from crossbridge.cli.diagnosis import Check
from crossbridge.database.connection import connect, translated
from crossbridge.database.migrate import LATEST, MINIMUM_SERVER, mend_of_older, schema_version
from crossbridge.database.queries import query
from crossbridge.errors import CrossbridgeError, ServerError
from crossbridge.profiling.storage import target_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from crossbridge.database.target import Target
    from crossbridge.profiling.models import ProfileConfig

TIMEOUT_S = 5.0
SLOW_ROUND_TRIP_MS = 50.0
CLOCK_SKEW = timedelta(seconds=30)
OLD_DATA = timedelta(days=1)
NEARLY_ALL = 0.9
_TRIPS = 5
_check = partial(Check, "database")


def checks(config: ProfileConfig) -> Iterator[Check]:
    """Knock, log in, and look around; each step needs the one before."""
    if is_local(config):
        check, target = _embedded(config)
        yield check
        if target is None:
            return
    else:
        target = target_of(config)
        network = _network(target)
        if network:
            yield network
            if network.verdict == "fail":
                return
    try:
        with connect(target, timeout_s=TIMEOUT_S) as connection, translated(target):
            yield from _checks_inside(connection, target, config)
    except CrossbridgeError as error:
        what, _, mend = str(error).partition(". ")
        yield _check("login", "fail", what, mend or "See the server's log.")


def _embedded(config: ProfileConfig) -> tuple[Check, Target | None]:
    from crossbridge.database.embedded.binaries import find_binaries
    from crossbridge.database.server import EmbeddedServer

    found = EmbeddedServer(config.data_dir, database=config.postgres_database).status()
    data = f"{size(found.data_bytes)} of data in {found.data_dir}"
    if found.running:
        return _check("embedded", "ok", f"PostgreSQL {found.version} runs, {data}"), found.target
    try:
        find_binaries(None)
    except ServerError as error:
        return _check("embedded", "fail", f"not running: {error}", "Or set CROSSBRIDGE_DB_HOST."), None
    mend = "Start it with 'crossbridge up'; commands that read start it too."
    return _check("embedded", "warn", f"not running, {data}", mend), None


def _network(target: Target) -> Check | None:
    """Open a plain connection; None where libpq knows better than we what to connect to."""
    if not target.host or target.host.startswith(("/", "@")) or "," in target.host:
        return None
    where = f"{target.host}:{target.port or 5432}"
    began = time.perf_counter()
    try:
        socket.create_connection((target.host, target.port or 5432), TIMEOUT_S).close()
    except socket.gaierror as error:
        seen = f"{target.host} has no address ({error.strerror})"
        return _check("network", "fail", seen, "Check CROSSBRIDGE_DB_HOST.")
    except TimeoutError:
        mend = (
            f"A firewall may drop the packets: let this machine reach {where}, or check CROSSBRIDGE_DB_HOST."
        )
        return _check("network", "fail", f"no answer from {where} in {TIMEOUT_S:g} s", mend)
    except ConnectionRefusedError:
        mend = "Start PostgreSQL there with listen_addresses set, or check CROSSBRIDGE_DB_HOST and CROSSBRIDGE_DB_PORT."
        return _check("network", "fail", f"{where} refused: nothing listens there", mend)
    except OSError as error:
        mend = "Check the route to it, and CROSSBRIDGE_DB_HOST."
        return _check("network", "fail", f"{where}: {error.strerror or error}", mend)
    return _check("network", "ok", f"{where} answers in {1000 * (time.perf_counter() - began):.1f} ms")


def _checks_inside(connection: Connection[Any], target: Target, config: ProfileConfig) -> Iterator[Check]:
    facts = _row(connection, "server_facts")
    yield _server(facts, target)
    yield _clock(facts)
    yield _round_trip(connection)
    version = schema_version(connection)
    yield _schema(version)
    if version:
        privileges = _row(connection, "privileges")
        yield from _privileges(privileges, facts, records=config.enabled)
        if privileges["usage"] and privileges["read"]:
            yield from _arrivals(_row(connection, "arrivals"))


def _row(connection: Connection[Any], name: str) -> dict[str, Any]:
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(query(name)).fetchone()
    assert row is not None  # noqa: S101  (none of these queries has no row)
    return row


def _server(facts: dict[str, Any], target: Target) -> Check:
    seen = f"PostgreSQL {facts['version']} at {target}, as {facts['role']}"
    if facts["major"] < MINIMUM_SERVER:
        return _check("login", "fail", seen, f"PostgreSQL {MINIMUM_SERVER} or later is needed.")
    used = f"{facts['connections']} of {counted(facts['max_connections'], 'connection')} in use"
    if facts["connections"] > NEARLY_ALL * facts["max_connections"]:
        mend = "Raise max_connections, put PgBouncer in front, or lower CROSSBRIDGE_DB_POOL_MAX."
        return _check("login", "warn", f"{seen}, {used}", mend)
    return _check("login", "ok", f"{seen}, {used}")


def _clock(facts: dict[str, Any]) -> Check:
    skew = datetime.now(timezone.utc) - facts["now"]
    seconds = abs(skew.total_seconds())
    if abs(skew) > CLOCK_SKEW:
        way = "ahead of" if skew > timedelta(0) else "behind"
        mend = "Set it by NTP: results are filed by the clock of the machine that ran the tests."
        return _check("clock", "warn", f"this machine is {seconds:.0f} s {way} the server", mend)
    return _check("clock", "ok", f"{seconds:.1f} s apart from the server's")


def _round_trip(connection: Connection[Any]) -> Check:
    times = []
    for _ in range(_TRIPS):
        began = time.perf_counter()
        connection.execute("SELECT 1")
        times.append(1000 * (time.perf_counter() - began))
    seen = f"{statistics.median(times):.1f} ms"
    if statistics.median(times) > SLOW_ROUND_TRIP_MS:
        mend = "Tests do not wait for it; with many events, raise CROSSBRIDGE_BATCH_SIZE so that fewer trips are made."
        return _check("round trip", "warn", seen, mend)
    return _check("round trip", "ok", seen)


def _schema(version: int) -> Check:
    if version == 0:
        return _check("schema", "fail", "there is no schema crossbridge", "Run 'crossbridge db init'.")
    if version < LATEST:
        seen = f"at version {version}, this release needs {LATEST}"
        return _check("schema", "fail", seen, mend_of_older(version))
    if version > LATEST:
        seen = f"at version {version}, this release knows {LATEST}"
        return _check("schema", "warn", seen, "Update with: pip install --upgrade crossbridge")
    return _check("schema", "ok", f"at version {version}")


def _privileges(privileges: dict[str, Any], facts: dict[str, Any], *, records: bool) -> Iterator[Check]:
    role, roles = facts["role"], "See 'crossbridge db roles --help'."
    if facts["read_only"]:
        mend = "Point CROSSBRIDGE_DB_HOST at the primary server, or see default_transaction_read_only."
        yield _check("write", "fail" if records else "warn", "the database is read-only", mend)
    elif privileges["usage"] and privileges["write"]:
        yield _check("write", "ok", f"{role} may deliver events")
    else:
        yield _check("write", "fail" if records else "warn", f"{role} may not deliver events", roles)
    if privileges["usage"] and privileges["read"]:
        yield _check("read", "ok", f"{role} may read results")
    else:
        yield _check("read", "warn", f"{role} may not read results", roles)


def _arrivals(arrivals: dict[str, Any]) -> Iterator[Check]:
    newest = arrivals["newest"]
    if newest is None:
        yield _check(
            "arrivals",
            "warn",
            "no event has ever arrived",
            "Run tests, or 'crossbridge demo'.",
        )
        return
    seen = f"the newest event happened {ago(newest)}; {counted(arrivals['runs'], 'run')} in the last 7 days"
    if datetime.now(timezone.utc) - newest > OLD_DATA:
        mend = "If tests ran since, see 'switch' and 'waiting' on the machine that ran them."
        yield _check("arrivals", "warn", seen, mend)
    else:
        yield _check("arrivals", "ok", seen)
    dropped, collected = arrivals["dropped"], arrivals["collected"]
    share = f"{dropped:,} of {counted(collected, 'event')} dropped in the last 7 days"
    if dropped:
        mend = "Spools were full, or events were refused: see 'crossbridge runs --json', and 'room' on those machines."
        yield _check("dropped", "warn", share, mend)
    else:
        yield _check("dropped", "ok", share)
