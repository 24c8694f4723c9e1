"""`regressions`, `compare`: what changed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from crossbridge.cli._common import (
    Branch,
    Environment,
    Framework,
    Json,
    Limit,
    Markdown,
    Since,
    database_of_settings,
    mend_of_nothing,
    one_format,
    print_json,
    say,
    scope_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from crossbridge.analysis.compare import Comparison
    from crossbridge.analysis.regressions import Regressions
    from crossbridge.analysis.scope import Scope

Least = Annotated[
    float,
    typer.Option("--min-change", min=0, max=10_000, metavar="PCT", help="Smaller changes are left out."),
]
_SLOWER_PERCENT = 20.0


def register(app: typer.Typer) -> None:
    for command in (regressions, compare):
        app.command()(command)


def regressions(
    *,
    since: Since = "30d",
    least_change: Least = 5.0,
    faster: Annotated[bool, typer.Option("--faster", help="Show the tests that got faster too.")] = False,
    environment: Environment = None,
    branch: Branch = None,
    framework: Framework = None,
    limit: Limit = 20,
    as_json: Json = False,
    markdown: Markdown = False,
) -> None:
    """
    List tests that got slower and stayed so.

    Says by how much, since which commit and how sure. A test is judged when it passed in 8 runs (or days, of a
    long history). What all tests have in common, such as a slower machine, is told apart and taken out. Where they
    differ, judge one branch in one environment: crossbridge regressions --branch main --env ci.

    \b
    Examples:
      crossbridge regressions --branch main
      crossbridge regressions --since 90d --min-change 20 --faster
      crossbridge regressions --markdown > comment.md
    """
    from crossbridge.analysis.regressions import find_regressions

    one_format(as_json=as_json, markdown=markdown)
    scope = scope_of(since, environment, branch, framework, limit)
    with database_of_settings() as connection:
        found = find_regressions(connection, scope, least_change / 100)
    if as_json:
        print_json(found)
    else:
        _show_regressions(found, scope, faster=faster, markdown=markdown)


def _show_regressions(found: Regressions, scope: Scope, *, faster: bool, markdown: bool) -> None:
    from crossbridge.cli._changes import regressions_page
    from crossbridge.cli._comments import regressions_comment
    from crossbridge.cli._markdown import print_markdown
    from crossbridge.cli._screen import show

    if markdown:
        print_markdown(regressions_comment(found, faster=faster))
        return
    if found.tests or found.units:
        show(*regressions_page(found, faster=faster))
    if not found.tests:
        mend = "" if found.units else f" {mend_of_nothing(scope)}"
        say(f"No test has passed in 8 runs since then; that is what a judgement needs.{mend}")
    elif not found.slower:
        say("No test got slower.")


def compare(
    base: Annotated[str, typer.Argument(metavar="BASE", help="What was before.")],
    head: Annotated[str, typer.Argument(metavar="HEAD", help="What is to be judged.")],
    *,
    fail_on: Annotated[
        str,
        typer.Option(
            metavar="LIST",
            help="What makes the exit code 1: any of failures, flaky, slower, slower=PCT, vanished; or none.",
        ),
    ] = "failures",
    runs: Annotated[
        int,
        typer.Option(
            min=1, max=100, metavar="N", help="Most runs of a commit, branch or version: the newest."
        ),
    ] = 10,
    least_change: Least = 10.0,
    environment: Environment = None,
    framework: Framework = None,
    limit: Limit = 50,
    as_json: Json = False,
    markdown: Markdown = False,
) -> None:
    """
    Compare two runs, commits, branches or versions.

    Tells what broke, was mended, got slower or faster. BASE and HEAD are a run's id or its beginning, a commit, a
    branch or a version of the application; run:, commit:, branch: or version: before it says which. The exit code
    is 1 when what --fail-on names is found. A test that failed and passed on one side is flaky, no new failure.
    "slower" fails from 20% on, "slower=50" from 50% on.

    \b
    Examples:
      crossbridge compare main 15386b21
      crossbridge compare branch:main branch:feature/cart --fail-on failures,slower=30
      crossbridge compare 1.4.0 1.5.0 --markdown > comment.md
    """
    from crossbridge.analysis.compare import compare as compare_sides
    from crossbridge.analysis.sides import find_side

    one_format(as_json=as_json, markdown=markdown)
    gates = parse_gates(fail_on)
    with database_of_settings() as connection:
        before, after = (
            find_side(connection, text, environment=environment, framework=framework, most=runs)
            for text in (base, head)
        )
        found = compare_sides(connection, before, after, framework=framework, least_change=least_change / 100)
    reasons = [reason for gate in gates if (reason := gate(found))]
    if as_json:
        print_json({"comparison": found, "gate": {"failed": bool(reasons), "reasons": reasons}})
    else:
        _show_comparison(found, reasons, limit, markdown=markdown)
    if reasons:
        say(f"crossbridge: the gate is closed: {'; '.join(reasons)}")
        raise typer.Exit(1)


def _show_comparison(found: Comparison, reasons: list[str], limit: int, *, markdown: bool) -> None:
    from crossbridge.cli._changes import comparison_page
    from crossbridge.cli._comments import comparison_comment
    from crossbridge.cli._markdown import print_markdown
    from crossbridge.cli._screen import show

    if markdown:
        print_markdown(comparison_comment(found, reasons, limit))
    else:
        show(*comparison_page(found, limit))


def parse_gates(text: str) -> list[Callable[[Comparison], str]]:
    """
    Return for each gate named a function that says why it is closed, or nothing.

    Raises:
        UsageError: There is no such gate.
    """
    from crossbridge.errors import UsageError

    gates: list[Callable[[Comparison], str]] = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = word.partition("=")
        try:
            percent = float(value) if equals else _SLOWER_PERCENT
        except ValueError:
            percent = -1.0
        if name == "slower" and percent >= 0:
            gates.append(partial(_slower, percent))
        elif word in _COUNTED:
            gates.append(partial(_count, word))
        elif word != "none":
            raise UsageError(
                "--fail-on takes failures, flaky, slower, slower=PCT, vanished or none, joined by commas;"
                f" got {word!r}. Try --fail-on failures,slower=30."
            )
    return gates


_COUNTED = {
    "failures": ("new_failures", "new failure", "new failures"),
    "flaky": ("flaky", "flaky test", "flaky tests"),
    "vanished": ("vanished", "vanished test", "vanished tests"),
}


def _count(word: str, found: Comparison) -> str:
    from crossbridge.cli._text import counted

    field, one, many = _COUNTED[word]
    count = len(getattr(found, field))
    return counted(count, one, many) if count else ""


def _slower(percent: float, found: Comparison) -> str:
    from crossbridge.cli._text import counted

    count = sum(test.ratio >= 1 + percent / 100 for test in found.slower)
    return f"{counted(count, 'test')} slower by {percent:g}% or more" if count else ""
