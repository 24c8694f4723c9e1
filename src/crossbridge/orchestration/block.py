"""Lines of ours in a file of the project's, between two marks, so that they can be found again and taken out.

The marks are the ledger: they travel with the file, into a colleague's clone too. What `insert` did to a file,
`remove` undoes byte for byte. Bytes, not text: every encoding a source file may have keeps ASCII as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

BROKEN = (
    "has lost or doubled one of the marks around what 'crossbridge init' wrote. Take those lines out by hand."
)

_BOM = b"\xef\xbb\xbf"


class BrokenMarks(ValueError):
    """The marks of a file are not one pair."""


@dataclass(frozen=True)
class Style:
    """The marks as comments of a language's."""

    made: bytes
    added: bytes
    end: bytes


def _line_comments(sign: str) -> Style:
    return Style(
        f"{sign} >>> made by 'crossbridge init', taken away by 'crossbridge init --remove' >>>".encode(),
        f"{sign} >>> added by 'crossbridge init', taken out by 'crossbridge init --remove' >>>".encode(),
        f"{sign} <<< crossbridge init <<<".encode(),
    )


HASH = _line_comments("#")
SLASHES = _line_comments("//")
# A comment of XML may hold no two dashes.
XML = Style(
    b"<!-- >>> made by 'crossbridge init', which takes it away with the option remove >>> -->",
    b"<!-- >>> added by 'crossbridge init', which takes it out with the option remove >>> -->",
    b"<!-- <<< crossbridge init <<< -->",
)


@dataclass(frozen=True)
class Block:
    """
    Where our lines stand in a file.

    `body` is what lies between the marks, line ends included; `indent` stands before the first mark.
    """

    before: bytes
    body: bytes
    after: bytes
    made: bool
    newline: bytes
    line: int
    ends_in_newline: bool
    style: Style
    indent: bytes


def newline_of(content: bytes) -> bytes:
    """Return the line end a file uses first; a plain newline where it has none."""
    first = next(iter(content.splitlines(keepends=True)), b"")
    return next((end for end in (b"\r\n", b"\r") if first.endswith(end)), b"\n")


def insert(content: bytes | None, lines: list[str], *, blank_lines: int = 1, style: Style = HASH) -> bytes:
    """Return the file with our lines at its end, after blank ones; None stands for a file that is not there."""
    if content is None:
        return _joined(style.made, lines, b"\n", style)
    newline = newline_of(content)
    block = _joined(style.added, lines, newline, style)
    if content in (b"", _BOM):
        return content + block
    if content.endswith((b"\n", b"\r")):
        return content + newline * blank_lines + block
    # The last line has no end: neither has ours, which is how `remove` knows.
    return content + newline * (1 + blank_lines) + block.removesuffix(newline)


def insert_at(content: bytes, at: int, lines: list[str], style: Style, indent: bytes = b"") -> bytes:
    """Return the file with our lines before a line of it, which begins at the byte `at`."""
    return content[:at] + _joined(style.added, lines, newline_of(content), style, indent) + content[at:]


def _joined(begin: bytes, lines: list[str], newline: bytes, style: Style, indent: bytes = b"") -> bytes:
    ours = (begin, *(line.encode("utf-8", "surrogateescape") for line in lines), style.end)
    return b"".join((indent + line if line else line) + newline for line in ours)


def find(content: bytes, style: Style = HASH) -> Block | None:
    """
    Return our lines in a file.

    Raises:
        BrokenMarks: One of the marks is missing, or there are several.
    """
    lines = content.removeprefix(_BOM).splitlines(keepends=True)
    bare = [line.rstrip(b"\r\n").lstrip(b" \t") for line in lines]
    begins = [index for index, line in enumerate(bare) if line in (style.made, style.added)]
    ends = [index for index, line in enumerate(bare) if line == style.end]
    if not begins and not ends:
        return None
    if len(begins) != 1 or len(ends) != 1 or ends < begins:
        raise BrokenMarks
    begin, end = begins[0], ends[0]
    bom = _BOM if content.startswith(_BOM) else b""
    return Block(
        before=bom + b"".join(lines[:begin]),
        body=b"".join(lines[begin + 1 : end]),
        after=b"".join(lines[end + 1 :]),
        made=bare[begin] == style.made,
        newline=newline_of(lines[begin]),
        line=begin + 1,
        ends_in_newline=lines[end].endswith((b"\r", b"\n")),
        style=style,
        indent=lines[begin][: lines[begin].index(bare[begin])],
    )


def replace(block: Block, lines: list[str]) -> bytes:
    """Return the file with other lines of ours in their place."""
    begin = block.style.made if block.made else block.style.added
    ours = _joined(begin, lines, block.newline, block.style, block.indent)
    return block.before + (ours if block.ends_in_newline else ours.removesuffix(block.newline)) + block.after


def remove(block: Block, kept: bytes = b"", *, blank_lines: int = 1) -> bytes | None:
    """Return the file without our lines, but with `kept` in their place; None when we made it and nothing is left."""
    before = block.before
    if not block.made:
        for _ in range(blank_lines):
            before = _without_blank_line(before, block.newline)
        if not block.ends_in_newline and not kept:
            before = before.removesuffix(block.newline)
    content = before + kept + block.after
    return None if block.made and not content else content


def _without_blank_line(text: bytes, newline: bytes) -> bytes:
    """Leave out a last line that is empty; only if somebody has taken it out already is there none."""
    shorter = text.removesuffix(newline)
    return shorter if shorter.endswith((b"\n", b"\r")) else text
