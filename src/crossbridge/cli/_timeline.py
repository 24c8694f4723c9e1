"""The picture of a run's workers on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from crossbridge.analysis.totals import FAILING
from crossbridge.cli._screen import STATUS_STYLE, Name, Rows, heading, stdout
from crossbridge.cli._sections import run_heading
from crossbridge.cli._text import counted, crop, duration, percent, safe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from crossbridge.analysis.runs import Run
    from crossbridge.analysis.timeline import Lane, Timeline

_LONGEST_GAPS = 5
_WIDEST_NAME = 24
_UNCUT_CELLS = 100  # of a picture in a file
_SHORTEST_BAR = 10
_BLOCKS = "▁▂▃▄▅▆▇█"


def timeline_page(run: Run, timeline: Timeline) -> Iterator[RenderableType]:
    """Show a run's workers, a line each, and its longest gaps."""
    yield from run_heading(run)
    yield ""
    if not timeline.lanes:
        yield Text("  No test of it has ended.")
        return
    yield heading(
        "Workers",
        counted(len(timeline.lanes), "worker"),
        f"{percent(timeline.busy_us, timeline.wall_us * len(timeline.lanes))} busy",
        f"{duration(timeline.idle_us)} idle",
        f"{duration(timeline.wall_us)} from the first test to the last",
    )
    yield from _picture(timeline)
    if not timeline.complete:
        yield Text("  Only the longest tests are shown; raise --limit for all of them.", "yellow")
    yield from _gaps(timeline)


def _picture(timeline: Timeline) -> Iterator[Text]:
    names = [crop(safe(lane.name), _WIDEST_NAME) for lane in timeline.lanes]
    widest = max(map(cell_len, names))
    figures = [
        f"{percent(lane.busy_us, timeline.wall_us):>8}  {counted(len(lane.slots), 'test'):>12}"
        for lane in timeline.lanes
    ]
    cells = max(_SHORTEST_BAR, min(_width() - widest - len(figures[0]) - 6, 400))
    for name, lane, figure in zip(names, timeline.lanes, figures, strict=True):
        yield Text.assemble(
            "  ", set_cell_size(name, widest), "  ", _bar(lane, timeline.wall_us, cells), (figure, "dim")
        )
    end = duration(timeline.wall_us)
    yield Text("  " + " " * widest + "  0" + end.rjust(cells - 1), "dim")


def _width() -> int:
    width = stdout().width
    return width if width < 1000 else _UNCUT_CELLS  # noqa: PLR2004  (a file has no width)


def _bar(lane: Lane, wall_us: int, cells: int) -> Text:
    """Draw how much of each cell's time the lane was busy, in red where a test failed."""
    cell_us = max(1.0, wall_us / cells)
    busy = [0.0] * cells
    failing = [False] * cells
    reached = 0
    for slot in lane.slots:
        begin, end = max(slot.start_us, reached), slot.start_us + slot.duration_us
        reached = max(reached, end)
        first, last = (min(cells - 1, int(us / cell_us)) for us in (slot.start_us, end))
        for cell in range(first, last + 1):
            busy[cell] += max(0.0, min(end, (cell + 1) * cell_us) - max(begin, cell * cell_us))
            failing[cell] |= slot.status in FAILING
    bar = Text()
    for share, failed in zip((us / cell_us for us in busy), failing, strict=True):
        idle = share <= 0 and not failed
        block = "·" if idle else _BLOCKS[min(len(_BLOCKS) - 1, int(share * len(_BLOCKS)))]
        bar.append(block, "dim" if idle else STATUS_STYLE["failed" if failed else "passed"])
    return bar


def _gaps(timeline: Timeline) -> Iterator[RenderableType]:
    gaps = sorted(
        ((gap, lane) for lane in timeline.lanes for gap in lane.gaps), key=lambda pair: -pair[0].duration_us
    )
    if not gaps:
        return
    yield ""
    yield heading("Longest gaps")
    yield Rows(
        ["idle", "from", "worker", "until"],
        (
            [
                duration(gap.duration_us),
                duration(gap.start_us),
                Name(lane.name),
                Name(gap.before) if gap.before else Text("the run's last test ended", "dim"),
            ]
            for gap, lane in gaps[:_LONGEST_GAPS]
        ),
        left=["worker"],
    )
