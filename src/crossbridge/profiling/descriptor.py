"""Our descriptor among those of the tests, which close what they did not open and are handed old numbers again.

An open file of ours carries a mark: the signal that would announce it, were it asked for one (F_SETSIG). Nobody
sets that on a file, and a newly opened one has none. To probe for it costs a fifth of a microsecond; to compare
device and inode costs seven times as much, because since Linux 6.13 a `stat` makes the next write dearer too.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import errno
import fcntl
import os
from typing import TYPE_CHECKING

from crossbridge.profiling.real import Real, pass_refusals

if TYPE_CHECKING:
    from collections.abc import Callable

# Above what programs open themselves, so that a `closerange` or a daemonizing test hands our number to nobody soon.
LOWEST_FD = 400
MARK = 61
GET_MARK: int = getattr(fcntl, "F_GETSIG", -1)  # Linux only
SET_MARK: int = getattr(fcntl, "F_SETSIG", -1)
_DUPLICATE = fcntl.F_DUPFD_CLOEXEC
# A number that no process has.
NOT_OPEN = (1 << 31) - 1


def claim(fd: int) -> int:
    """Move an open file to a high number, mark it, and return the number."""
    high = duplicate(fd)
    Real.close(fd)
    set_mark(high)
    return high


def duplicate(fd: int) -> int:
    """Return a second number for the same open file: a high one where the process may have it."""
    try:
        return Real.fcntl(fd, _DUPLICATE, LOWEST_FD)
    except OSError as error:
        if error.errno != errno.EINVAL:  # what it is when RLIMIT_NOFILE is lower
            raise
        return Real.fcntl(fd, _DUPLICATE, 3)


def close(fd: int) -> None:
    """Close a descriptor, which may be closed already."""
    with pass_refusals:
        Real.close(fd)


def is_marked(fd: int) -> bool:
    """Tell whether a descriptor is open and ours."""
    with pass_refusals:
        return probe(fd, GET_MARK) == MARK
    return False


def identity(fd: int) -> tuple[int, int]:
    """Return device and inode of an open file."""
    stat = Real.fstat(fd)
    return stat.st_dev, stat.st_ino


# Where files bear no such mark: device and inode of each descriptor of ours.
_identities: dict[int, tuple[int, int]] = {}


def _note_identity(fd: int) -> None:
    _identities[fd] = identity(fd)


def _compare_identity(fd: int, _command: int) -> int:
    return MARK if _identities.get(fd) == identity(fd) else 0


def _write_mark(fd: int) -> None:
    Real.fcntl(fd, SET_MARK, MARK)


def _marks_hold() -> bool:
    fd = Real.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _write_mark(fd)
        return Real.fcntl(fd, GET_MARK) == MARK
    except (OSError, OverflowError):
        return False
    finally:
        Real.close(fd)


set_mark: Callable[[int], None]
# What `append` calls: probe(fd, GET_MARK) is MARK when the descriptor is ours. Raises OSError when it is closed.
probe: Callable[[int, int], int]
set_mark, probe = (_write_mark, Real.fcntl) if _marks_hold() else (_note_identity, _compare_identity)
