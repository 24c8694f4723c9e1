"""Whole segments: each sample has its expected reading beside it, and what our writer writes has their form."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from crossbridge.profiling import segment as segment_module
from crossbridge.profiling.models import PerformanceEvent
from crossbridge.profiling.progress import run_progress
from crossbridge.profiling.shipping.reader import open_segment
from support.segments import append, collecting, new_writer, read_events, segment_paths
from support.spec import SPEC

if TYPE_CHECKING:
    from pathlib import Path

SAMPLES = sorted(path.stem for path in (SPEC / "samples").glob("*.jsonl"))
SCHEMA = Draft202012Validator(json.loads((SPEC / "events.schema.json").read_text(encoding="utf-8")))
BOOKKEEPING = {"segment_start", "segment_end", "dropped"}


def expected(name: str) -> dict[str, Any]:
    reading: dict[str, Any] = json.loads((SPEC / "samples" / f"{name}.json").read_text(encoding="utf-8"))
    return reading


def content(name: str) -> bytes:
    return (SPEC / "samples" / f"{name}.jsonl").read_bytes()


def whole_lines(data: bytes) -> list[bytes]:
    return [line for line in data.split(b"\n")[:-1] if line]


def parsed(line: bytes) -> dict[str, Any] | None:
    try:
        event: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    return event


@pytest.fixture
def in_spool(tmp_path):
    """Put a sample where its writer would have written it."""

    def put(name: str) -> Path:
        reading = expected(name)
        path = tmp_path / reading.get("run_id", "run") / f"{reading.get('segment_id', name)}.jsonl"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content(name))
        return path

    return put


def test_there_are_samples():
    assert len(SAMPLES) > 10
    assert sorted(path.stem for path in (SPEC / "samples").glob("*.json")) == SAMPLES


@pytest.mark.parametrize("name", SAMPLES)
def test_the_expected_reading_is_that_of_the_bytes(name):
    data, reading = content(name), expected(name)
    events = [parsed(line) for line in whole_lines(data)]
    assert reading["size"] == len(data)
    assert reading["whole"] == data.rfind(b"\n") + 1
    assert reading["torn"] == (not data.endswith(b"\n"))
    known = [event for event in events if event is not None]
    assert reading["events"] == len(events) - sum(event["type"] in BOOKKEEPING for event in known)
    assert len(reading["bad_lines_at"]) == len(events) - len(known)
    assert all(parsed(data[at:].split(b"\n")[0]) is None for at in reading["bad_lines_at"])
    assert reading["ended"] == (bool(known) and known[-1]["type"] == "segment_end")
    ends = [event for event in known if event["type"] == "test_end"]
    assert reading["tests"] == [
        [end["test_id"], end.get("attempt", 1), end["status"], end["duration_us"]] for end in ends
    ]
    for table, count in reading["rows"].items():
        kind = table.removesuffix("s") + ("_end" if table in {"tests", "steps"} else "")
        assert sum(event["type"] == kind for event in known) == count
    for event in known:
        SCHEMA.validate(event)


@pytest.mark.parametrize("name", [name for name in SAMPLES if name != "torn_header"])
def test_the_reader_reads_it_so(in_spool, name):
    path, reading = in_spool(name), expected(name)
    segment = open_segment(path)
    assert segment is not None
    segment.look()
    header = segment.header
    assert {key: getattr(header, key) for key in ("segment_id", "run_id", "writer", "seq")} == {
        key: reading[key] for key in ("segment_id", "run_id", "writer", "seq")
    }
    assert (segment.size, segment.whole, segment.ended) == (
        reading["size"],
        reading["whole"],
        reading["ended"],
    )
    assert segment.read_dropped() == reading["dropped"]
    assert segment.count_events(segment.whole) == reading["events"]


def test_a_torn_header_is_waited_for(in_spool):
    assert open_segment(in_spool("torn_header")) is None


@pytest.mark.parametrize("name", [name for name in SAMPLES if name != "torn_header"])
def test_the_collector_counts_it_so(in_spool, name):
    path, reading = in_spool(name), expected(name)
    progress = run_progress(str(path.parent))
    assert (progress.written, progress.spooled, progress.dropped) == (
        0,
        reading["events"],
        reading["dropped"],
    )


# What our writer writes


def form(data: bytes) -> list[Any]:
    """The lines with what differs from run to run left out: which fields, in which order, and values that say what."""
    lines = whole_lines(data)
    count = re.match(rb'\{"dropped":\d+ *,', lines[0])
    assert count is not None
    return [len(count[0]), *json.loads(lines[0])] + [
        {key: value for key, value in json.loads(line).items() if key not in {"at_us", "duration_us"}}
        | {"order": list(json.loads(line))}
        for line in lines[1:]
    ]


def test_our_writer_writes_the_sample_in_order(tmp_path):
    shop, pay = "tests/test_shop.py::test_buy", "tests/test_shop.py::test_pay[card-é]"
    place = {"suite": "tests/test_shop.py", "file": "tests/test_shop.py"}
    with collecting(tmp_path, environment="ci", labels={"team": "core"}) as collector:
        collector.record_test_start(shop, **place)
        collector.record_step_start(shop, "log in")
        collector.record_step_start(shop, "fill the form", event_type="keyword")
        collector.record_driver_command("sendKeysToElement", 700, target="css selector")
        collector.record_step_end(shop, "fill the form")
        collector.record_http_call("shop.example/api/users/{id}", "GET", 200, 1400)
        collector.record_step_end(shop, "log in")
        collector.record_test_end(shop, setup_us=1500, teardown_us=300, **place)
        collector.record_test_start(pay)
        why = {"error_type": "AssertionError", "error_message": "assert 1 == 2\n  where 1 = pay()"}
        collector.record_test_end(pay, status="failed", **why)
        collector.record_test_start(pay, attempt=2)
        collector.record_http_call("pay.example/", "POST", None, 400, error="ConnectionError")
        collector.record_test_end(pay, attempt=2)
        collector.collect(PerformanceEvent("system_metric", cpu_percent=12.5, memory_mb=80.0))
        collector.record_test_end("tests/test_shop.py::test_later", status="skipped", duration_us=40)
        collector.status = "passed"
    (path,) = segment_paths(tmp_path)
    assert form(path.read_bytes()) == form(content("in_order"))


def test_what_our_writer_writes_is_of_the_schema(tmp_path, monkeypatch):
    monkeypatch.setattr(segment_module, "ROTATE_BYTES", 3000)
    with collecting(tmp_path) as collector:
        for name in SAMPLES:
            for test_id, attempt, status, duration_us in expected(name)["tests"]:
                collector.record_test_start(test_id, attempt=attempt)
                collector.record_step_start(test_id, test_id)
                collector.record_step_end(test_id, test_id, status="skipped")
                collector.record_test_end(test_id, status=status, attempt=attempt, duration_us=duration_us)
    events = [event for path in segment_paths(tmp_path) for event in read_events(path)]
    assert {event["type"] for event in events} == {
        "segment_start", "segment_end", "test_start", "test_end", "step_start", "step_end",
    }  # fmt: skip
    for event in events:
        SCHEMA.validate(event)


def test_a_child_of_ours_has_the_form_of_the_sample(tmp_path):
    append(new_writer(tmp_path, parent=expected("in_order")["writer"]))
    (header, *_) = read_events(segment_paths(tmp_path)[0])
    sample = json.loads(content("forked_child").split(b"\n")[0])
    assert list(header) == list(sample)
    assert (header["role"], header["parent"]) == (sample["role"], sample["parent"])
    SCHEMA.validate(header)
