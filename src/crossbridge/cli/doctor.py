"""`doctor`: what is wrong, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from crossbridge.cli._common import Json, print_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from crossbridge.cli.diagnosis import Check

_MARKS = {"ok": ("✔", "green"), "warn": ("!", "yellow"), "fail": ("✘", "red")}


def register(app: typer.Typer) -> None:
    app.command()(doctor)


def doctor(*, as_json: Json = False) -> None:
    """
    Find out what is wrong, and what to do about it.

    Looks at all that can make results missing, late or dropped, tests slow, or the database out of reach.

    Run it where the tests run, with their environment. It changes nothing and starts nothing. Exit code 1: a check
    failed; warnings alone are fine.

    \b
    Examples:
      crossbridge doctor
      crossbridge doctor --json | jq '.checks[] | select(.verdict != "ok")'
    """
    from crossbridge.cli._screen import show
    from crossbridge.cli.diagnosis import diagnose

    found = list(diagnose())
    healthy = all(check.verdict != "fail" for check in found)
    if as_json:
        print_json({"healthy": healthy, "checks": found})
    else:
        show(*_page(found))
    if not healthy:
        raise typer.Exit(1)


def _page(found: Sequence[Check]) -> Iterator[RenderableType]:
    from rich.text import Text

    from crossbridge.cli._screen import heading
    from crossbridge.cli._text import counted, safe

    width = max(len(check.name) for check in found)
    place = None
    for check in found:
        if check.place != place:
            if place:
                yield ""
            place = check.place
            yield heading(place.capitalize())
        head = Text.assemble("  ", _MARKS[check.verdict], f" {check.name:<{width}}  ")
        yield _hanging(head, Text(safe(check.seen)))
        if check.mend:
            yield _hanging(Text(" " * head.cell_len), Text(safe(check.mend), _MARKS[check.verdict][1]))
    counts = {verdict: sum(check.verdict == verdict for check in found) for verdict in _MARKS}
    yield ""
    yield Text(
        f"{counted(len(found), 'check')}: {counts['ok']} ok, {counted(counts['warn'], 'warning')},"
        f" {counted(counts['fail'], 'failure')}"
    )


def _hanging(head: RenderableType, words: RenderableType) -> RenderableType:
    """Put `words` beside `head`, their lines below each other."""
    from rich.table import Table

    grid = Table.grid(padding=0)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(head, words)
    return grid
