"""What must be true of all rows is looked for: rows that lie are found."""

from __future__ import annotations

from crossbridge.database.connection import connect
from support.conformance import without_steps
from support.conformance_rows import TRUTHS, Store
from support.feed import NOON_US, Segment

# A statement that spoils a row, by the truth it offends.
LIES = {
    "began a duration before it ended": "steps SET started_at = started_at + interval '1 us'",
    "took time": "tests SET duration_us = 0",
    "set-up and tear-down are parts of the test": "tests SET setup_us = 5501",
    "lies within its test": "http_calls SET created_at = created_at + interval '1 s', started_at = started_at + interval '1 s'",
    "steps are numbered in order of start": "steps SET step_index = 1 - step_index",
    "steps within a step take no longer than it": "steps SET duration_us = 3001 WHERE step_index = 1",
    "outermost steps take no longer than their test": "tests SET duration_us = 2999",
}


def _segment():
    test = {"test_id": "a"}
    segment = Segment(at_us=NOON_US).add("test_start", at_us=NOON_US, **test)
    segment.add("http_call", endpoint="h/", method="GET", duration_us=500, at_us=NOON_US + 2800, **test)
    inner = {"step_name": "inner", "step_index": 1, "depth": 1, "duration_us": 1000}
    segment.add("step_end", at_us=NOON_US + 3000, **test, **inner)
    outer = {"step_name": "outer", "step_index": 0, "depth": 0, "duration_us": 3000}
    segment.add("step_end", at_us=NOON_US + 4000, **test, **outer)
    return segment.end("a", duration_us=6000, setup_us=500, teardown_us=500, at_us=NOON_US + 6000).close()


def test_every_lie_is_found(migrated):
    assert LIES.keys() == TRUTHS.keys()
    with connect(migrated) as connection:
        segment = _segment().deliver(connection)
        store = Store(connection, {}, deliver=lambda folder: None)
        assert store.untruths(segment.run_id) == []
        for truth, lie in LIES.items():
            with connection.transaction(force_rollback=True):
                connection.execute(f"UPDATE crossbridge.{lie}")
                found = store.untruths(segment.run_id)
            assert any(line.startswith(f"not so: {truth}: ") for line in found), (truth, found)


def test_calls_outside_of_tests_are_rows_too(migrated):
    with connect(migrated) as connection:
        segment = Segment().add("http_call", endpoint="127.0.0.1:8080/a", method="GET", duration_us=1).close()
        store = Store(connection, {}, deliver=lambda folder: None)
        segment.deliver(connection)
        call = {"method": "GET", "endpoint": "127.0.0.1:{port}/a", "status_code": None}
        assert store.rows(store.run_id()) == [{"test_id": None, "http_calls": [call]}]


def test_steps_that_are_there_by_chance_go_with_what_is_in_them():
    def row(*steps):
        return {"test_id": "a", "steps": [{"step_name": name, "depth": depth} for name, depth in steps]}

    rows = [
        row(("tidy", 0), ("in it", 1), ("deeper", 2)),
        row(("a", 0), ("tidy", 1), ("in it", 2), ("b", 1), ("c", 0)),
    ]
    assert without_steps(rows, ["tidy"]) == [{"test_id": "a"}, row(("a", 0), ("b", 1), ("c", 0))]
    assert without_steps(rows, []) == rows
