"""Tables and text on the screen: figures first and right-aligned, the name last, cut to the terminal's width.

Piped into a file nothing is cut, unless COLUMNS says how wide a line may be. Colours only on a terminal, and not
with NO_COLOR.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.console import Console, Group
from rich.measure import Measurement
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from crossbridge.cli._text import crop, crop_end, safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import ConsoleOptions, RenderableType, RenderResult
    from rich.style import StyleType

_UNCUT_CELLS = 20_000
_WIDEST_WORD_CELLS = 16  # of a framework or a worker, where the line is short

STATUS_STYLE = {
    "passed": "green",
    "failed": "red",
    "error": "red",
    "interrupted": "magenta",
    "skipped": "yellow",
    "xfailed": "yellow",
    "xpassed": "yellow",
    "running": "cyan",
}


class Name:
    """An untrusted name: on one line, harmless, and with its middle left out where it is too long."""

    _least_cells = 32  # shorter, few names can be told apart

    def __init__(self, text: str | None, style: StyleType = "") -> None:
        self._text = safe(text) or "-"
        self._style = style

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        yield self.cut(options.max_width)

    def __rich_measure__(self, _console: Console, _options: ConsoleOptions) -> Measurement:
        width = cell_len(self._text)
        return Measurement(min(width, self._least_cells), width)

    def cut(self, cells: int) -> Text:
        """Fit it into so many cells."""
        return Text(self._crop(self._text, cells), self._style, no_wrap=True, end="")

    _crop = staticmethod(crop)


class Sentence(Name):
    """Untrusted prose, of which the end is left out where it is too long."""

    _least_cells = 16
    _crop = staticmethod(crop_end)


def stdout() -> Console:
    """Make the console for data."""
    cut = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(highlight=False, emoji=False, markup=False, width=None if cut else _UNCUT_CELLS)


def show(*parts: RenderableType) -> None:
    """Print to stdout, without the blanks that fill up cells at the end of a line."""
    console = stdout()
    for line in Segment.split_lines(console.render(Group(*parts))):
        text = Text.assemble(*((segment.text, segment.style or "") for segment in line))
        text.rstrip()
        console.print(text, soft_wrap=True)


def heading(text: str, *remarks: str) -> Text:
    """Make a section's title, with what is left to say about it."""
    return Text.assemble((text, "bold"), ("  " + ", ".join(remarks) if remarks else "", "dim"))


class Rows:
    """
    A table, indented by two: columns are right-aligned, except those in `left` and the last, the name.

    A name has what the figures leave of the line; where that is too little to tell it by, it has a line of its own.
    Text in cells must be safe already, or a `Name`.
    """

    def __init__(
        self, columns: Sequence[str], rows: Iterable[Sequence[RenderableType]], left: Sequence[str] = ()
    ) -> None:
        self._columns = columns
        self._rows = list(rows)
        self._left = left

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        figures = self._grid(self._columns[:-1], widest_word=_WIDEST_WORD_CELLS)
        whole = options.update_width(_UNCUT_CELLS)
        width = Measurement.get(console, whole, figures).maximum
        names = [row[-1] for row in self._rows]
        least = max((Measurement.get(console, options, name).minimum for name in names), default=0)
        if width + least <= options.max_width:
            yield self._grid(self._columns)
            return
        lines = console.render_lines(figures, whole.update_width(width), pad=False)
        for line, name in zip(lines, [Text(self._columns[-1], "dim"), *names], strict=True):
            yield from (*line, Segment.line())
            yield Padding(name, (0, 0, 0, 4))

    def _grid(self, columns: Sequence[str], widest_word: int | None = None) -> Table:
        grid = Table(box=None, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        grid.add_column("", width=0)
        for column in columns:
            # Only the name gives way when the line is too long: it alone may wrap, and names cut themselves.
            if column == self._columns[-1]:
                grid.add_column(column)
            elif column in self._left:
                grid.add_column(column, no_wrap=True, max_width=widest_word)
            else:
                grid.add_column(column, no_wrap=True, justify="right")
        for row in self._rows:
            grid.add_row("", *row[: len(columns)])
        return grid


class Entries:
    """A list of tests: status, framework and name, and on a line below what is to say about it, if anything."""

    def __init__(self, rows: Iterable[tuple[str, str, str, str]]) -> None:
        self._rows = [
            (word, safe(framework), Name(name), Sentence(remark, "dim") if remark else None)
            for word, framework, name, remark in rows
        ]

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        words = max(cell_len(word) for word, *_ in self._rows)
        frameworks = max(cell_len(framework) for _, framework, *_ in self._rows)
        for word, framework, name, remark in self._rows:
            head = Text.assemble(
                "  ", status(word.ljust(words)), "  ", set_cell_size(framework, frameworks), "  "
            )
            yield Text.assemble(head, name.cut(options.max_width - head.cell_len))
            if remark:
                yield Text.assemble("    ", remark.cut(options.max_width - 4))


def status(text: str) -> Text:
    """Show a status in its colour."""
    return Text(safe(text), STATUS_STYLE.get(text.strip(), ""))
