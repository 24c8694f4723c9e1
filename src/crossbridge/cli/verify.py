"""`verify`: whether data arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from crossbridge.cli._common import (
    Branch,
    Environment,
    Framework,
    Json,
    Since,
    database_of_settings,
    mend_of_nothing,
    print_json,
    say,
    scope_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossbridge.analysis.scope import Scope
    from crossbridge.analysis.verification import Verification


def register(app: typer.Typer) -> None:
    app.command()(verify)


def verify(
    *,
    since: Since = "24h",
    environment: Environment = None,
    branch: Branch = None,
    framework: Framework = None,
    as_json: Json = False,
) -> None:
    """
    Verify that results arrive.

    Shows recent runs, tests executed, the average by framework and the share of each status. Each attempt counts
    as a test, as in the dashboards. Exit code 1: there is nothing.

    \b
    Examples:
      crossbridge verify
      crossbridge verify --since 7d --env ci
    """
    from crossbridge.analysis.verification import verify_window
    from crossbridge.cli._screen import show

    scope = scope_of(since, environment, branch, framework)
    with database_of_settings() as connection:
        found = verify_window(connection, scope)
    if as_json:
        print_json(found)
    else:
        show(*_lines(found, _window(since, scope)))
    if not found.tests:
        say(f"crossbridge: no test has arrived. {mend_of_nothing(scope)}")
        raise typer.Exit(1)


def _lines(found: Verification, window: str) -> Iterator[str]:
    from crossbridge.cli._text import counted, percent, safe

    names = sorted(safe(total.framework) for total in found.frameworks)
    yield f"Recent Test Runs ({window}): {counted(found.runs, 'run')}"
    yield f"Total Tests Executed: {counted(found.tests, 'test')}"
    yield f"Frameworks Tested: {', '.join(names) or 'none'}"
    if not found.tests:
        return
    yield ""
    yield "Framework Performance Comparison:"
    yield from _aligned(
        [
            (
                safe(total.framework),
                f"{total.average_us / 1000:.0f}",
                f"ms avg ({counted(total.attempts, 'test')})",
            )
            for total in found.frameworks
        ]
    )
    yield ""
    yield "Test Success Rate:"
    yield from _aligned(
        [
            (status, f"{count:,}", f"{' test' if count == 1 else ' tests'} ({percent(count, found.tests)})")
            for status, count in found.statuses.items()
        ]
    )


def _aligned(rows: list[tuple[str, str, str]]) -> Iterator[str]:
    """Line up names on the left and figures on the right."""
    from rich.cells import cell_len, set_cell_size

    widest_name = max(cell_len(name) for name, _, _ in rows) + 1
    widest_figure = max(len(figure) for _, figure, _ in rows)
    for name, figure, rest in rows:
        yield f"  {set_cell_size(name + ':', widest_name)} {figure:>{widest_figure}}{rest}"


def _window(since: str, scope: Scope) -> str:
    """Say how far back: `Last 24 Hours`, or a date."""
    from crossbridge.analysis.scope import AGE
    from crossbridge.cli._text import moment

    units = {"m": "Minute", "h": "Hour", "d": "Day", "w": "Week", "y": "Year"}
    if age := AGE.fullmatch(since.strip().lower()):
        count = int(age[1])
        return f"Last {count} {units[age[2]]}{'' if count == 1 else 's'}"
    return f"Since {moment(scope.since)}"
