"""Who delivers a spool: one shipper at a time, which may be asked to hand over to one with other settings."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from typing import TYPE_CHECKING, Literal

import msgspec

from crossbridge.profiling.shipping.folder import write_whole

if TYPE_CHECKING:
    from pathlib import Path

State = Literal["delivering", "retrying", "ended"]

# How long a shipper that was asked may take to finish its batch and let go.
HANDOVER_WAIT_S = 15.0
_ASK_EVERY_S = 0.05


class ShipperStatus(msgspec.Struct):
    """The content of `shipper.json`: how the shipper fares, for people. `target` and `error` hold no secret."""

    pid: int
    backend: str
    target: str
    state: State = "delivering"
    error: str | None = None
    at_us: int = 0


class Tenure:
    """The right to deliver a spool: a lock that ends with the process, however that ends."""

    def __init__(self, spool: Path) -> None:
        self._lock = spool / "shipper.lock"
        self._request = spool / "shipper.takeover"
        self._status = spool / "shipper.json"
        self._fd = -1

    def acquire(self) -> bool:
        """Take the lock unless somebody has it."""
        fd = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            return False
        self._fd = fd
        with contextlib.suppress(FileNotFoundError):
            self._request.unlink()
        return True

    def release(self) -> None:
        """Let go of the lock."""
        os.close(self._fd)
        self._fd = -1

    def take_over(self) -> bool:
        """Ask the holder to end, and take the lock when it has; whether that came to pass."""
        until_s = time.monotonic() + HANDOVER_WAIT_S
        while not self.acquire():
            if time.monotonic() > until_s:
                return False
            # Again and again: another one that asked may have just taken over, and cleared the request away.
            self._request.touch(mode=0o600)
            time.sleep(_ASK_EVERY_S)
        return True

    def is_asked_for(self) -> bool:
        """Whether another shipper wants to take over."""
        return self._request.exists()

    def read_status(self) -> ShipperStatus | None:
        """Return what the holder, or the last one, says of itself."""
        with contextlib.suppress(OSError, msgspec.DecodeError):
            return msgspec.json.decode(self._status.read_bytes(), type=ShipperStatus)
        return None

    def write_status(self, status: ShipperStatus) -> None:
        """Publish a status. A full disk leaves the old one."""
        status.at_us = time.time_ns() // 1000
        with contextlib.suppress(OSError):
            write_whole(self._status, msgspec.json.encode(status))
