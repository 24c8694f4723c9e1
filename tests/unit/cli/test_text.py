from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from crossbridge.cli._text import (
    ago,
    counted,
    crop,
    crop_end,
    duration,
    first_line,
    moment,
    percent,
    safe,
    size,
)

NOW = datetime(2026, 11, 24, 10, 30, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("tests/test_a.py::test_b[1-2]", "tests/test_a.py::test_b[1-2]"),
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("two\nlines\r\tand", r"two\nlines\r\tand"),
        ("a\u202eb\u2066c\u200ed", r"a\u202eb\u2066c\u200ed"),
        ("a\u2028b\u2029c\u0085d", r"a\u2028b\u2029c\x85d"),
        ("no\u00a0break, soft\u00adhyphen, \ufeff", r"no\xa0break, soft\xadhyphen, \ufeff"),
        ("日本語 עברית العربية é", "日本語 עברית العربية é"),
        ("👩‍👩‍👧 می‌خواهم", "👩‍👩‍👧 می‌خواهم"),
        ("wide\u3000space", "wide\u3000space"),
        ("[bold]markup[/bold] :smile:", "[bold]markup[/bold] :smile:"),
        (None, ""),
    ],
)
def test_whatever_steers_a_terminal_is_shown_as_an_escape(text, shown):
    assert safe(text) == shown


@given(st.text(max_size=80))
def test_safe_text_is_one_line_without_control_or_direction_characters(text):
    shown = safe(text)
    assert len(shown.splitlines()) <= 1
    assert all(c.isprintable() or c in "\u200c\u200d" or c.isspace() for c in shown)
    assert not set(shown) & set(
        "\x1b\x9b\x07\r\n\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
    )
    assert safe(shown) == shown


@given(st.text(max_size=80).map(safe), st.integers(0, 60))
def test_cropped_text_fits_and_keeps_both_ends(text, cells):
    for cropped in (crop(text, cells), crop_end(text, cells)):
        assert cell_len(cropped) <= cells
        assert cropped == text or "…" in cropped or cells == 0
    if cell_len(text) <= cells:
        assert crop(text, cells) == crop_end(text, cells) == text


def test_a_name_loses_its_middle_and_a_sentence_its_end():
    assert (
        crop("tests/unit/test_checkout.py::TestCard::test_refund[visa]", 30)
        == "tests/unit…::test_refund[visa]"
    )
    assert crop_end("AssertionError: assert 1 == 2", 20) == "AssertionError: ass…"
    assert crop("日本語" * 5, 9) == "日本…本語"


@pytest.mark.parametrize(
    ("us", "shown"),
    [
        (None, "-"),
        (0, "0 µs"),
        (999.4, "999 µs"),
        (999.6, "1.0 ms"),
        (12_345, "12.3 ms"),
        (99_949, "99.9 ms"),
        (99_951, "100 ms"),
        (850_000, "850 ms"),
        (999_499, "999 ms"),
        (999_501, "1.00 s"),
        (3_200_000, "3.20 s"),
        (59_994_999, "59.99 s"),
        (59_995_001, "1 m 00 s"),
        (192_000_000, "3 m 12 s"),
        (3_599_600_000, "1 h 00 m"),
        (7_500_000_000, "2 h 05 m"),
        (86_400_000_000 * 100, "2,400 h 00 m"),
    ],
)
def test_durations_have_three_digits_and_a_unit(us, shown):
    assert duration(us) == shown


def test_shares_and_counts():
    assert percent(21, 438) == "4.79%"
    assert percent(0, 0) == "-"
    assert counted(1, "test") == "1 test"
    assert counted(1438, "test") == "1,438 tests"


@pytest.mark.parametrize(
    ("n_bytes", "shown"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1_048_524, "1023.9 KiB"),
        (1_048_576, "1.0 MiB"),
        (2 << 30, "2.0 GiB"),
    ],
)
def test_sizes_are_in_binary_units(n_bytes, shown):
    assert size(n_bytes) == shown


@pytest.mark.parametrize(
    ("age", "shown"),
    [
        (timedelta(seconds=-90), "just now"),
        (timedelta(seconds=59), "59 s ago"),
        (timedelta(seconds=60), "1 min ago"),
        (timedelta(hours=25), "1 d ago"),
    ],
)
def test_ages_are_told_in_their_largest_unit(age, shown):
    assert ago(NOW - age, NOW) == shown


def test_moments_are_told_in_utc():
    assert (
        moment(datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2))))
        == "2026-01-02 01:04:05 UTC"
    )
    assert (moment(None), ago(None)) == ("-", "never")


def test_the_first_line_that_says_something_is_told():
    assert first_line("\n  \n  assert 1 == 2\x1b[0m  \n+  where") == r"assert 1 == 2\x1b[0m"
    assert first_line(None) == first_line("\n \n") == ""
