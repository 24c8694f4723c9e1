"""spec/events.schema.json says what crossbridge.ingest takes: tests/integration/database tries the same lines there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from support.bad_lines import BAD_LINES
from support.feed import Segment

SCHEMA = json.loads((Path(__file__).parents[3] / "spec" / "events.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA)
# The schema counts characters where the database counts bytes.
BEYOND_A_SCHEMA = {"test_id too long"}


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", sorted(BAD_LINES.keys() - BEYOND_A_SCHEMA))
def test_a_line_that_the_database_refuses_is_not_valid(name):
    line, _ = BAD_LINES[name]

    assert not VALIDATOR.is_valid(line)


def test_a_whole_segment_is_valid():
    segment = Segment(parent=None, labels={"a": "b"}, pid=1, worker=None, git_branch=None)
    segment.start("t", attempt=2, suite="s", file=None).add(
        "step_start", test_id="t", step_name="s", step_index=0
    )
    segment.step("t", "s", status="failed", depth=1, event_type="keyword").end(
        "t", error_message="no", setup_us=0
    )
    segment.add("http_call", endpoint="e", method="GET", duration_us=0, status_code=None)
    segment.add("driver_command", command="c", duration_us=0, retry_count=1)
    segment.add("system_metric", cpu_percent=0.5, memory_mb=None).add("dropped", count=3)
    segment.add("run_info", app_version="1").add("rejected", count=1, reason="why").close()

    for line in segment.lines:
        VALIDATOR.validate(line)


@pytest.mark.parametrize(
    "line", [{"type": "news", "x": [1]}, {"type": "rejected", "count": 1, "more": {}}], ids=["type", "field"]
)
def test_what_is_unknown_is_valid(line):
    VALIDATOR.validate(line)
