"""Each line is stored once, in order, whatever fails in whatever order: a database that fails at any call it is told to.

The real database's side of the bargain is tested in tests/integration; this one exists to fail where no real one can
be made to, and to be tried a thousand times.
"""

from __future__ import annotations

import json
import tempfile
from itertools import pairwise
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from crossbridge.errors import BadData, DatabaseError, DatabaseUnreachable
from crossbridge.profiling.shipping.chain import Chains
from crossbridge.profiling.shipping.couriers import Couriers
from crossbridge.profiling.spool import find_segments
from support.segment_file import SegmentFile, gone

DEAD = gone()
BAD = b'{"type":"bad"}'
TORN = b'{"torn'
OUTCOMES = st.sampled_from(["fine", "lost before", "lost after", "refused", "another reader was faster"])


class FickleDatabase:
    """
    Compare-and-set by the rules of spec/segment.md, in memory. `outcomes` says how the calls fare; then all is fine.

    BAD is bad data.
    """

    name = target = "fickle"
    patience_s = 0.0

    def __init__(self, outcomes: list[str]) -> None:
        self.outcomes = list(outcomes)
        self.stands: dict[str, int] = {}
        self.stored: dict[str, list[dict]] = {}

    def connect(self) -> FickleDatabase:
        return self

    def close(self) -> None:
        pass

    def ingest(self, segment_id: str, _run_id: str, start: int, end: int, events: bytes) -> int:
        outcome = self.outcomes.pop(0) if self.outcomes else "fine"
        if outcome == "lost before":
            raise DatabaseUnreachable("lost before")
        if outcome == "refused":
            raise DatabaseError("refused")
        if outcome == "another reader was faster" and start == self.stands.get(segment_id, 0) < end:
            self._take(segment_id, start, end, events)
        answer = self._take(segment_id, start, end, events)
        if outcome == "lost after":
            raise DatabaseUnreachable("lost after")
        return answer

    def _take(self, segment_id: str, start: int, end: int, events: bytes) -> int:
        stands = self.stands.get(segment_id, 0)
        if BAD in events or not _is_json(events):
            raise BadData("no")
        if start != stands:
            return stands
        self.stands[segment_id] = end
        self.stored.setdefault(segment_id, []).extend(json.loads(events))
        return end


def _is_json(events: bytes) -> bool:
    try:
        return isinstance(json.loads(events), list)
    except ValueError:
        return False


EVENTS = st.lists(
    st.sampled_from([b'{"type":"test_end"}', b'{"type":"dropped"}', BAD, b"", TORN] + [b'{"type":"x"}'] * 9),
    max_size=40,
)


@given(
    lines=EVENTS,
    outcomes=st.lists(OUTCOMES, max_size=60),
    max_events=st.integers(1, 12),
    restarts=st.integers(0, 5),
    ends=st.booleans(),
    rotates_at=st.integers(0, 40),
)
@settings(deadline=None, max_examples=150)
def test_every_line_is_stored_once_and_in_order(lines, outcomes, max_events, restarts, **writing):
    database = FickleDatabase(outcomes)
    with tempfile.TemporaryDirectory() as folder:
        spool = Path(folder)
        segments = _written(spool, lines, **writing)
        attempts = 0
        while find_segments([spool]):
            # A new one of everything now and then: what a restarted shipper knows is what lies in the spool.
            if attempts % (restarts + 1) == 0:
                chains = Chains()
                couriers = Couriers(database, pool_max=1, queue_size=max_events)
                chains.take_in(find_segments([spool]))
            attempts += 1
            for chain in chains:
                chain.check_writer()
            couriers.carry([chain for chain in chains if chain.has_work()], go_on=lambda: True)
            assert attempts < 2 * len(outcomes) + 10, "it does not come to an end"
        records = [
            json.loads(line) for path in spool.glob("rejected/*") for line in path.read_text().splitlines()
        ]
    stored = [event for segment in segments for event in database.stored[segment.segment_id]]
    refused = [line for line in lines if line in (BAD, TORN)]
    good = [json.loads(line) for line in lines if line and line not in refused]
    bookkeeping = ("segment_start", "segment_end", "rejected")
    assert [event for event in stored if event["type"] not in bookkeeping] == good
    assert sum(event["type"] == "rejected" for event in stored) == len(refused)
    assert sorted(record["line"].encode() for record in records) == sorted(refused)
    for segment in segments:
        assert [event["type"] for event in database.stored[segment.segment_id]].count("segment_start") == 1
        assert database.stored[segment.segment_id][-1]["type"] == "segment_end"
    assert all(first.segment_id in database.stored for first, _ in pairwise(segments))


def test_what_a_writer_wrote_just_before_its_death_is_delivered(tmp_path):
    database = FickleDatabase([])
    segment = SegmentFile(tmp_path, **DEAD)
    chains, couriers = Chains(), Couriers(database, pool_max=1, queue_size=100)
    chains.take_in(find_segments([tmp_path]))
    segment.raw(b'{"type":"test_end"}\n')  # after the last look
    for chain in chains:
        chain.check_writer()
        couriers.carry([chain], go_on=lambda: True)
    assert [event["type"] for event in database.stored[segment.segment_id]] == [
        "segment_start",
        "test_end",
        "segment_end",
    ]


def test_a_database_that_was_set_back_before_the_end_gets_all_of_it_again(tmp_path):
    database = FickleDatabase([])
    segment = SegmentFile(tmp_path, **DEAD)
    segment.test("a::one")
    segment.raw(TORN)
    chains, couriers = Chains(), Couriers(database, pool_max=1, queue_size=100)
    chains.take_in(find_segments([tmp_path]))
    for chain in chains:
        couriers.carry([chain], go_on=lambda: True)
        assert database.stands
        database.stands.clear()
        database.stored.clear()
        chain.check_writer()
        while chain.has_work():
            couriers.carry([chain], go_on=lambda: True)
    assert len(database.stored[segment.segment_id]) == 4
    assert not segment.path.exists()


def _written(spool: Path, lines: list[bytes], *, rotates_at: int, ends: bool) -> list[SegmentFile]:
    segments = [SegmentFile(spool, **DEAD)]
    for number, line in enumerate(lines):
        if number == rotates_at:
            segments.append(segments[-1].rotate())
        segments[-1].raw(line + b"\n")
    if ends:
        segments[-1].end()
    else:
        segments[-1].close()
    return segments
