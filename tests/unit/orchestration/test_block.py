"""Our lines between their marks: in, found again, and out to the byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossbridge.orchestration import block

NEWLINES = (b"\n", b"\r\n", b"\r")
contents = st.one_of(
    st.none(),
    st.builds(
        lambda bom, lines, last: bom + b"".join(lines) + last,
        st.sampled_from((b"", b"\xef\xbb\xbf")),
        st.lists(
            st.builds(
                lambda line, newline: line + newline,
                st.binary(max_size=6).map(lambda line: line.translate(None, b"\r\n")),
                st.sampled_from(NEWLINES),
            ),
            max_size=5,
        ),
        st.sampled_from((b"", b"x", b" ", b"\xff")),
    ),
)
lines = st.lists(st.sampled_from(["a", "", "  b = 'c'", "# d"]), max_size=4)


@given(contents, lines, st.integers(0, 3))
def test_insert_then_remove_gives_back_every_byte(content, ours, blank_lines):
    merged = block.insert(content, ours, blank_lines=blank_lines)
    assert merged.startswith(content or b"")
    there = block.find(merged)
    assert there.body.splitlines() == [line.encode() for line in ours]
    assert there.made == (content is None)
    assert block.remove(there, blank_lines=blank_lines) == content


@given(contents, lines, lines)
def test_replaced_lines_are_removed_as_the_first_ones_would_be(content, first, second):
    replaced = block.replace(block.find(block.insert(content, first)), second)
    assert replaced == block.insert(content, second)


@given(contents, st.sampled_from((b"theirs\n", b" \n\n\ntheirs", b"theirs\r\n")))
def test_what_was_written_behind_stays_and_ours_goes(content, theirs):
    merged = block.insert(content, ["ours"])
    if not merged.endswith((b"\n", b"\r")):
        merged += b"\n"
    assert block.find(merged + theirs).after == theirs
    left = block.remove(block.find(merged + theirs))
    assert left.endswith(theirs)
    assert b"ours" not in left
    assert left.startswith(content or b"")


def test_blank_lines_that_somebody_took_out_are_not_taken_from_their_own():
    merged = block.insert(b"theirs\n", ["ours"], blank_lines=2).replace(b"\n\n\n", b"\n")
    assert block.remove(block.find(merged), blank_lines=2) == b"theirs\n"


@pytest.mark.parametrize(
    "broken",
    [
        block.HASH.added + b"\nours\n",
        b"ours\n" + block.HASH.end + b"\n",
        block.HASH.end + b"\n" + block.HASH.added + b"\n",
        block.insert(block.insert(b"a\n", ["ours"]), ["ours"]),
    ],
)
def test_marks_that_are_no_pair_are_told(broken):
    with pytest.raises(block.BrokenMarks):
        block.find(broken)


def test_a_mark_inside_a_longer_line_is_none():
    assert block.find(b"print('" + block.HASH.made + b"')\n") is None
