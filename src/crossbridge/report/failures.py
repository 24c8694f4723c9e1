"""Failures grouped by error: what differs from test to test (numbers, ids, quoted values) makes no other group."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from crossbridge.cli._text import first_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crossbridge.analysis.tests import Failure

MOST_MESSAGE_CHARACTERS = 2_000_000  # of all messages in a report
_VARYING = re.compile(
    r"0x[0-9a-fA-F]+|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|\d+(?:\.\d+)?|'[^']{0,200}'|\"[^\"]{0,200}\""
)


class FailedTest(Struct, frozen=True, kw_only=True):
    """One failing test of a group; `message` is its place among the group's messages, None when there was no room."""

    framework: str
    test_id: str
    status: str
    attempt: int
    duration_us: int
    message: int | None
    note: str = ""


class ErrorGroup(Struct, frozen=True, kw_only=True):
    """Tests that failed with the same kind of error; `line` is without it, and each message is kept once."""

    error_type: str
    line: str
    messages: list[str]
    tests: list[FailedTest]


def group_failures(
    failures: Iterable[Failure], notes: dict[tuple[str, str], str] | None = None
) -> list[ErrorGroup]:
    """
    Group failures by error type and the first line of the message, the largest group first.

    `notes` holds a remark on a test, by framework and test_id.
    """
    groups: dict[tuple[str, str], ErrorGroup] = {}
    places: dict[tuple[int, str], int] = {}
    room = MOST_MESSAGE_CHARACTERS
    for failure in failures:
        kind, message = failure.error_type or "", failure.error_message or ""
        line = first_line(message).removeprefix(f"{kind}: ")  # some frameworks put the type there
        key = kind, _VARYING.sub("…", line)
        group = groups.setdefault(key, ErrorGroup(error_type=kind, line=line, messages=[], tests=[]))
        place = places.get((id(group), message))
        if place is None and message and len(message) <= room:
            room -= len(message)
            place = places[id(group), message] = len(group.messages)
            group.messages.append(message)
        group.tests.append(
            FailedTest(
                framework=failure.framework,
                test_id=failure.test_id,
                status=failure.status,
                attempt=failure.attempt,
                duration_us=failure.duration_us,
                message=place,
                note=(notes or {}).get((failure.framework, failure.test_id), ""),
            )
        )
    return sorted(groups.values(), key=lambda group: -len(group.tests))
