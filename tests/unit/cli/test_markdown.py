"""Names in Markdown stay names: shown to the letter, in one cell, marking nothing up."""

from __future__ import annotations

import html
import re
import string

import pytest
from markdown_it import MarkdownIt

from crossbridge.cli._markdown import code, table

HOSTILE = [
    "a | b || c",
    "`code` ``more``",
    "**bold** _under_ __init__ ~~gone~~ *x*",
    "@everyone please look, @org/team",
    "fixes #12, GH-12, org/repo#3",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "</code></td></table>",
    "[link](http://example.invalid) ![image](x) <http://example.invalid>",
    "https://example.invalid and www.example.invalid and WWW.example.invalid",
    "back\\slash \\| \\`",
    "&amp; &#42; &lt;",
    "# heading",
    "- item",
    "1. item",
    ":smile: :+1:",
    "$math$ and $$more$$",
    "tests/test_cart.py::TestCart::test_total[a-b_c]",
    "日本語 👩‍👩‍👧 עברית",
    string.printable.strip(),
]


def render(markdown):
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_shown_to_the_letter_in_its_cell(name):
    rendered = render("\n".join(table(["n", "test"], [["1", code(name)]])))
    cells = re.findall(r"<td[^>]*>(.*?)</td>", rendered, re.DOTALL)
    assert len(cells) == 2
    inner = re.fullmatch(r"<code>(.*)</code>", cells[1])
    assert inner
    assert "<" not in inner[1]
    assert html.unescape(inner[1]) == name


@pytest.mark.parametrize("name", ["two\nlines", "a\r\nb", "\u2028line", "\x1b[31mred", "rtl \u202e"])
def test_what_breaks_lines_or_hides_is_shown_as_an_escape(name):
    assert "\n" not in code(name)
    assert code(name).isprintable()
    assert "&#92;" in code(name)


def test_no_mention_and_no_link_is_left_in_the_source():
    for name in HOSTILE:
        assert not re.search(r"@|://|www\.|#\d+(?!\d*;)|[|`*<>\[\]]", code(name)[6:-7], re.IGNORECASE), name


def test_a_long_name_keeps_its_end():
    assert code("deep/" * 100 + "test_end").endswith("test_end</code>")
    assert len(code("deep/" * 100)) < 230


def test_nothing_is_a_dash():
    assert code(None) == code("") == "<code>-</code>"


def test_many_rows_fold_away():
    lines = table(["n", "test"], [[str(n), code(f"t{n}")] for n in range(30)])
    assert "<details><summary>10 more</summary>" in lines
    rendered = render("\n".join(lines))
    assert rendered.count("<table>") == 2
    assert rendered.count("<td") == 60
