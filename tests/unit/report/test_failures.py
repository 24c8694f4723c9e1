from __future__ import annotations

from datetime import datetime, timezone

from crossbridge.analysis.tests import Failure
from crossbridge.report import failures
from crossbridge.report.failures import group_failures


def failure(test_id, message, error_type="AssertionError", status="failed"):
    return Failure(
        framework="pytest",
        test_id=test_id,
        status=status,
        attempt=1,
        created_at=datetime.now(timezone.utc),
        duration_us=5,
        error_type=error_type,
        error_message=message,
    )


def test_numbers_ids_and_quoted_values_make_no_other_group():
    found = group_failures(
        [
            failure("a", "order 17 of 'Ann' at 0x7f2b is late by 2.5 s"),
            failure("b", "order 4 of 'Bob O' at 0x11 is late by 31 s"),
            failure("c", "order 17 of 'Ann' is lost"),
        ]
    )
    assert [[test.test_id for test in group.tests] for group in found] == [["a", "b"], ["c"]]
    assert found[0].line == "order 17 of 'Ann' at 0x7f2b is late by 2.5 s"


def test_a_message_that_begins_with_its_type_makes_no_other_group():
    (group,) = group_failures(
        [
            failure("a", "ConnectionError: no answer", "ConnectionError"),
            failure("b", "no answer", "ConnectionError"),
        ]
    )
    assert (group.line, group.messages) == ("no answer", ["ConnectionError: no answer", "no answer"])


def test_another_error_type_makes_another_group():
    found = group_failures(
        [failure("a", "x"), failure("b", "x", "ValueError"), failure("c", "x", "ValueError")]
    )
    assert [(group.error_type, len(group.tests)) for group in found] == [
        ("ValueError", 2),
        ("AssertionError", 1),
    ]


def test_a_message_is_kept_once_and_found_by_each_test_that_has_it():
    found = group_failures(
        [failure("a", "late\ntrace 1"), failure("b", "late\ntrace 2"), failure("c", "late\ntrace 1")]
    )
    (group,) = found
    assert group.messages == ["late\ntrace 1", "late\ntrace 2"]
    assert [test.message for test in group.tests] == [0, 1, 0]


def test_messages_beyond_the_room_there_is_are_left_out_and_their_tests_are_not(monkeypatch):
    monkeypatch.setattr(failures, "MOST_MESSAGE_CHARACTERS", 12)
    (group,) = group_failures(
        [failure("a", "late\n1234567"), failure("b", "late\n7654321"), failure("c", None, None)]
    )[:1]
    assert group.messages == ["late\n1234567"]
    assert [test.message for test in group.tests] == [0, None]


def test_a_failure_without_type_and_message_is_shown_too():
    (group,) = group_failures([failure("a", None, None, "interrupted")])
    assert (group.error_type, group.line, group.messages, group.tests[0].status) == (
        "",
        "",
        [],
        "interrupted",
    )
