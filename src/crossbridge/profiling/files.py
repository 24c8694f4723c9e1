"""The few things we do with files, by captured calls (`real`).

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from contextlib import suppress

from crossbridge.profiling.real import Real, pass_refusals

_COPY_BYTES = 1 << 20


def make_folder(path: str) -> None:
    """
    Make a folder, and those above it, for their owner only; one that is there already is left as it is.

    Raises:
        OSError: It could not be made.
    """
    with suppress(FileExistsError):
        try:
            Real.mkdir(path, 0o700)
        except FileNotFoundError:
            above = path.rpartition("/")[0]
            if not above:
                raise
            make_folder(above)
            Real.mkdir(path, 0o700)


def exists(path: str) -> bool:
    """Tell whether there is something at a path that we may see."""
    with pass_refusals:
        Real.stat(path)
        return True
    return False


def names_in(folder: str) -> list[str]:
    """Return what a folder holds; nothing when it cannot be read."""
    with pass_refusals:
        return Real.listdir(folder)
    return []


def size_of(path: str) -> int:
    """Return a file's bytes; 0 when it is gone."""
    with pass_refusals:
        return Real.stat(path).st_size
    return 0


def append_copy(source: int, target: int, offset: int) -> int:
    """Append what a file holds from `offset` on to another; return where it ended."""
    while data := Real.pread(source, _COPY_BYTES, offset):
        offset += len(data)
        while data:
            data = data[Real.write(target, data) :]
    return offset


def remove(path: str) -> None:
    """Remove a file, if it is there and may be."""
    with pass_refusals:
        Real.unlink(path)
