"""The sessions a shipper delivers through: one, and more while there is a backlog."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from crossbridge.errors import CrossbridgeError, DatabaseUnreachable, SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crossbridge.profiling.shipping.chain import Chain
    from crossbridge.profiling.storage import Backend, Session

BATCH_MAX_EVENTS = 5_000
# A writer with so much to send is worth a session of its own.
BACKLOG_BYTES = 256 << 10
# How long one round goes on, so that those who deliver see in time what has come meanwhile.
ROUND_S = 0.25


class Couriers:
    """
    Delivers what writers' chains hold.

    Args:
        pool_max: Most sessions, each in a thread of its own, when several writers have a backlog.
        queue_size: Most events read ahead at any time, over all sessions.
    """

    def __init__(self, backend: Backend, *, pool_max: int, queue_size: int) -> None:
        self._backend = backend
        self._pool_max = pool_max
        self._queue_size = queue_size
        self._idle: list[Session] = []
        self.outage: CrossbridgeError | None = None
        self.is_permanent = False  # waiting does not end the outage

    def carry(self, chains: Sequence[Chain], *, go_on: Callable[[], bool]) -> dict[Chain, Exception]:
        """
        Deliver for about ROUND_S seconds, each chain in its turn and one batch at least, while `go_on` says yes.

        Afterwards `outage` says why nobody could deliver, or is None.

        Returns: Chains that failed for reasons of their own.
        """
        self.outage = None
        lanes = self._lanes(chains)
        max_events = min(BATCH_MAX_EVENTS, max(1, self._queue_size // lanes))
        share_s = ROUND_S * lanes / len(chains) if chains else ROUND_S
        failures: dict[Chain, Exception] = {}

        def carry_one(chain: Chain) -> None:
            if self.outage or not go_on():
                return
            until_s = time.monotonic() + share_s
            failure = self.use(
                lambda session: chain.deliver(
                    session, max_events=max_events, go_on=lambda: go_on() and time.monotonic() < until_s
                )
            )
            if failure:
                failures[chain] = failure

        if lanes == 1:
            for chain in chains:
                carry_one(chain)
        else:
            with ThreadPoolExecutor(lanes) as threads:
                list(threads.map(carry_one, chains))
        self._keep_sessions(0 if self.outage else lanes)
        return failures

    def use(self, work: Callable[[Session], None]) -> Exception | None:
        """
        Do some work with a session. When there is none to be had, or it breaks off, `outage` says why.

        Returns: Why the work failed, when it failed for reasons of its own.
        """
        failure: Exception | None = None
        try:
            session = self._idle.pop()
        except IndexError:
            try:
                session = self._backend.connect()
            except CrossbridgeError as error:
                self.outage = error
                self.is_permanent = isinstance(error, SchemaError) or getattr(error, "permanent", False)
                return None
        try:
            work(session)
        except (DatabaseUnreachable, SchemaError) as error:  # the next session makes a schema that is missing
            self.outage = error
            self.is_permanent = False
        except (CrossbridgeError, OSError) as error:
            failure = error
        else:
            self._idle.append(session)
            return None
        session.close()
        return failure

    def close(self) -> None:
        """Close every session."""
        self._keep_sessions(0)

    def _lanes(self, chains: Sequence[Chain]) -> int:
        backlogs = sum(1 for chain in chains if chain.waiting_bytes >= BACKLOG_BYTES)
        return max(1, min(backlogs, self._pool_max))

    def _keep_sessions(self, number: int) -> None:
        while len(self._idle) > number:
            self._idle.pop().close()
