"""What tests mock, patch, freeze or fake, captured before they can.

freezegun and pyfakefs replace names in modules, also names imported from elsewhere; they do not reach class
attributes and default arguments. So whatever the collector calls stands here as a class attribute, or as a
default argument where every nanosecond counts. See research on hazards in a test process:
`tests/acceptance/hazards` holds one test for each.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
import time
from fcntl import fcntl
from functools import partial
from types import BuiltinFunctionType


class Real:
    """The operating system and the clocks as they were when this module was imported."""

    close = os.close
    dup2 = os.dup2
    fcntl = fcntl
    fstat = os.fstat
    getpid = os.getpid
    kill = os.kill
    listdir = os.listdir
    mkdir = os.mkdir
    open = os.open
    posix_spawn = getattr(os, "posix_spawn", None)
    pread = os.pread
    pwrite = os.pwrite
    read = os.read
    replace = os.replace
    stat = os.stat
    unlink = os.unlink
    urandom = os.urandom
    utime = os.utime
    waitpid = os.waitpid
    write = os.write

    sleep = time.sleep
    monotonic = time.monotonic
    # freezegun may be at work already when this module is first imported; clock_gettime is what it leaves alone.
    perf_counter_ns = (
        time.perf_counter_ns
        if isinstance(time.perf_counter_ns, BuiltinFunctionType)
        else staticmethod(partial(time.clock_gettime_ns, time.CLOCK_MONOTONIC))
    )


# What to add to `Real.perf_counter_ns` for nanoseconds since 1970 UTC.
ANCHOR_NS = time.clock_gettime_ns(time.CLOCK_REALTIME) - Real.perf_counter_ns()


def now_us(perf_counter_ns: object = Real.perf_counter_ns, anchor_ns: int = ANCHOR_NS) -> int:
    """
    Microseconds since 1970 UTC: the wall clock read once at import, plus monotonic time since.

    Neither a frozen clock nor a step of the system's clock moves it. Any thread.
    """
    return (anchor_ns + perf_counter_ns()) // 1000  # type: ignore[operator, no-any-return]


def is_refusal(error: BaseException | None) -> bool:
    """
    Tell whether the operating system refused something.

    A TimeoutError that a signal handler of the user's raises is an OSError too, but bears no number.
    """
    return isinstance(error, OSError) and error.errno is not None


class _PassRefusals:
    def __enter__(self) -> None:
        pass

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> bool:
        return is_refusal(error)


# `with pass_refusals:` goes on behind the block when the operating system refuses what is in it.
pass_refusals = _PassRefusals()


def read_file(name: str, limit: int = 1 << 20) -> bytes | None:
    """Return the first `limit` bytes of a file, or None when it cannot be read."""
    with pass_refusals:
        fd = Real.open(name, os.O_RDONLY | os.O_CLOEXEC)
        try:
            parts = []
            while limit > 0 and (part := Real.read(fd, min(limit, 1 << 16))):
                parts.append(part)
                limit -= len(part)
            return b"".join(parts)
        finally:
            Real.close(fd)
    return None


def new_uuid() -> str:
    """Return a UUID of version 7 (RFC 9562): random, and in order of time to the millisecond."""
    value = int.from_bytes(Real.urandom(10), "big") | ((now_us() // 1000) << 80)
    value = value & ~(0xF << 76) | (7 << 76)
    value = value & ~(0x3 << 62) | (0x2 << 62)
    return hyphened(f"{value:032x}")


def hyphened(digits: str) -> str:
    """Return 32 hex digits in the written form of a UUID."""
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
