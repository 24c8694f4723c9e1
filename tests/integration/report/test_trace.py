"""A run as a trace: by the rules of the Trace Event Format, and with everything the run did in it."""

from __future__ import annotations

import json
from collections import defaultdict

import jsonschema
import pytest

from support.feed import NOON_US, Segment
from support.made_run import Shape, make_run

# "Trace Event Format": JSON object format, metadata and complete events. See crossbridge.analysis.trace for the source.
COMMON = {
    "name": {"type": "string"},
    "pid": {"type": "integer"},
    "tid": {"type": "integer"},
    "args": {"type": "object"},
}
SCHEMA = {
    "type": "object",
    "required": ["traceEvents"],
    "properties": {
        "displayTimeUnit": {"enum": ["ms", "ns"]},
        "otherData": {"type": "object"},
        "traceEvents": {
            "type": "array",
            "items": {
                "oneOf": [
                    {
                        "required": ["ph", "name", "pid", "tid", "args"],
                        "properties": {
                            **COMMON,
                            "ph": {"const": "M"},
                            "name": {
                                "enum": ["process_name", "process_labels", "thread_name", "thread_sort_index"]
                            },
                        },
                        "additionalProperties": False,
                    },
                    {
                        "required": ["ph", "name", "cat", "ts", "dur", "pid", "tid"],
                        "properties": {
                            **COMMON,
                            "ph": {"const": "X"},
                            "cat": {"type": "string"},
                            "ts": {"type": "integer", "minimum": 0},
                            "dur": {"type": "integer", "minimum": 0},
                        },
                        "additionalProperties": False,
                    },
                ]
            },
        },
    },
}


def slices(document, category=None):
    return [e for e in document["traceEvents"] if e["ph"] == "X" and category in (None, e["cat"])]


def check_format(document):
    jsonschema.validate(document, SCHEMA)
    named = {(e["pid"], e["tid"]) for e in document["traceEvents"] if e["name"] == "thread_name"}
    processes = {e["pid"] for e in document["traceEvents"] if e["name"] == "process_name"}
    threads = defaultdict(list)
    for event in slices(document):
        threads[event["pid"], event["tid"]].append(event)
    assert threads.keys() <= named
    assert {pid for pid, _ in threads} <= processes
    for events in threads.values():
        check_nesting(events)


def check_nesting(events):
    """Complete events of one thread nest: none ends within another one that began later."""
    around = []
    for event in sorted(events, key=lambda e: (e["ts"], -e["dur"])):
        end = event["ts"] + event["dur"]
        while around and around[-1] <= event["ts"]:
            around.pop()
        assert not around or end <= around[-1], event
        around.append(end)


def inside(inner, outer):
    return (
        (inner["pid"], inner["tid"]) == (outer["pid"], outer["tid"])
        and outer["ts"] <= inner["ts"]
        and inner["ts"] + inner["dur"] <= outer["ts"] + outer["dur"]
    )


@pytest.fixture
def trace(crossbridge):
    def trace(*args):
        document = json.loads(crossbridge("trace", *args).stdout)
        check_format(document)
        return document

    return trace


def test_a_run_is_traced_whole(trace, connection, now_us):
    run_id = make_run(connection, Shape(tests=80, workers=4), at_us=now_us - 60_000_000)
    document = trace(run_id)
    assert document["otherData"]["run_id"] == run_id
    for category, table in {
        "test": "tests",
        "step": "steps",
        "http": "http_calls",
        "driver": "driver_commands",
    }.items():
        stored = connection.execute(
            f"SELECT count(*), sum(duration_us)::bigint FROM crossbridge.{table}"
        ).fetchone()
        found = slices(document, category)
        assert (len(found), sum(e["dur"] for e in found)) == stored, category
    assert all(
        any(inside(step, test) for test in slices(document, "test")) for step in slices(document, "step")
    )


def test_nested_steps_and_phases_lie_within_their_test(trace, connection):
    segment = Segment(worker="gw0").start("t", at_us=NOON_US)
    segment.add("step_start", test_id="t", step_name="outer", step_index=0, depth=0)
    segment.step("t", "inner", 100_000, at_us=NOON_US + 400_000, step_index=1, depth=1)
    segment.step("t", "outer", 400_001, at_us=NOON_US + 500_000, step_index=0, depth=0, status="failed")
    segment.end("t", "failed", 1_000_000, at_us=NOON_US + 1_000_000, setup_us=90_000, teardown_us=50_000)
    segment.close().deliver(connection)
    document = trace()
    by_name = {event["name"]: event for event in slices(document)}
    assert by_name["t"]["dur"] == 1_000_000
    assert all(inside(by_name[name], by_name["t"]) for name in ("outer", "inner", "set-up", "tear-down"))
    assert inside(by_name["inner"], by_name["outer"])
    assert by_name["tear-down"]["ts"] == by_name["t"]["ts"] + 950_000
    assert by_name["outer"]["args"]["status"] == "failed"


def test_a_child_that_seems_to_begin_before_its_parent_by_rounding_stays_its_child(trace, connection):
    segment = Segment(worker="gw0").start("t", at_us=NOON_US)
    segment.add(
        "http_call",
        test_id="t",
        endpoint="h/a",
        method="GET",
        status_code=200,
        duration_us=300_002,
        at_us=NOON_US + 400_000,
    )
    segment.step("t", "s", 400_000, at_us=NOON_US + 500_000)
    segment.end("t", duration_us=1_000_000, at_us=NOON_US + 1_000_000).close().deliver(connection)
    document = trace()
    by_name = {event["name"]: event for event in slices(document)}
    assert inside(by_name["GET h/a"], by_name["s"])
    assert by_name["s"]["tid"] == by_name["t"]["tid"]


def test_calls_at_the_same_time_go_to_threads_beside_the_workers(trace, connection):
    segment = Segment(worker="gw0").start("t", at_us=NOON_US)
    for number in range(3):
        segment.add(
            "http_call", test_id="t", endpoint=f"h/{number}", method="GET", status_code=503,
            duration_us=200_000, at_us=NOON_US + 300_000 + 50_000 * number,
        )  # fmt: skip
    segment.end("t", duration_us=1_000_000, at_us=NOON_US + 1_000_000).close().deliver(connection)
    document = trace()
    calls = slices(document, "http")
    assert [call["dur"] for call in calls] == [200_000] * 3
    assert len({call["tid"] for call in calls}) == 3
    assert calls[0]["args"] == {"status": "failed", "detail": "503"}
    names = [e["args"]["name"] for e in document["traceEvents"] if e["name"] == "thread_name"]
    assert names == ["gw0", "gw0, at the same time 2", "gw0, at the same time 3"]


def test_calls_are_with_the_worker_that_ran_the_test_when_two_ran_it(trace, connection):
    run = Segment(worker="gw0", at_us=NOON_US)
    other = Segment(run.run_id, worker="gw1", at_us=NOON_US + 2_000_000)
    for segment in (run, other):
        began = segment.now_us
        segment.start("t", at_us=began)
        segment.add("driver_command", test_id="t", command="click", duration_us=10_000, at_us=began + 50_000)
        segment.end("t", duration_us=100_000, at_us=began + 100_000).close().deliver(connection)
    document = trace()
    tests, commands = slices(document, "test"), slices(document, "driver")
    assert [any(inside(command, test) for command in commands) for test in tests] == [True, True]
    assert len({test["tid"] for test in tests}) == 2


def test_what_belongs_to_no_test_has_a_thread_of_its_own(trace, connection):
    segment = Segment(at_us=NOON_US)
    segment.add(
        "http_call", endpoint="h/health", method="GET", error="refused", duration_us=10, at_us=NOON_US + 9000
    )
    segment.start("t").end("t").close().deliver(connection)
    document = trace()
    (call,) = slices(document, "http")
    (thread,) = [e for e in document["traceEvents"] if e["name"] == "thread_name" and e["tid"] == call["tid"]]
    assert thread["args"]["name"] == "outside tests"
    assert call["args"]["detail"] == "refused"


def test_a_run_without_events_is_an_empty_trace(trace, connection):
    Segment().deliver(connection)
    assert slices(trace()) == []


def test_the_trace_goes_to_a_file(crossbridge, connection, tmp_path):
    Segment().start("t").end("t").close().deliver(connection)
    file = tmp_path / "trace.json"
    answer = crossbridge("trace", "--out", file)
    assert answer.stdout == ""
    assert f"Written: {file}, 1 slice." in answer.stderr
    check_format(json.loads(file.read_bytes()))
    assert json.loads(crossbridge("trace", "--out", file, "--json").stdout)["slices"] == 1


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_dash_is_stdout(crossbridge, connection, tmp_path, options):
    Segment().start("t").end("t").close().deliver(connection)
    answer = crossbridge("trace", "--out", "-", *options)
    check_format(json.loads(answer.stdout))
    assert answer.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_told_in_one_line(crossbridge, connection, tmp_path):
    Segment().start("t").end("t").close().deliver(connection)
    answer = crossbridge("trace", "--out", tmp_path / "no" / "trace.json", code=2)
    assert (
        answer.stderr
        == f"crossbridge: cannot write {tmp_path}/no/trace.json: No such file or directory. Name another file.\n"
    )
