"""A throw-away folder that the server's own user can enter, and the servers in it: none outlives its session."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from crossbridge.database.embedded.home import Home
from crossbridge.database.embedded.lock import FileLock
from crossbridge.database.server import EmbeddedServer
from crossbridge.errors import ServerError

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "crossbridge-tests-"


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """
    A new folder, removed at the end together with the servers below it.

    pytest's tmp_path is closed to everybody but its owner, and a server started by root runs as somebody else.
    What a killed session left behind is cleared away first.
    """
    _clear_left_overs()
    folder, alive = _claimed_folder()
    try:
        yield folder
    finally:
        _clear(folder)
        alive.let_go()


def _claimed_folder() -> tuple[Path, FileLock]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        with contextlib.suppress(
            FileNotFoundError
        ):  # another session took it for a left-over, an instant ago
            folder.chmod(0o711)
            alive = FileLock(folder / "alive.lock")
            if alive.acquire():
                return folder, alive


def _clear_left_overs() -> None:
    for folder in Path(tempfile.gettempdir()).glob(PREFIX + "*"):
        with contextlib.suppress(FileNotFoundError):  # another session clears at the same moment
            lock = FileLock(folder / "alive.lock")
            if folder.stat().st_uid == os.geteuid() and lock.acquire():
                with lock:
                    _clear(folder)


def _clear(folder: Path) -> None:
    for mark in folder.rglob("start.lock"):
        home = Home(mark.parent)
        try:
            EmbeddedServer(home.path).stop(immediate=True)
        except ServerError:  # a test took its password, or froze it
            if pid := home.postmaster_pid():
                os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)
