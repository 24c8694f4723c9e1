"""Segments in memory, delivered to a database the way a shipper does it."""

from __future__ import annotations

import json
import uuid
from itertools import accumulate, count, pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

NOON_US = 1_794_916_800_000_000  # 2026-11-17 12:00 UTC: far from the ends of a day and a month
INGEST = "SELECT crossbridge.ingest(%s, %s, %s, %s, %s::jsonb)"
_ids = count(1)


def new_id() -> str:
    """A UUID, another one each time and in ascending order."""
    return str(uuid.UUID(int=(0x5E6 << 112) + next(_ids)))


class Segment:
    """
    A segment file and how far it is delivered.

    `now_us` is its clock: each event happens a millisecond after the one before, or at the `at_us` given.
    """

    def __init__(self, run_id: str | None = None, **header: Any) -> None:
        self.id = header.pop("segment_id", None) or new_id()
        self.run_id = run_id or new_id()
        self.writer = header.pop("writer", None) or self.id
        self.now_us = header.pop("at_us", NOON_US)
        self.delivered = 0
        self.lines: list[dict[str, Any]] = []
        parent = header.pop("parent", None)
        self.add(
            "segment_start",
            dropped=header.pop("dropped", 0),
            v=1,
            segment_id=self.id,
            run_id=self.run_id,
            writer=self.writer,
            seq=header.pop("seq", 0),
            parent=parent,
            role="child" if parent else "main",
            framework=header.pop("framework", "pytest"),
            **header,
        )

    def add(self, type_: str, **fields: Any) -> Segment:
        self.now_us = fields.pop("at_us", self.now_us + 1000)
        self.lines.append({"type": type_, "at_us": self.now_us, **fields})
        return self

    def start(self, test_id: str, **fields: Any) -> Segment:
        return self.add("test_start", test_id=test_id, **fields)

    def end(self, test_id: str, status: str = "passed", duration_us: int = 1000, **fields: Any) -> Segment:
        return self.add("test_end", test_id=test_id, status=status, duration_us=duration_us, **fields)

    def step(self, test_id: str, step_name: str, duration_us: int = 500, **fields: Any) -> Segment:
        return self.add("step_end", test_id=test_id, step_name=step_name, duration_us=duration_us, **fields)

    def close(self, status: str | None = "passed", **fields: Any) -> Segment:
        return self.add(
            "segment_end", **({"status": status, "collected": None, "dropped": 0, "next": None} | fields)
        )

    @property
    def offsets(self) -> list[int]:
        """Where each line begins, and where the file ends."""
        return [0, *accumulate(len(json.dumps(line)) + 1 for line in self.lines)]

    def send(self, connection: psycopg.Connection[Any], first: int, last: int) -> int:
        """Hand over the lines `first` to `last` (excluded), whatever is delivered; return the database's answer."""
        offsets = self.offsets
        return self.call(connection, offsets[first], offsets[last], self.lines[first:last])

    def call(self, connection: psycopg.Connection[Any], start: int, end: int, lines: Any) -> int:
        row = connection.execute(INGEST, (self.id, self.run_id, start, end, json.dumps(lines))).fetchone()
        assert row is not None
        return row[0]

    def deliver(self, connection: psycopg.Connection[Any], *cuts: int) -> Segment:
        """Deliver what is new, in batches that end before each of the line numbers `cuts` and at the end."""
        ends = [cut for cut in cuts if cut > self.delivered] + [len(self.lines)]
        for first, last in pairwise([self.delivered, *ends]):
            assert self.send(connection, first, last) == self.offsets[last]
        self.delivered = len(self.lines)
        return self

    def abandon(self, connection: psycopg.Connection[Any], *, torn: int = 0, **fields: Any) -> int:
        """Close it as a reader does whose writer is gone: over the torn bytes, or over none."""
        end = {"type": "segment_end", "at_us": self.now_us + 1000, "status": "interrupted", "collected": None}
        size = self.offsets[-1]
        return self.call(
            connection, size, size + 7 * torn, [end | {"dropped": 0, "torn": torn, "next": None} | fields]
        )
