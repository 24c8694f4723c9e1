"""Lines that no database and no schema may take: name, line and the SQLSTATE (or its class) they are refused with."""

from __future__ import annotations

from typing import Any

from support.feed import NOON_US

YEAR_2000_US, YEAR_2100_US = 946_684_800_000_000, 4_102_444_800_000_000
END = {"type": "test_end", "at_us": NOON_US, "test_id": "a", "status": "passed", "duration_us": 1}
STEP = {"type": "step_end", "at_us": NOON_US, "test_id": "a", "step_name": "s", "duration_us": 1}
CALL = {"type": "http_call", "at_us": NOON_US, "endpoint": "e", "method": "GET", "duration_us": 1}
COMMAND = {"type": "driver_command", "at_us": NOON_US, "command": "click", "duration_us": 1}
START = {"type": "test_start", "at_us": NOON_US, "test_id": "a"}
FINISH = {"type": "segment_end", "at_us": NOON_US, "status": "passed"}


def _without(event: dict[str, Any], field: str) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name != field}


BAD_LINES: dict[str, tuple[Any, str]] = {
    "status not in the list": (END | {"status": "unknown"}, "23514"),
    "status in capitals": (END | {"status": "PASSED"}, "23514"),
    "step status not in the list": (STEP | {"status": "error"}, "23514"),
    "end status not in the list": (FINISH | {"status": "ok"}, "23514"),
    "negative duration": (END | {"duration_us": -1}, "23514"),
    "negative set-up": (END | {"setup_us": -1}, "23514"),
    "duration with a fraction": (END | {"duration_us": 1.5}, "22P02"),
    "duration in words": (END | {"duration_us": "long"}, "22P02"),
    "duration true": (END | {"duration_us": True}, "22P02"),
    "duration of 30 days, too long for integer milliseconds": (
        END | {"duration_us": 30 * 86400 * 10**6},
        "22003",
    ),
    "duration of 2**63": (END | {"duration_us": 2**63}, "22003"),
    "duration of 2**63 - 1": (END | {"duration_us": 2**63 - 1}, "22"),
    "attempt 0": (END | {"attempt": 0}, "23514"),
    "attempt of 2**31": (END | {"attempt": 2**31}, "22003"),
    "before the year 2000": (END | {"at_us": YEAR_2000_US - 1}, "22008"),
    "after the year 2099": (END | {"at_us": YEAR_2100_US}, "22008"),
    "milliseconds in place of microseconds": (END | {"at_us": NOON_US // 1000}, "22008"),
    "time of 2**63": (END | {"at_us": 2**63}, "22003"),
    "time as text of a date": (END | {"at_us": "2026-11-17"}, "22P02"),
    "no time": (_without(END, "at_us"), "22023"),
    "time null": (END | {"at_us": None}, "22023"),
    "no test_id": (_without(END, "test_id"), "22023"),
    "test_id null": (END | {"test_id": None}, "22023"),
    "test_id a number": (END | {"test_id": 7}, "22023"),
    "test_id an object": (END | {"test_id": {"a": 1}}, "22023"),
    "test_id too long": (END | {"test_id": "".join(map(chr, range(0x400, 0x400 + 501)))}, "23514"),
    "framework too long": (END | {"framework": "x" * 1001}, "23514"),
    "no status": (_without(END, "status"), "23502"),
    "no duration": (_without(END, "duration_us"), "23502"),
    "no type": (_without(END, "type"), "22023"),
    "type null": (END | {"type": None}, "22023"),
    "start without test_id": (_without(START, "test_id"), "22023"),
    "start with attempt 0": (START | {"attempt": 0}, "23514"),
    "step without test_id": (_without(STEP, "test_id"), "22023"),
    "step without name": (_without(STEP, "step_name"), "23502"),
    "step name a list": (STEP | {"step_name": ["s"]}, "22023"),
    "step name too long": (STEP | {"step_name": "y" * 1001}, "23514"),
    "step depth negative": (STEP | {"depth": -1}, "23514"),
    "call without endpoint": (_without(CALL, "endpoint"), "23502"),
    "call without method": (_without(CALL, "method"), "23502"),
    "call without duration": (_without(CALL, "duration_us"), "23502"),
    "endpoint an object": (CALL | {"endpoint": {}}, "22023"),
    "status_code in words": (CALL | {"status_code": "OK"}, "22P02"),
    "command without name": (_without(COMMAND, "command"), "23502"),
    "retry_count negative": (COMMAND | {"retry_count": -1}, "23514"),
    "cpu in words": ({"type": "system_metric", "at_us": NOON_US, "cpu_percent": "hot"}, "22P02"),
    "dropped without count": ({"type": "dropped", "at_us": NOON_US}, "22023"),
    "dropped a negative count": ({"type": "dropped", "at_us": NOON_US, "count": -1}, "22023"),
    "rejected without count": ({"type": "rejected"}, "22023"),
    "end with a negative collected": (FINISH | {"collected": -1}, "22023"),
    "end with a negative dropped": (FINISH | {"dropped": -1}, "22023"),
    "end with a negative torn": (FINISH | {"torn": -1}, "22023"),
    "a second segment_start": ({"type": "segment_start", "at_us": NOON_US, "v": 1}, "22023"),
    "a number": (7, "22023"),
    "a text": ("test_end", "22023"),
    "null": (None, "22023"),
    "a list": ([END], "22023"),
}
