"""File locks that the kernel drops with their last holder, however it died."""

from __future__ import annotations

import fcntl
import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typing_extensions import Self


def moments(timeout_s: float) -> Iterator[float]:
    """
    Yield the seconds waited, at once and then at each poll, until `timeout_s` (monotonic) is over.

    A poll comes a twentieth of the time late: a long wait costs few polls, and a recovering server's
    log few lines.
    """
    begin = time.monotonic()
    while (waited := time.monotonic() - begin) < timeout_s:
        yield waited
        time.sleep(min(max(waited / 20, 0.005), 0.5))


class FileLock:
    """
    An exclusive flock on a file of its own.

    A child process that inherits `fd` holds the lock too, and so do its children: it is free again
    when the last of them is gone. Unlike a process id it cannot be stale, reused or a zombie's.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.fd = -1

    def acquire(self) -> bool:
        """Take the lock if it is free; false, at once, when it is not."""
        self.fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.let_go()
            return False
        return True

    def let_go(self) -> None:
        """Close our hold; children that inherited it keep theirs."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go()


def is_held(path: Path) -> bool:
    """Whether some process holds the lock; the file need not exist."""
    if not path.exists():
        return False
    lock = FileLock(path)
    with lock:
        return not lock.acquire()
