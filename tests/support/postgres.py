"""Databases for tests: the variables that name one, and a server of one's own to stop, kill and freeze."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from crossbridge.database.embedded.home import Home
from crossbridge.database.embedded.lock import is_held
from crossbridge.database.server import EmbeddedServer
from support.waiting import until

if TYPE_CHECKING:
    from crossbridge.database.target import Target


def db_environment(target: Target) -> dict[str, str]:
    """The CROSSBRIDGE_DB_* variables that lead a program to `target`."""
    return {
        "CROSSBRIDGE_DB_HOST": str(target.host),
        "CROSSBRIDGE_DB_PORT": str(target.port),
        "CROSSBRIDGE_DB_NAME": str(target.dbname),
        "CROSSBRIDGE_DB_USER": str(target.user),
        "CROSSBRIDGE_DB_PASSWORD": str(target.password),
        "CROSSBRIDGE_DB_SSLMODE": str(target.sslmode),
    }


class PostgresControl:
    """
    A private server whose port stays the same over every stop and start.

        control = PostgresControl(scratch / "mine")   # or the fixture `postgres_control`, a running one
        control.target               # the database `crossbridge`, empty at first
        control.start()              # blocks until it answers, after recovery if need be; returns the target
        control.stop()               # fast: clients are cut off, a checkpoint, no recovery
        control.stop("immediate")    # as if the power went: the next start recovers
        control.kill9()              # SIGKILL to the postmaster; returns when its last child is gone
        control.restart()            # stop("fast") and start
        control.freeze(); control.thaw()   # SIGSTOP, SIGCONT to all its processes: connections hang
        control.pid                  # of the postmaster

    What was committed is there after `start`, whatever came before. `scratch` is the fixture of that
    name; a server that still runs in it is stopped when the session ends.
    """

    def __init__(self, data_dir: Path, settings: dict[str, str] | None = None) -> None:
        self.home = Home(data_dir)
        self._server = EmbeddedServer(data_dir, settings=settings)
        self.target = self.start()
        # From here on a port that is taken is an error, not a reason to move.
        self._server = EmbeddedServer(data_dir, port=self.target.port, settings=settings)

    def start(self) -> Target:
        return self._server.start()

    def stop(self, mode: str = "fast") -> None:
        self._server.stop(immediate={"fast": False, "immediate": True}[mode])

    def restart(self) -> Target:
        self.stop()
        return self.start()

    def kill9(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        until(lambda: not is_held(self.home.server_lock))

    def freeze(self) -> None:
        for pid in (self.pid, *self._children()):
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        for pid in (*self._children(), self.pid):
            os.kill(pid, signal.SIGCONT)

    @property
    def pid(self) -> int:
        pid = self.home.postmaster_pid()
        assert pid is not None, "the server is not running"
        return pid

    def _children(self) -> list[int]:
        return [
            int(child) for child in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        ]
