"""Whatever the batches, repeats, reorderings and rivals: each event is there once. And the rollups agree."""

from __future__ import annotations

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossbridge.database.connection import connect
from support.feed import NOON_US, Segment
from support.rollups import differences

# Text as the rules of sanitising leave it.
NAMES = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
TEST_IDS = st.sampled_from(["a", "b", "ü[1/2]"]) | NAMES
TIMES = st.integers(NOON_US - 10**13, NOON_US + 10**13)
DURATIONS = st.integers(0, 10**10)
ATTEMPTS = st.integers(1, 3)
EVENTS = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("test_start"), "at_us": TIMES, "test_id": TEST_IDS, "attempt": ATTEMPTS}
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("test_end"),
            "at_us": TIMES,
            "test_id": TEST_IDS,
            "attempt": ATTEMPTS,
            "duration_us": DURATIONS,
            "status": st.sampled_from(
                ["passed", "failed", "error", "skipped", "xfailed", "xpassed", "interrupted"]
            ),
        },
        optional={
            "framework": NAMES,
            "worker": NAMES,
            "error_message": st.text(max_size=9).filter(str.isprintable),
        },
    ),
    st.fixed_dictionaries(
        {"type": st.just("step_start"), "at_us": TIMES, "test_id": TEST_IDS, "step_name": NAMES}
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("step_end"),
            "at_us": TIMES,
            "test_id": TEST_IDS,
            "step_name": NAMES,
            "duration_us": DURATIONS,
        },
        optional={
            "status": st.sampled_from(["passed", "failed", "skipped"]),
            "step_index": st.integers(0, 9),
        },
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("http_call"),
            "at_us": TIMES,
            "endpoint": NAMES,
            "method": st.just("GET"),
            "duration_us": DURATIONS,
        }
    ),
    st.fixed_dictionaries(
        {"type": st.just("driver_command"), "at_us": TIMES, "command": NAMES, "duration_us": DURATIONS}
    ),
    st.fixed_dictionaries(
        {"type": st.just("system_metric"), "at_us": TIMES, "cpu_percent": st.floats(0, 100)}
    ),
    st.fixed_dictionaries({"type": st.just("news_from_the_future"), "at_us": TIMES}),
)
# How a shipper goes about it: how many lines a batch, and whether it sends it twice, from too early, or from too late.
MOVES = st.lists(
    st.tuples(st.integers(1, 9), st.sampled_from(["once", "twice", "early", "late", "rolled back"])),
    min_size=1,
    max_size=30,
)
TABLES = {
    "test_end": "tests",
    "step_end": "steps",
    "http_call": "http_calls",
    "driver_command": "driver_commands",
    "system_metric": "system_metrics",
}


def _ship(connection, segment, moves):
    """Deliver the whole segment, the moves over and over."""
    offsets, line = segment.offsets, 0
    while line < len(segment.lines):
        for length, way in moves:
            last = min(line + length, len(segment.lines))
            first = {"early": max(0, line - 1), "late": min(line + 1, last)}.get(way, line)
            if way == "rolled back":
                with connection.transaction(force_rollback=True):
                    segment.send(connection, first, last)
            elif first < last and (first == 0 or segment.lines[first]["type"] != "segment_start"):
                answer = segment.send(connection, first, last)
                if way == "twice":
                    assert segment.send(connection, first, last) >= answer
                line = max(line, offsets.index(answer))
        if not any(way in ("once", "twice") for _, way in moves):  # no other way gets anywhere by itself
            line = offsets.index(segment.send(connection, line, len(segment.lines)))


def _stored(connection, segment):
    found = {}
    for kind, table in TABLES.items():
        text = {
            "tests": "test_id",
            "steps": "step_name",
            "http_calls": "endpoint",
            "driver_commands": "command",
        }
        name = text.get(table, "cpu_percent")
        found[kind] = sorted(
            connection.execute(
                f"SELECT (extract(epoch FROM created_at) * 1000000)::bigint, {name} FROM crossbridge.{table}"
                " WHERE run_id = %s",
                (segment.run_id,),
            ).fetchall()
        )
    return found


def _expected(segment):
    names = ("test_id", "step_name", "endpoint", "command", "cpu_percent")
    field = dict(zip(TABLES, names, strict=True))
    return {
        kind: sorted((e["at_us"], e[field[kind]]) for e in segment.lines if e["type"] == kind)
        for kind in TABLES
    }


PROPERTY = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@PROPERTY
@given(events=st.lists(EVENTS, min_size=10, max_size=40), moves=MOVES, rival=MOVES)
def test_each_event_is_stored_once_with_two_shippers(shared_db, events, moves, rival):
    segment = Segment()
    segment.lines += events
    failures = []

    def ship_too():
        try:
            with connect(_target(shared_db)) as connection:
                _ship(connection, segment, rival)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=ship_too)
    thread.start()
    try:
        _ship(shared_db, segment, moves)
    finally:
        thread.join()

    assert failures == []
    assert _stored(shared_db, segment) == _expected(segment)
    counted = shared_db.execute(
        "SELECT events_written, events_dropped, events_spooled FROM crossbridge.runs WHERE run_id = %s",
        (segment.run_id,),
    ).fetchone()
    unknown = sum(event["type"] == "news_from_the_future" for event in events)
    assert counted == (len(events) - unknown, unknown, 0)


def test_and_the_rollups_agree(shared_db):
    # After all the examples above.
    assert shared_db.execute("SELECT count(*) > 10 FROM crossbridge.tests").fetchone() == (True,)
    assert differences(shared_db) == {}


def _target(connection):
    from crossbridge.database.target import Target

    info = connection.info
    return Target(info.host, info.port, info.dbname, info.user, info.password)


@pytest.fixture(autouse=True)
def _utc(shared_db):
    shared_db.execute("SET TIME ZONE 'UTC'")
