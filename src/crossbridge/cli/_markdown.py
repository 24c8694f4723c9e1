"""Markdown for a comment on a pull request. Names come from tests: nothing in them marks up, mentions or links."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crossbridge.cli._text import crop, safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LONGEST_NAME = 200
_SHOWN_ROWS = 20
# Letters, and marks where Markdown takes them for text. The rest become numeric references, which are never taken for
# marks, nor for the beginning of a link.
_MARKS = re.compile(
    r"[^0-9A-Za-z\u0080-\U0010ffff /.,=:_-]|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])|:(?=/)|(?i:(?<=www))\."
)


def code(text: str | None) -> str:
    """
    Show a name as code, in which GitHub and GitLab neither mention people nor link numbers and commits.

    An element of HTML, not backquotes: those would hold no backquote and, in a table, no bar.
    """
    shown = crop(safe(text), _LONGEST_NAME) or "-"
    return f"<code>{_MARKS.sub(lambda found: f'&#{ord(found[0])};', shown)}</code>"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], left: Sequence[str] = ()) -> list[str]:
    """
    Make a table; columns are right-aligned except those in `left` and the last. Long ones fold away after some rows.

    Cells must be safe already, or made by `code`.
    """
    lines = [f"| {' | '.join(row)} |" for row in rows]
    head = [
        f"| {' | '.join(columns)} |",
        f"|{'|'.join('---' if column in left else '---:' for column in columns[:-1])}|---|",
    ]
    if len(lines) <= _SHOWN_ROWS:
        return [*head, *lines, ""]
    rest = lines[_SHOWN_ROWS:]
    return [
        *head,
        *lines[:_SHOWN_ROWS],
        "",
        f"<details><summary>{len(rest):,} more</summary>",
        "",
        *head,
        *rest,
        "",
        "</details>",
        "",
    ]


def heading(words: str, level: int = 4) -> list[str]:
    return [f"{'#' * level} {words}", ""]


def print_markdown(lines: Iterable[str]) -> None:
    print("\n".join(lines).rstrip("\n"))
