"""How many sessions deliver at once, how much they read ahead, and whose turn it is."""

from __future__ import annotations

import json
import threading

import pytest

from crossbridge.errors import DatabaseError, DatabaseUnreachable, SchemaError
from crossbridge.profiling.shipping import couriers as module
from crossbridge.profiling.shipping.chain import Chains
from crossbridge.profiling.shipping.couriers import Couriers
from crossbridge.profiling.spool import find_segments
from support.segment_file import SegmentFile


class Database:
    """Takes everything and counts sessions. The first calls wait for each other: so many must run at once."""

    name = target = "test"
    patience_s = 0.0

    def __init__(self) -> None:
        self.open = self.most_open = 0
        self.batches: list[int] = []
        self.error: Exception | None = None
        self.meet = threading.Barrier(1)
        self._lock = threading.Lock()

    def connect(self) -> Database:
        if isinstance(self.error, SchemaError):
            raise self.error
        with self._lock:
            self.open += 1
            self.most_open = max(self.most_open, self.open)
        return self

    def close(self) -> None:
        with self._lock:
            self.open -= 1

    def ingest(self, _segment_id: str, _run_id: str, start: int, end: int, events: bytes) -> int:
        if self.error:
            raise self.error
        if start > 1 << 60:
            return 0
        with self._lock:
            self.batches.append(len(json.loads(events)))
            among_the_first = len(self.batches) <= self.meet.parties
        if among_the_first:
            self.meet.wait(timeout=10)
        return end


def chains_of(spool, writers: int, tests: int) -> Chains:
    for _ in range(writers):
        segment = SegmentFile(spool)
        segment.events([{"type": "test_end", "at_us": 1, "test_id": "x" * 100} for _ in range(tests)])
        segment.end()
    chains = Chains()
    chains.take_in(find_segments([spool]))
    return chains


def carry_all(couriers: Couriers, chains: Chains) -> None:
    while work := [chain for chain in chains if chain.has_work()]:
        assert not couriers.carry(work, go_on=lambda: True)


@pytest.mark.parametrize(("writers", "pool_max", "sessions"), [(1, 10, 1), (3, 10, 3), (5, 2, 2)])
def test_a_backlog_of_several_writers_gets_several_sessions(tmp_path, writers, pool_max, sessions):
    database = Database()
    database.meet = threading.Barrier(sessions)
    chains = chains_of(tmp_path, writers, 3000)
    couriers = Couriers(database, pool_max=pool_max, queue_size=10_000)
    couriers.carry(list(chains), go_on=lambda: True)
    assert database.most_open == sessions


def test_without_a_backlog_there_is_one_session(tmp_path):
    database = Database()
    carry_all(Couriers(database, pool_max=10, queue_size=10_000), chains_of(tmp_path, 5, 20))
    assert database.most_open == 1


def test_sessions_beyond_the_first_are_closed_after_the_backlog(tmp_path):
    database = Database()
    couriers = Couriers(database, pool_max=10, queue_size=10_000)
    carry_all(couriers, chains_of(tmp_path / "large", 3, 3000))
    carry_all(couriers, chains_of(tmp_path / "small", 1, 20))
    assert database.open == 1
    couriers.close()
    assert database.open == 0


@pytest.mark.parametrize(
    ("writers", "queue_size", "largest"), [(1, 100_000, 5000), (1, 300, 300), (4, 8000, 2000)]
)
def test_no_more_is_read_ahead_than_the_queue_holds(tmp_path, monkeypatch, writers, queue_size, largest):
    monkeypatch.setattr(module, "ROUND_S", 60.0)  # what is left for another round has the queue to itself
    database = Database()
    chains = chains_of(tmp_path, writers, 6000)
    carry_all(Couriers(database, pool_max=10, queue_size=queue_size), chains)
    assert max(database.batches) == largest
    assert sum(database.batches) == writers * 6002


def test_every_writer_has_its_turn_in_a_round(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "ROUND_S", 0.0)
    database = Database()
    chains = chains_of(tmp_path, 3, 500)
    couriers = Couriers(database, pool_max=1, queue_size=100)
    couriers.carry(list(chains), go_on=lambda: True)
    assert database.batches == [100, 100, 100]


def test_stops_between_two_batches_when_told_to(tmp_path):
    database = Database()
    chains = chains_of(tmp_path, 1, 500)
    couriers = Couriers(database, pool_max=1, queue_size=100)
    couriers.carry(list(chains), go_on=lambda: len(database.batches) < 2)
    assert database.batches == [100, 100]


def test_an_outage_ends_the_round_and_the_sessions(tmp_path):
    database = Database()
    database.error = DatabaseUnreachable("away", permanent=False)
    chains = chains_of(tmp_path, 3, 5)
    couriers = Couriers(database, pool_max=10, queue_size=10_000)
    assert couriers.carry(list(chains), go_on=lambda: True) == {}
    assert couriers.outage is database.error
    assert not couriers.is_permanent
    assert database.open == 0
    database.error = None
    carry_all(couriers, chains)
    assert couriers.outage is None


def test_a_schema_that_may_not_be_made_is_a_permanent_outage(tmp_path):
    database = Database()
    database.error = SchemaError("may not")
    couriers = Couriers(database, pool_max=10, queue_size=10_000)
    couriers.carry(list(chains_of(tmp_path, 1, 5)), go_on=lambda: True)
    assert couriers.outage is database.error
    assert couriers.is_permanent


def test_a_refusal_concerns_the_writer_it_met_only(tmp_path):
    database = Database()
    database.error = DatabaseError("not today")
    chains = chains_of(tmp_path, 2, 5)
    couriers = Couriers(database, pool_max=10, queue_size=10_000)
    failures = couriers.carry(list(chains), go_on=lambda: True)
    assert list(failures.values()) == [database.error, database.error]
    assert couriers.outage is None
