"""The embedded server: a real PostgreSQL on 127.0.0.1, for people who have none.

It is started by a command and outlives it. Whether it serves is found out by logging in, whether it is
dead by a lock its processes hold; a process id alone is never believed.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from crossbridge.database.embedded.account import Account
from crossbridge.database.embedded.binaries import find_binaries, reachable
from crossbridge.database.embedded.cluster import clear_left_overs, create_cluster
from crossbridge.database.embedded.home import DATABASE, Home, default_data_dir, port_is_free
from crossbridge.database.embedded.lock import FileLock, moments
from crossbridge.database.embedded.postmaster import Answer, ask, launch, send_stop
from crossbridge.errors import ServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from crossbridge.database.target import Target

MAINTENANCE = "postgres"  # there from the first moment; ours is not, when the first start was cut short
START_TIMEOUT_S = 120.0  # crash recovery replays up to 1 GB of write-ahead log
STOP_TIMEOUT_S = 120.0  # a shutdown writes all changed pages
ORPHANS_TIMEOUT_S = 10.0  # the children of a killed server notice within a second
PORT_ATTEMPTS = 5


@dataclass(frozen=True)
class ServerStatus:
    """How a server fares. `target`, `version` and `pid` are None while it does not serve."""

    running: bool
    data_dir: Path
    log: Path
    password_file: Path
    data_bytes: int
    target: Target | None = None
    version: str | None = None
    pid: int | None = None


def running_target(data_dir: Path | None = None, database: str | None = None) -> Target | None:
    """
    Return a database of the embedded server, by default ours, if the server is running, else None.

    Starts, creates and waits for nothing: about a millisecond when nothing runs. A server that is
    starting, or recovering from a crash, does not count as running.

    Raises:
        ServerError: The folder is somebody else's.
    """
    return EmbeddedServer(data_dir, database=database).running_target()


class EmbeddedServer:
    """
    The server of one data directory. Any number of processes may call any method at once.

    Args:
        data_dir: None is CROSSBRIDGE_DATA_DIR, else the user's own data folder.
        database: The one of its databases that is meant, by default `crossbridge`.
        port: None is the port used before, or a free one.
        settings: Server settings on top of ours.
        progress: Called many times a second with a short text while a call waits.
    """

    def __init__(
        self,
        data_dir: Path | None = None,
        *,
        database: str | None = None,
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
        progress: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self._home = Home((data_dir or default_data_dir()).resolve())
        self._database = database or DATABASE
        self._port = port
        self._settings = dict(settings or {})
        self._progress = progress

    def start(self) -> Target:
        """
        Start the server unless it runs, and return its database, which exists on return.

        Raises:
            ServerError: It cannot run here; the message says why and what to do.
        """
        with self._readable_errors("start"):
            self._home.claim()
            with self._alone():
                if not self._ready():
                    self._bring_up()
                return self._with_database()

    def stop(self, *, immediate: bool = False) -> bool:
        """
        Stop the server and wait until its last process is gone; false when it was not running.

        What was committed is on disk either way; after an immediate stop the next start recovers.

        Raises:
            ServerError: It does not stop, or is out of reach, as in another container.
        """
        with self._readable_errors("stop"):
            if not self._home.start_lock.exists():
                return False
            with self._alone():
                return self._bring_down(immediate=immediate)

    def running_target(self) -> Target | None:
        """See the function of this name."""
        with self._readable_errors("ask"):
            return self._home.target(self._database) if ask(self._home, DATABASE) is Answer.READY else None

    def status(self) -> ServerStatus:
        """
        Tell what can be seen without changing anything.

        Raises:
            ServerError: The folder is somebody else's.
        """
        home = self._home
        target = self.running_target()
        with self._readable_errors("ask"):
            status = ServerStatus(
                target is not None, home.path, home.log, home.password_file, home.data_bytes()
            )
            if target is None:
                return status
            with psycopg.connect(**replace(target, dbname=DATABASE).parameters()) as connection:
                version = connection.info.parameter_status("server_version")
            return replace(status, target=target, version=version, pid=home.postmaster_pid())

    def _bring_up(self) -> None:
        lock = self._outwait_the_dead()
        if lock is None:
            return
        with lock:
            clear_left_overs(self._home)
            account = self._account()
            binaries = reachable(find_binaries(self._home.cluster_major()), account, self._home.binaries)
            if not self._home.cluster.exists():
                self._progress("Creating the database files")
                create_cluster(self._home, account, binaries, lock)
            for _ in range(PORT_ATTEMPTS):
                port = self._home.choose_port(self._port)
                crashed = self._home.postmaster_pid() is not None
                log_length = launch(self._home, account, binaries, lock, self._settings | {"port": str(port)})
                if self._becomes_ready(
                    lock, "Recovering after a crash" if crashed else "Starting PostgreSQL"
                ):
                    return
                if port_is_free(port):  # it did not fail for a port that somebody was quicker to take
                    break
        raise ServerError(
            f"the server ended while starting: {self._home.last_words(log_length)} (log: {self._home.log})."
        )

    def _account(self) -> Account:
        account = Account.for_cluster(self._home.cluster)
        if not account.can_enter(self._home.path):
            raise ServerError(
                f"{self._home.path} cannot be entered by user {account.name}, as whom PostgreSQL must run "
                "(it refuses root): choose a --data-dir below folders that everybody may enter."
            )
        return account

    def _outwait_the_dead(self) -> FileLock | None:
        """Take the lock once no process of an earlier server lives; None when that server became ready."""
        if self._home.cluster.exists() and self._home.password() is None:
            raise ServerError(
                f"{self._home.password_file} is gone, and with it the way into the database: put it back, "
                f"or move {self._home.path} away to begin a new one."
            )
        lock = FileLock(self._home.server_lock)
        for waited in moments(START_TIMEOUT_S):
            if lock.acquire():
                return lock
            if self._ready():
                return None
            self._progress(f"Waiting for the server that is there already ({waited:.0f} s)")
        raise self._out_of_reach()

    def _becomes_ready(self, lock: FileLock, doing: str) -> bool:
        """Wait for the server just launched; false when it died, and the lock is ours again."""
        for waited in moments(START_TIMEOUT_S):
            if self._ready():
                return True
            if lock.acquire():
                return False
            self._progress(f"{doing} ({waited:.0f} s)")
        raise ServerError(
            f"the server was not ready after {START_TIMEOUT_S:.0f} s and goes on starting: "
            f"run 'crossbridge up' again to wait longer (log: {self._home.log})."
        )

    def _bring_down(self, *, immediate: bool) -> bool:
        lock = FileLock(self._home.server_lock)
        told = False
        for waited in moments(STOP_TIMEOUT_S):
            if lock.acquire():
                lock.let_go()
                return told
            told = told or send_stop(self._home, immediate=immediate)
            if not told and waited > ORPHANS_TIMEOUT_S:
                raise self._out_of_reach()
            self._progress(f"Stopping PostgreSQL ({waited:.0f} s)")
        raise ServerError(
            f"the server is still shutting down after {STOP_TIMEOUT_S:.0f} s: "
            f"run 'crossbridge down' again to wait longer (log: {self._home.log})."
        )

    def _out_of_reach(self) -> ServerError:
        return ServerError(
            f"a server holds {self._home.path} but cannot be reached from here (127.0.0.1:{self._home.port()}): "
            f"stop it where it runs, which may be another container (log: {self._home.log})."
        )

    def _ready(self) -> bool:
        return ask(self._home, MAINTENANCE) is Answer.READY

    def _with_database(self) -> Target:
        target, maintenance = self._home.target(self._database), self._home.target(MAINTENANCE)
        if target is None or maintenance is None:
            raise ServerError(f"files in {self._home.path} vanished meanwhile: run 'crossbridge up' again.")
        with psycopg.connect(**maintenance.parameters(), autocommit=True) as connection:
            rows = connection.execute("SELECT datname FROM pg_database").fetchall()
            for name in {DATABASE, self._database} - {name for (name,) in rows}:
                with suppress(psycopg.errors.DuplicateDatabase):  # a shipper was faster
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return target

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep out other commands that start or stop this server."""
        lock = FileLock(self._home.start_lock)
        for _ in moments(START_TIMEOUT_S + STOP_TIMEOUT_S):
            if lock.acquire():
                break
            self._progress("Waiting for another command that starts or stops the server")
        else:
            raise ServerError(
                f"another command holds {self._home.start_lock}: wait until it is done, or end it."
            )
        with lock:
            yield

    @contextmanager
    def _readable_errors(self, verb: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            where = f" ({error.filename})" if error.filename else ""
            raise ServerError(
                f"cannot {verb} the server in {self._home.path}: {error.strerror}{where}. "
                "Choose another folder with --data-dir or CROSSBRIDGE_DATA_DIR."
            ) from error
        except psycopg.Error as error:
            raise ServerError(
                f"the server in {self._home.path} went away while it was asked: {str(error).splitlines()[0]}. "
                f"Its log is {self._home.log}."
            ) from error
