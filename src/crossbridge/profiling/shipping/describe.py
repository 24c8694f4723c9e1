"""Which version of the application a run tested: `git describe`, asked outside its process (`spec/run_info.md`)."""

from __future__ import annotations

import os
import re
import subprocess
import time
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from crossbridge.profiling.shipping.couriers import Couriers
    from crossbridge.profiling.shipping.delivery import Delivery

TIMEOUT_S = 10.0
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


class Versions:
    """Finds the versions of runs that do not say theirs, once per run and never in the way of events."""

    def __init__(self, project_root: Path) -> None:
        self._project_root = project_root
        self._asked: set[str] = set()
        self._open: list[tuple[Delivery, _Question]] = []

    def ask_for(self, delivery: Delivery) -> None:
        """Begin to find out, if the segment's run has a commit and no version."""
        header = delivery.segment.header
        if header.app_version or not header.git_commit or header.run_id in self._asked:
            return
        self._asked.add(header.run_id)
        if _COMMIT.fullmatch(header.git_commit):
            self._open.append((delivery, _Question(header.git_commit, self._project_root)))

    def tell(self, couriers: Couriers, *, wait: bool = False) -> None:
        """Send the answers that are there. What cannot be sent now stays for the next call."""
        still_open = []
        for delivery, question in self._open:
            if not delivery.ack.offset or not question.is_answered(wait=wait):
                still_open.append((delivery, question))
            elif version := question.version:
                couriers.use(partial(delivery.add_run_info, app_version=version))
                if couriers.outage:
                    still_open.append((delivery, question))
        self._open = still_open


class _Question:
    """A question to git that is being answered while other things go on."""

    def __init__(self, commit: str, project_root: Path) -> None:
        self.version: str | None = None
        self._until_s = time.monotonic() + TIMEOUT_S
        self._process = _start(["git", "describe", "--tags", "--always", commit], project_root)

    def is_answered(self, *, wait: bool) -> bool:
        """Whether git has answered, or never will: it is not there, takes too long, or does not know the commit."""
        process = self._process
        if process is None:
            return True
        if not wait and process.poll() is None and time.monotonic() < self._until_s:
            return False
        try:
            output, _ = process.communicate(timeout=max(0.0, self._until_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
        if process.returncode == 0:
            self.version = output.strip() or None
        self._process = None
        return True


def _start(command: list[str], folder: Path) -> subprocess.Popen[str] | None:
    try:
        return subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
        )
    except OSError:
        return None
