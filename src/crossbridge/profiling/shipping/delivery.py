"""Carrying one segment into the database, exactly once (`spec/segment.md`, rules for readers).

The database says where a segment stands, and takes a batch only there: whatever dies in between, the next reader
asks, is told, and goes on. What an `.ack` file says is where to ask first, never a reason to delete.
"""

from __future__ import annotations

import json
import os
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

from crossbridge.errors import BadData, DatabaseError
from crossbridge.profiling.progress import read_ack
from crossbridge.profiling.shipping.folder import SetAside, write_ack
from crossbridge.profiling.shipping.reader import VERSION, Batch, Segment

if TYPE_CHECKING:
    from crossbridge.profiling.storage import Session

# No segment ever stands there: the answer to nothing at this offset is where it does stand.
NOWHERE = 1 << 62
# Longest text sent as the reason of a rejected line.
REASON_MAX_CHARS = 500


class Delivery:
    """
    One segment on its way: what the file holds and where the database stands.

    Every method that takes a session raises DatabaseUnreachable when nobody answers (what was sent may be in or not),
    DatabaseError when the database refuses for no fault of the lines, and OSError when the spool refuses. None of it
    loses anything: call again.

    Args:
        keep: Leave the spool as it is: no acknowledgement, no line set aside, no file deleted.
    """

    def __init__(self, segment: Segment, *, keep: bool = False) -> None:
        self.segment = segment
        self.ack = read_ack(str(segment.path.parent), segment.path.stem)
        self.ack.closed = False
        self.delivered = 0  # events put in by this object
        self.rejected = 0  # lines set aside by it
        self.dropped = segment.read_dropped()  # events the writer had to drop
        self._keep = keep
        self._confirmed = False  # the offset is what the database itself has answered

    @property
    def unsent(self) -> bool:
        """Whether whole lines wait, or may wait: the database has not been asked yet."""
        return self.segment.whole > self.ack.offset or not self._confirmed

    @cached_property
    def _set_aside(self) -> SetAside:
        return SetAside(self.segment.spool, self.segment.header.segment_id)

    def send_next(self, session: Session, max_events: int) -> None:
        """Send up to `max_events` lines; one that is bad data is set aside, and its neighbours are stored."""
        if not self._confirmed:
            self._stand_at(self._ingest(session, NOWHERE, NOWHERE, b"[]"))
            self._confirmed = True
        batch = self.segment.read_batch(self.ack.offset, max_events)
        if batch:
            self._send(session, batch)
            self._acknowledge()
        else:  # the file is shorter than it was, or than the copy the database knows
            self.segment.whole = self.ack.offset
        if not self.unsent:
            self.segment.sent_all()

    def close(self, session: Session, *, gone_at_us: int | None, next_id: str | None) -> bool:
        """
        End a segment whose whole lines are all sent, and delete its file: the database has every byte of it.

        `gone_at_us` is when the writer was found gone, or it has moved on to the segment `next_id`. Returns False when
        it is not closed, because there is more to send.
        """
        segment = self.segment
        if segment.size and not segment.ended:
            events = [self._segment_end(gone_at_us, next_id)]
            if segment.whole == 0:
                events.insert(0, self._stand_in_header())
            size = max(segment.size, segment.whole)
            self._stand_at(self._ingest(session, segment.whole, size, json.dumps(events).encode()))
        segment.look()
        if self.unsent:
            return False
        self.ack.closed = True
        self._acknowledge()
        if not self._keep:
            segment.path.unlink(missing_ok=True)
        return True

    def add_run_info(self, session: Session, **columns: str) -> None:
        """Fill columns of the run that are still null; needs something of the segment to be sent already."""
        events = json.dumps([{"type": "run_info", **columns}]).encode()
        offset = -1
        while offset != self.ack.offset > 0:  # another reader may be at it too
            offset = self.ack.offset
            self._stand_at(self._ingest(session, offset, offset, events))

    def _ingest(self, session: Session, start: int, end: int, events: bytes) -> int:
        header = self.segment.header
        return session.ingest(header.segment_id, header.run_id, start, end, events)

    def _send(self, session: Session, batch: Batch) -> None:
        try:
            answer = self._ingest(session, batch.start, batch.end, batch.payload)
        except BadData as error:
            if len(batch.lines) <= 1:
                self._reject(session, batch, str(error))
                return
            for half in batch.halves():
                self._send(session, half)
            return
        if self._took(batch, answer):
            events = batch.count_events()
            self.delivered += events
            self.ack.events += events

    def _reject(self, session: Session, batch: Batch, reason: str) -> None:
        if not self._keep:
            self._set_aside.add(offset=batch.start, line=b"".join(batch.lines), reason=reason)
        events = [{"type": "rejected", "count": 1, "reason": reason[:REASON_MAX_CHARS]}]
        if batch.start == 0:
            events.insert(0, self._stand_in_header())
        try:
            answer = self._ingest(session, batch.start, batch.end, json.dumps(events).encode())
        except BadData as error:
            raise DatabaseError(f"segment {self.segment.path.stem} cannot be stored: {error}") from error
        if self._took(batch, answer):
            self.rejected += 1

    def _took(self, batch: Batch, answer: int) -> bool:
        """Note where the database stands now; return whether it stands where the batch ends."""
        if answer == batch.end:
            self.ack.offset = answer
            return True
        if answer == batch.start:
            raise DatabaseError(f"the database stays at byte {answer} of segment {self.segment.path.stem}")
        self._stand_at(answer)
        return False

    def _stand_at(self, offset: int) -> None:
        """Go on from where the database stands, which is not where we thought."""
        if offset != self.ack.offset:
            self.ack.offset = offset
            self.ack.events = self.segment.count_events(offset) - self._set_aside.count_before(offset)

    def _acknowledge(self) -> None:
        self.dropped = self.segment.read_dropped()
        self.ack.dropped = self.dropped + self._set_aside.count_before(self.ack.offset)
        if not self._keep:
            write_ack(self.segment.path, self.ack)

    def _segment_end(self, gone_at_us: int | None, next_id: str | None) -> dict[str, Any]:
        """Say what the writer did not come to say."""
        segment = self.segment
        return {
            "type": "segment_end",
            "at_us": int(segment.changed_at_s * 1e6) if gone_at_us is None else gone_at_us,
            "status": "interrupted" if next_id is None else None,
            "collected": None,
            "dropped": segment.read_dropped(),
            "torn": int(segment.size > segment.whole),
            "next": next_id,
        }

    def _stand_in_header(self) -> dict[str, Any]:
        """Make a first line in the place of one that cannot be stored, so that the lines behind it can."""
        header = self.segment.header
        return {
            "dropped": 0,
            "type": "segment_start",
            "v": VERSION,
            "segment_id": header.segment_id,
            "run_id": header.run_id,
            "writer": header.writer or header.segment_id,
            "seq": header.seq,
            "parent": None,
            "role": "main",
            "host": header.host or os.uname().nodename,
            "framework": "unknown",
            "at_us": int((self.segment.changed_at_s or time.time()) * 1e6),
            "labels": {},
        }
