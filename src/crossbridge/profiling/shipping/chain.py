"""The segments of each writer, delivered in the order it wrote them; whether that writer still lives."""

from __future__ import annotations

import time
from bisect import insort
from typing import TYPE_CHECKING

from crossbridge.profiling.shipping.backoff import Backoff
from crossbridge.profiling.shipping.delivery import Delivery
from crossbridge.profiling.shipping.reader import open_segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from crossbridge.profiling.storage import Session

# The moment a death is noticed is the time of death when the writer was seen alive so shortly before.
SIGHT_S = 2.0
# How long a writer that has begun its next segment may take to end the one before.
SUPERSEDED_S = 2.0


class Chain:
    """
    One writer's segments that are not delivered and closed yet, in order.

    Used by one thread at a time. Times are monotonic seconds unless the name says otherwise.
    """

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self.backoff = Backoff()
        self.failure: Exception | None = None  # why the last attempt failed
        self.gone_at_us: int | None = None  # wall clock
        self._seen_alive_s = -SIGHT_S

    def add(self, delivery: Delivery) -> None:
        """Take in a segment found in the spool."""
        insort(self.deliveries, delivery, key=lambda each: each.segment.header.seq)

    def look(self) -> None:
        """See what the writer has written; forget segments whose files are gone."""
        for delivery in self.deliveries:
            delivery.segment.look()
        self.deliveries = [delivery for delivery in self.deliveries if not delivery.segment.vanished]

    def hurry(self) -> None:
        """Make due whatever can be sent."""
        self.backoff.hurry()
        for delivery in self.deliveries:
            delivery.segment.waited_enough()

    @property
    def writing(self) -> bool:
        """Whether more may come: the last segment has not ended, and the writer was not found gone."""
        return self.gone_at_us is None and bool(self.deliveries) and not self.deliveries[-1].segment.ended

    @property
    def waiting_bytes(self) -> int:
        return sum(max(0, each.segment.whole - each.ack.offset) for each in self.deliveries)

    def check_writer(self, *, assume_gone: bool = False) -> None:
        """Find out whether the writer lives; when it does not, what it wrote last has been looked at on return."""
        if not self.writing:
            return
        last = self.deliveries[-1].segment
        if not assume_gone and last.is_alive():
            self._seen_alive_s = time.monotonic()
            return
        self.look()
        seen_alive = time.monotonic() - self._seen_alive_s <= SIGHT_S
        self.gone_at_us = time.time_ns() // 1000 if seen_alive else int(last.changed_at_s * 1e6)

    def has_work(self) -> bool:
        """Whether anything can be sent or closed now."""
        return bool(self.deliveries) and (self.deliveries[0].unsent or self._head_is_finished())

    def is_due(self, *, batch_size: int, flush_interval_s: float) -> bool:
        """Whether to send what can be: a batch is full, its oldest line has waited long enough, or it is the last."""
        if not self.has_work():
            return False
        segment = self.deliveries[0].segment
        return (
            self._head_is_finished()
            or len(self.deliveries) > 1
            or segment.grown_lines >= batch_size
            or time.monotonic() - (segment.grown_at_s or 0.0) >= flush_interval_s
        )

    def deliver(self, session: Session, *, max_events: int, go_on: Callable[[], bool]) -> None:
        """
        Send and close what can be, until `go_on` says to stop between two batches.

        Raises: As `Delivery`.
        """
        while self.deliveries:
            head = self.deliveries[0]
            while head.unsent and not head.segment.vanished:
                head.send_next(session, max_events)
                if not go_on():
                    return
            if not head.segment.vanished and not (self._head_is_finished() and self._close(head, session)):
                return
            self.deliveries.remove(head)

    def _close(self, head: Delivery, session: Session) -> bool:
        following = self.deliveries[1].segment.header.segment_id if len(self.deliveries) > 1 else None
        return head.close(session, gone_at_us=None if following else self.gone_at_us, next_id=following)

    def _head_is_finished(self) -> bool:
        """Whether nothing more can come for the first segment."""
        segment = self.deliveries[0].segment
        if segment.ended or self.gone_at_us is not None:
            return True
        return len(self.deliveries) > 1 and time.time() - segment.changed_at_s > SUPERSEDED_S


class Chains:
    """The writers whose segments a reader follows."""

    def __init__(self, *, keep: bool = False) -> None:
        # Segments that cannot be followed, as a rule because their writers have only just made them.
        self.unread: list[Path] = []
        self._keep = keep
        self._chains: dict[tuple[str, str], Chain] = {}
        self._opened: set[Path] = set()
        self._listed: Sequence[Path] = ()

    def __iter__(self) -> Iterator[Chain]:
        return iter(self._chains.values())

    def take_in(self, paths: Sequence[Path]) -> list[Delivery]:
        """Begin to follow those segments that are new, and return them. `paths` are all; the same list is cheap."""
        if paths is self._listed and not self.unread:
            return []
        self._listed = paths
        there = set(paths)
        self._opened &= there
        self.unread = []
        new = []
        for path in there - self._opened:
            segment = open_segment(path)
            if segment is None:
                self.unread.append(path)
                continue
            self._opened.add(path)
            header = segment.header
            chain = self._chains.setdefault((header.run_id, header.writer or header.segment_id), Chain())
            new.append(Delivery(segment, keep=self._keep))
            chain.add(new[-1])
        return new

    def forget_done(self) -> None:
        """Drop the writers of whom nothing is left."""
        self._chains = {key: chain for key, chain in self._chains.items() if chain.deliveries}
