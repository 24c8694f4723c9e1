"""The shipper: a process that follows the segments of one spool and delivers them while the tests run.

The first hook of a run starts it (`spawn`); it belongs to nobody, and ends by itself when all is delivered and no
writer lives. It may be killed at any point: nothing is lost or doubled (see `shipping.delivery`).
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING

from crossbridge.errors import ConfigError, CrossbridgeError
from crossbridge.profiling.models import SPOOL_DIR, ProfileConfig
from crossbridge.profiling.shipping.backoff import Backoff
from crossbridge.profiling.shipping.chain import Chain, Chains
from crossbridge.profiling.shipping.couriers import Couriers
from crossbridge.profiling.shipping.describe import Versions
from crossbridge.profiling.shipping.folder import SpoolWatch, tidy
from crossbridge.profiling.shipping.reader import HEADER_GRACE_S
from crossbridge.profiling.shipping.tenure import ShipperStatus, State, Tenure
from crossbridge.profiling.storage import make_backend

if TYPE_CHECKING:
    from crossbridge.profiling.storage import Backend

# Between two looks into the spool: while something happens, and while nothing does.
BUSY_PAUSE_S = 0.03
IDLE_PAUSE_S = 0.05
BUSY_FOR_S = 1.0
# How often it is asked whether the writers live, whether another shipper wants to take over, and what can be removed.
WRITERS_EVERY_S = 0.5
HANDOVER_EVERY_S = 0.25
TIDY_EVERY_S = 60.0
# How long a shipper that has nothing left to do waits for the next run.
GRACE_S = 1.0
# A shipper that has not come round for so long hangs in a call to the database, and is better dead: whoever starts
# the next one goes on where this one was.
STALL_LIMIT_S = 120
STOP_LIMIT_S = 10
LOG_MAX_BYTES = 256 << 10

log = logging.getLogger("crossbridge.shipper")


class Shipper:
    """Delivers one spool, from `run` to its return. Times are monotonic seconds."""

    def __init__(self, config: ProfileConfig, backend: Backend, tenure: Tenure) -> None:
        self._config = config
        self._spool = config.spool_path
        self._backend = backend
        self._tenure = tenure
        self._watch = SpoolWatch(self._spool)
        self._chains = Chains()
        self._couriers = Couriers(backend, pool_max=config.pool_max, queue_size=config.queue_size)
        self._versions = Versions(config.project_root)
        self._backoff = Backoff()
        self._status = ShipperStatus(pid=os.getpid(), backend=backend.name, target=backend.target)
        self._flush_file = os.fspath(self._spool / "shipper.flush")
        self._flush_ns = 0
        self._writers_checked_s = self._handover_checked_s = self._tidied_s = self._busy_s = 0.0
        self._needed_s = time.monotonic()
        self.seen: list[Path] = []  # all segments that were there at the last look
        self._stopping = False

    def run(self) -> bool:
        """Deliver until nothing is left to do, and return True; False when told to end before that."""
        self._tenure.write_status(self._status)
        log.info("delivering %s to %s", self._spool, self._status.target)
        try:
            while not self._is_told_to_end():
                signal.alarm(STALL_LIMIT_S)
                self._step()
                if self._is_done():
                    return True
                time.sleep(self._pause_s())
            return False
        finally:
            self._couriers.close()
            self._report("ended")

    def stop(self, *_signal: object) -> None:
        """Make `run` return after the batch that is under way."""
        self._stopping = True
        signal.alarm(STOP_LIMIT_S)

    def _step(self) -> None:
        flush = self._is_flush_asked()  # first: what was written before the asking is seen after it
        if flush:
            self._backoff.hurry()
        self.seen = self._watch.segments()
        for delivery in self._chains.take_in(self.seen):
            self._versions.ask_for(delivery)
        check_writers = self._every(WRITERS_EVERY_S, "_writers_checked_s")
        for chain in self._chains:
            if chain.writing or self._backoff.ready:  # else it neither grows nor can be delivered
                chain.look()
            if check_writers:
                chain.check_writer()
            if flush:
                chain.hurry()
        self._chains.forget_done()
        if self._backoff.ready:
            self._deliver(self._due())
            self._versions.tell(self._couriers)
        if self._every(TIDY_EVERY_S, "_tidied_s"):
            tidy(self._spool)

    def _due(self) -> list[Chain]:
        size, interval_s = self._config.batch_size, self._config.flush_interval_s
        return [
            chain
            for chain in self._chains
            if chain.backoff.ready and chain.is_due(batch_size=size, flush_interval_s=interval_s)
        ]

    def _deliver(self, due: list[Chain]) -> None:
        if not due:
            return
        failures = self._couriers.carry(due, go_on=lambda: not self._stopping)
        outage = self._couriers.outage
        if outage is None:
            self._backoff.succeeded()
        else:
            self._backoff.failed(permanent=self._couriers.is_permanent)
        for chain in due:
            chain.failure = failures.get(chain)
            if chain.failure:
                chain.backoff.failed()
            else:
                chain.backoff.succeeded()
        if outage is None and len(failures) < len(due):
            self._needed_s = time.monotonic()
        self._report("retrying" if self._trouble() else "delivering")

    def _trouble(self) -> Exception | None:
        """Why something is not delivered."""
        return self._couriers.outage or next((chain.failure for chain in self._chains if chain.failure), None)

    def _is_done(self) -> bool:
        """Whether nobody needs this shipper any longer, or it is of no use to them."""
        now_s = time.monotonic()
        if any(chain.writing for chain in self._chains) or any(map(_is_new, self._chains.unread)):
            self._needed_s = now_s
            return False
        idle_s = now_s - self._needed_s
        if not any(self._chains):
            return idle_s >= GRACE_S
        if self._trouble() is None:
            return False
        hopeless = self._couriers.outage is not None and self._couriers.is_permanent
        return hopeless or idle_s >= self._backend.patience_s

    def _is_told_to_end(self) -> bool:
        asked = self._every(HANDOVER_EVERY_S, "_handover_checked_s") and self._tenure.is_asked_for()
        return self._stopping or asked

    def _is_flush_asked(self) -> bool:
        before = self._flush_ns
        with contextlib.suppress(OSError):
            self._flush_ns = os.stat(self._flush_file).st_mtime_ns  # noqa: PTH116  (50 times a second; half the cost)
        return self._flush_ns != before

    def _every(self, period_s: float, attribute: str) -> bool:
        now_s = time.monotonic()
        if now_s - getattr(self, attribute) < period_s:
            return False
        setattr(self, attribute, now_s)
        return True

    def _pause_s(self) -> float:
        now_s = time.monotonic()
        if self._backoff.ready and any(chain.has_work() for chain in self._chains):
            self._busy_s = now_s
            if self._due():  # a round was too short for all there is
                return 0.0
        return BUSY_PAUSE_S if now_s - self._busy_s < BUSY_FOR_S else IDLE_PAUSE_S

    def _report(self, state: State) -> None:
        trouble = self._trouble()
        error = str(trouble) if trouble else None
        if (state, error) != (self._status.state, self._status.error):
            log.info("%s%s", state, f": {error}" if error else "")
            self._status.state, self._status.error = state, error
            self._tenure.write_status(self._status)


def _is_new(segment: Path) -> bool:
    with contextlib.suppress(OSError):
        return time.time() - segment.stat().st_mtime < HEADER_GRACE_S
    return False


def _keep_out_of_git(spool: Path) -> None:
    """Let a folder of ours ignore itself, as pytest and ruff do with theirs; not one that somebody has chosen."""
    folder = spool.parent
    if folder.name == SPOOL_DIR.parts[0]:
        with contextlib.suppress(OSError), (folder / ".gitignore").open("x", encoding="ascii") as file:
            file.write("*\n")


def main() -> None:
    """Deliver the spool named by the environment's settings, unless another shipper does."""
    detach()
    root = os.environ.get("CROSSBRIDGE_PROJECT_ROOT")
    try:
        config = ProfileConfig.load(project_root=Path(root) if root else None)
    except ConfigError:  # the run itself says so
        sys.exit(ConfigError.exit_code)
    backend = make_backend(config)
    if backend is None:
        return
    config.spool_path.mkdir(mode=0o700, parents=True, exist_ok=True)
    _keep_out_of_git(config.spool_path)
    tenure = Tenure(config.spool_path)
    if not tenure.acquire() and not (_may_do_better(tenure, backend) and tenure.take_over()):
        return
    start_log(config.spool_path)
    try:
        ship(config, backend, tenure)
    except Exception:
        log.exception("ended by a fault of its own")
        raise


def ship(config: ProfileConfig, backend: Backend, tenure: Tenure) -> None:
    """Deliver while there is something to deliver. The lock is held on entry, and not on return."""
    while True:
        shipper = Shipper(config, backend, tenure)
        signal.signal(signal.SIGTERM, shipper.stop)
        finished = shipper.run()
        tenure.release()
        # The shipper of a run that began just now has seen the lock taken, and has left.
        missed = set(SpoolWatch(config.spool_path).segments()) - set(shipper.seen)
        if not (finished and missed and tenure.acquire()):
            return


def detach() -> None:
    """Hold nothing of the process that started this one: no descriptor, no terminal."""
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    null = os.open(os.devnull, os.O_RDWR)
    for fd in range(3):
        os.dup2(null, fd)
    os.close(null)
    with contextlib.suppress(PermissionError):  # leads its process group already
        os.setsid()
    os.umask(0o077)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def start_log(spool: Path) -> None:
    """Write what happens to `shipper.log`, for people; at most twice LOG_MAX_BYTES, and no secret."""
    logging.raiseExceptions = False
    log.propagate = False
    log.setLevel(logging.INFO)
    try:
        handler: logging.Handler = RotatingFileHandler(
            spool / "shipper.log", maxBytes=LOG_MAX_BYTES, backupCount=1
        )
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(message)s"))
    log.addHandler(handler)


def _may_do_better(tenure: Tenure, backend: Backend) -> bool:
    """Whether the shipper in office delivers elsewhere, or fails where we would not."""
    status = tenure.read_status()
    if status is None or status.state == "ended":
        return False
    if (status.backend, status.target) != (backend.name, backend.target):
        return True
    if status.error is None:
        return False
    try:
        backend.connect().close()
    except CrossbridgeError:
        return False
    return True
