"""The file behind a segment's descriptor: found again when closed, put back when removed, replaced in one step.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
from errno import ENOSPC
from typing import TYPE_CHECKING

from crossbridge.profiling.descriptor import (
    NOT_OPEN,
    claim,
    close,
    duplicate,
    identity,
    is_marked,
    set_mark,
)
from crossbridge.profiling.files import append_copy, make_folder, remove
from crossbridge.profiling.real import Real, is_refusal, pass_refusals

if TYPE_CHECKING:
    from collections.abc import Callable


class SegmentFile:
    """
    What a writer appends to: `fd`. Methods are called by one thread at a time; others may write to `fd` meanwhile.

    A signal handler of the user's may raise anywhere in here: whatever `fd` is then, `path` is that file's after the
    next look.

    Args:
        let_writes_finish: Returns when no thread is in the midst of a write that began before.
    """

    def __init__(self, let_writes_finish: Callable[[], None]) -> None:
        self.fd = NOT_OPEN
        self.path = ""
        self.size = 0  # when it was last looked at
        self._paths: dict[tuple[int, int], str] = {}  # by device and inode
        self._let_writes_finish = let_writes_finish

    @property
    def is_open(self) -> bool:
        """Whether the descriptor is open and ours."""
        return is_marked(self.fd)

    def is_in_place(self) -> bool:
        """Look whether the descriptor is ours and its file has not been removed."""
        if not self.is_open:
            return False
        stat = Real.fstat(self.fd)
        self.size = stat.st_size
        self.path = self._paths.get((stat.st_dev, stat.st_ino), self.path)
        return stat.st_nlink > 0

    def get_back(self) -> bool:
        """Get at a file again that is not in place; return False when that is not possible, for now or ever."""
        if self.is_open:
            return self._restore()
        with pass_refusals:
            # Somebody closed our descriptor; its number may be another's by now.
            self.fd = claim(Real.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC))
            return True
        return False

    def begin(self, path: str, first_line: bytes) -> int | None:
        """
        Make a new file and let `fd` be it; return a descriptor of the file before, or NOT_OPEN.

        Returns: None when it cannot be made; all is as it was.
        """
        fd = NOT_OPEN
        try:
            fd = self._create(path, path)
            if Real.write(fd, first_line) < len(first_line):
                raise OSError(ENOSPC, "no room for the first line")  # noqa: TRY301
            old_fd = self._adopt(fd)
        except BaseException as error:
            self._undo(fd, path)
            if is_refusal(error):
                return None
            raise
        self.path, self.size = path, len(first_line)
        return old_fd

    def overwrite(self, content: bytes, offset: int) -> None:
        """Write in the midst of the file, which takes no new block of a full disk."""
        with pass_refusals:
            fd = Real.open(self.path, os.O_WRONLY | os.O_CLOEXEC)  # pwrite appends where O_APPEND is set
            try:
                Real.pwrite(fd, content, offset)
            finally:
                close(fd)

    def forget(self) -> None:
        """Be no file any more; the descriptor is closed, if it is ours."""
        if self.is_open:
            close(self.fd)
        self.fd, self.path = NOT_OPEN, ""

    def _restore(self) -> bool:
        """
        Put back the file that somebody removed, from the descriptor that still holds it.

        It has the same name and the same bytes, so that a reader goes on where it stood.
        """
        draft = self.path.removesuffix("jsonl") + "tmp"
        fd = NOT_OPEN
        try:
            fd = self._create(draft, self.path)
            size = append_copy(self.fd, fd, 0)
            Real.replace(draft, self.path)
            old_fd = self._adopt(fd)
        except BaseException as error:
            close(fd)
            remove(draft)
            if is_refusal(error):
                return False
            raise
        self._let_writes_finish()
        with pass_refusals:
            append_copy(old_fd, self.fd, size)  # what other threads wrote meanwhile
        close(old_fd)
        return True

    def _create(self, path: str, final_path: str) -> int:
        make_folder(path.rpartition("/")[0])
        fd = Real.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._paths[identity(fd)] = final_path
        return fd

    def _adopt(self, fd: int) -> int:
        """
        Let `fd` be this file from now on; return a descriptor of the file before, or NOT_OPEN.

        The number stays, so that a thread in the midst of a write finds the one file or the other behind it.
        """
        if not self.is_open:
            self.fd = claim(fd)
            return NOT_OPEN
        old_fd = duplicate(self.fd)
        set_mark(fd)
        Real.dup2(fd, self.fd, False)  # noqa: FBT003  (inheritable)
        set_mark(self.fd)
        close(fd)
        return old_fd

    def _undo(self, fd: int, path: str) -> None:
        """Take back a file that could not be begun; not one that has, when a signal handler raised after that."""
        has_begun = self.is_open and self._paths.get(identity(self.fd)) == path
        if fd != NOT_OPEN and not has_begun:
            close(fd)
            remove(path)
