"""Whatever is recorded becomes a line that JSON and PostgreSQL take (property tests)."""

from __future__ import annotations

import inspect
import json
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crossbridge.profiling.models import PerformanceEvent
from crossbridge.profiling.sanitise import MESSAGE_FIELDS, MESSAGE_LIMIT_BYTES, NAME_LIMIT_BYTES
from support.segments import collecting, only_segment

TEXT_FIELDS = (
    "test_id", "status", "suite", "file", "error_type", "error_message", "framework", "worker", "step_name",
    "event_type", "endpoint", "method", "command", "target", "error",
)  # fmt: skip
NUMBER_FIELDS = tuple(inspect.signature(PerformanceEvent).parameters.keys() - {*TEXT_FIELDS, "type", "at_us"})

# Python text may hold lone surrogates, which st.text() leaves out.
any_text = st.text(st.characters(codec=None, categories=None) | st.sampled_from('\0\ud800\udfff\\u"\n')) | st.builds(
    lambda text, times: text * times, st.text(st.characters(codec=None, categories=None), min_size=1, max_size=4), st.integers(1, 9000)
)  # fmt: skip
any_number = st.none() | st.booleans() | st.integers() | st.floats()
any_fields = st.builds(
    lambda kind, at_us, texts, numbers: {"type": kind, "at_us": at_us, **texts, **numbers},
    st.just("test_end") | any_text,
    st.integers(0, 1 << 62),
    st.dictionaries(st.sampled_from(TEXT_FIELDS), any_text, max_size=3),
    st.dictionaries(st.sampled_from(NUMBER_FIELDS), any_number, max_size=3),
)
LIMITS = {
    field: MESSAGE_LIMIT_BYTES if field in MESSAGE_FIELDS else NAME_LIMIT_BYTES
    for field in (*TEXT_FIELDS, "type")
}


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    """Record an event of these fields; return the bytes it became, line end included."""
    folder = tmp_path_factory.mktemp("project")
    with collecting(folder) as collector:
        path = only_segment(folder)

        def record(fields: dict[str, Any]) -> bytes:
            before = path.stat().st_size
            assert collector.collect(PerformanceEvent(**fields))
            with path.open("rb") as file:
                file.seek(before)
                return file.read()

        yield record
        assert collector.get_stats()["dropped"] == 0


@pytest.fixture(scope="module")
def connection(server):
    with psycopg.connect(**server.start().parameters(), autocommit=True) as connection:
        yield connection


def refuse(constant: str) -> Any:
    raise AssertionError(f"{constant} is no JSON")


def is_a_line(line: bytes) -> dict[str, Any]:
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert len(line) <= 256 << 10
    event: dict[str, Any] = json.loads(line.decode(), parse_constant=refuse)
    for field, value in event.items():
        if isinstance(value, str):
            assert "\0" not in value
            assert len(value.encode()) <= LIMITS[field]  # a lone surrogate could not be encoded
    return event


@settings(max_examples=300, deadline=None)
@given(fields=any_fields)
@example(fields={"type": "test_end", "test_id": "\0" * 9000, "error_message": "\ud800" * 9000})
@example(fields={"type": "x" * 5000, "test_id": "\\u0000"})
def test_any_event_becomes_one_line_of_json(record, fields):
    texts = {field: fields.get(field) for field in TEXT_FIELDS}
    found = is_a_line(record(fields))
    for field, text in texts.items():
        assert (found.get(field) is None) == (text is None)
        if text is not None and text.isascii() and "\0" not in text and len(text) <= NAME_LIMIT_BYTES:
            assert found[field] == text


def exact(text: str | bytes) -> Any:
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


@settings(max_examples=100, deadline=None)
@given(fields=any_fields)
def test_postgresql_takes_any_event(record, connection, fields):
    line = record(fields)
    ((stored,),) = connection.execute("SELECT %s::jsonb::text", [line.decode()]).fetchall()
    assert exact(stored) == exact(line)
