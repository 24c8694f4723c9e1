"""The way of a run's events out of the spool, as the process that records them sees it: another one carries them.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from crossbridge.profiling.models import StorageBackendType
from crossbridge.profiling.progress import (
    RunProgress,
    ShipperState,
    is_delivered,
    run_progress,
    shipper_state,
)
from crossbridge.profiling.real import Real, now_us, pass_refusals
from crossbridge.profiling.spawn import start_shipper

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crossbridge.profiling.models import ProfileConfig

_POLL_S = 0.005
# A shipper that has not said a word for so long after its start is gone, and its word with a spool that was removed.
SILENCE_LIMIT_US = 2_000_000


class Dispatch:
    """Starts the shipper of one run's spool, asks it to hurry and waits for it. One thread at a time."""

    def __init__(self, config: ProfileConfig, run_id: str, environ: Mapping[str, str]) -> None:
        self.spool = os.fspath(config.spool_path)
        self.run_folder = f"{self.spool}/{run_id}"
        self._config = config
        self._environ = environ
        self._started_us = 0  # when a shipper was last started, wall clock; 0 is never

    @property
    def shipper(self) -> ShipperState:
        return shipper_state(self.spool)

    @property
    def progress(self) -> RunProgress:
        return run_progress(self.run_folder)

    def start(self) -> None:
        """Start a shipper, if the backend wants one. One that is at work already keeps the spool."""
        started_us = now_us()
        if self._config.backend is not StorageBackendType.NONE and start_shipper(self._config, self._environ):
            self._started_us = started_us

    def start_again_if_dead(self) -> None:
        """Start a shipper in the place of one that is gone with work left."""
        if self._is_gone() and not is_delivered(self.run_folder):
            self.start()

    def _is_gone(self) -> bool:
        shipper = self.shipper
        if shipper.state is None:
            return 0 < self._started_us < now_us() - SILENCE_LIMIT_US
        return not shipper.alive

    def wait(self, timeout_s: float) -> bool:
        """Ask the shipper to hurry; return whether all of the run was delivered within so many seconds."""
        self._ask_to_hurry()
        deadline_s = Real.monotonic() + timeout_s
        while not is_delivered(self.run_folder):
            if Real.monotonic() >= deadline_s or not self._is_worth_waiting():
                return False
            Real.sleep(_POLL_S)
        return True

    def _ask_to_hurry(self) -> None:
        with pass_refusals:
            path = f"{self.spool}/shipper.flush"
            Real.close(Real.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
            Real.utime(path)

    def _is_worth_waiting(self) -> bool:
        if self._config.backend is StorageBackendType.NONE:
            return False
        shipper = self.shipper
        is_at_work = shipper.alive and shipper.state != "ended"
        has_not_begun = shipper.at_us < self._started_us
        return is_at_work or has_not_begun
