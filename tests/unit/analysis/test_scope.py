from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest

from crossbridge.analysis.scope import Scope, parse_since
from crossbridge.errors import UsageError

NOW = datetime(2026, 11, 24, 10, 30, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("90m", timedelta(minutes=90)),
        ("24h", timedelta(hours=24)),
        ("7d", timedelta(days=7)),
        (" 2W ", timedelta(weeks=2)),
        ("1y", timedelta(days=365)),
        ("0h", timedelta(0)),
    ],
)
def test_an_age_is_counted_back_from_now(text, age):
    assert parse_since(text, NOW) == NOW - age


def test_a_date_or_time_is_local_unless_it_names_a_zone():
    assert parse_since("2026-11-01") == datetime(2026, 11, 1).astimezone()
    assert parse_since("2026-11-01T12:30") == datetime(2026, 11, 1, 12, 30).astimezone()
    assert parse_since("2026-11-01T12:30Z") == datetime(2026, 11, 1, 12, 30, tzinfo=timezone.utc)
    assert parse_since("2026-11-01T12:30+02:00") == datetime(2026, 11, 1, 10, 30, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "text",
    ["", "7", "d", "7s", "9999y", "-7d", "yesterday", "2026-13-01", "1.5h", "9999-12-31T23:30", "2026-12-25"],
)
def test_anything_else_is_refused_with_the_value_and_a_mend(text):
    with pytest.raises(UsageError) as refused:
        parse_since(text, NOW)
    assert repr(text) in str(refused.value)
    assert "Try --since 7d." in str(refused.value)
    assert refused.value.exit_code == 2


def test_rollups_begin_at_the_first_whole_hour_and_day():
    parameters = Scope(NOW).parameters()
    assert parameters["first_hour"] == datetime(2026, 11, 24, 11, tzinfo=timezone.utc)
    assert parameters["first_day"] == date(2026, 11, 25)


def test_a_window_that_begins_with_a_day_needs_no_rows():
    midnight = datetime(2026, 11, 24, 2, tzinfo=timezone(timedelta(hours=2)))
    parameters = Scope(midnight).parameters()
    assert parameters["first_hour"] == parameters["since"] == midnight
    assert parameters["first_day"] == date(2026, 11, 24)
    part = Scope(midnight).slice()
    assert part["edge_since"] == part["edge_until"] == midnight


def test_no_rollup_of_days_is_used_for_a_branch():
    assert Scope(NOW, branch="main").parameters()["first_day"] == "infinity"


def test_rows_are_added_before_the_days_of_tests_or_taken_off_them():
    after, before = (datetime(2026, 11, day, tzinfo=timezone.utc) for day in (25, 24))
    for midnight, begins, edge in (
        (None, after, (NOW, after, 1)),
        (after, after, (NOW, after, 1)),
        (before, before, (before, NOW, -1)),
    ):
        part = Scope(NOW).slice(midnight)
        assert (part["slice_tail"], part["slice_days"], part["slice_from"]) == (begins.date(), [], begins)
        assert (part["edge_since"], part["edge_until"], part["sign"]) == edge
        assert part["whole_day"] == after.date()


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ("*", date(2026, 11, 25))),
        ({"environment": "ci"}, ("ci", date(2026, 11, 25))),
        ({"branch": "main"}, ("*main", date(2026, 11, 25))),
        ({"environment": "ci", "branch": "main"}, ("*", "infinity")),
    ],
)
def test_the_days_of_tests_know_environments_or_branches(filters, expected):
    part = Scope(NOW, **filters).slice()
    assert (part["slice"], part["slice_tail"]) == expected


def test_days_of_rolled_weeks_are_left_out():
    weeks = [date(2026, 11, 30), date(2026, 12, 14)]

    part = Scope(NOW).slice(weeks=weeks)

    assert part["slice_weeks"] == weeks
    outside = [date(2026, 11, 25 + day) for day in range(5)] + [date(2026, 12, 7 + day) for day in range(7)]
    assert part["slice_days"] == outside
    assert part["slice_tail"] == date(2026, 12, 21)
