from __future__ import annotations

import inspect
import json
import math

import pytest

from crossbridge.profiling.models import PerformanceEvent
from crossbridge.profiling.sanitise import clean_text
from support.segments import collecting, read_spool
from support.spec import cases, name_of

FIELDS_OF_EVENTS = inspect.get_annotations(PerformanceEvent.__init__)


def built(pieces: list[dict]) -> str:
    return "".join(
        "".join(map(chr, piece["code_units"]))
        if "code_units" in piece
        else piece["text"] * piece.get("times", 1)
        for piece in pieces
    )


@pytest.mark.parametrize("case", cases("sanitising"), ids=name_of)
def test_text_is_made_storable(case):
    assert clean_text(built(case["input"]), field=case["field"]) == built(case["output"])


@pytest.mark.parametrize("case", cases("sanitising"), ids=name_of)
def test_what_is_storable_stays(case):
    assert clean_text(built(case["output"]), field=case["field"]) == built(case["output"])


@pytest.mark.parametrize(
    "case", [case for case in cases("sanitising") if case["field"] in FIELDS_OF_EVENTS], ids=name_of
)
def test_the_collector_writes_it_so(tmp_path, case):
    with collecting(tmp_path) as collector:
        assert collector.collect(PerformanceEvent("test_end", **{case["field"]: built(case["input"])}))
    (event,) = read_spool(tmp_path)
    assert event[case["field"]] == built(case["output"])


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_become_null(tmp_path, number):
    with collecting(tmp_path) as collector:
        assert collector.collect(PerformanceEvent("system_metric", cpu_percent=number, memory_mb=0.5))
    (event,) = read_spool(tmp_path)
    assert (event["cpu_percent"], event["memory_mb"]) == (None, 0.5)


def test_the_longest_event_stays_below_the_longest_line(tmp_path):
    text = {name for name, kind in FIELDS_OF_EVENTS.items() if "str" in kind}
    with collecting(tmp_path) as collector:
        assert collector.collect(PerformanceEvent(**dict.fromkeys(text, "\x01" * 9000)))
    line = max(next(tmp_path.rglob("*.jsonl")).read_bytes().split(b"\n"), key=len)
    assert len(json.loads(line)) == len(text) + 1
    assert len(line) < 256 << 10
