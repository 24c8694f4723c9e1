"""`runs`, `report`, `slowest`, `flaky`: what the tests did."""

from __future__ import annotations

from enum import Enum
from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import TYPE_CHECKING, Annotated, Any

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
    is_stdout,
    mend_of_nothing,
    one_format,
    print_json,
    say,
    scope_of,
    write_file,
)

if TYPE_CHECKING:
    from psycopg import Connection

    from crossbridge.analysis.report import RunReport, WindowReport
    from crossbridge.analysis.scope import Scope


class Rank(str, Enum):
    """What `slowest` goes by."""

    average = "average"
    max = "max"
    total = "total"


def register(app: typer.Typer) -> None:
    for command in (runs, report, slowest, flaky):
        app.command()(command)


def runs(
    *,
    since: Since = "30d",
    environment: Environment = None,
    branch: Branch = None,
    framework: Framework = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """
    List the latest runs.

    Counts are of attempts: a test that was retried counts once for each.

    \b
    Examples:
      crossbridge runs
      crossbridge runs --since 24h --branch main
      crossbridge runs --json | jq '.runs[0].run_id'
    """
    from crossbridge.analysis.runs import recent_runs
    from crossbridge.cli._screen import show
    from crossbridge.cli._sections import run_list

    scope = scope_of(since, environment, branch, framework, limit)
    with database_of_settings() as connection:
        found = recent_runs(connection, scope)
    if as_json:
        print_json({"since": scope.since, "runs": found})
    elif found:
        show(*run_list(found))
    else:
        say(_nothing("no run", scope))


def report(
    *,
    run: Annotated[
        str | None, typer.Option(metavar="ID", help="This run: its id, or the beginning of it.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="All runs in place of one: 24h, 7d, 2w, 1y or an ISO date."),
    ] = None,
    environment: Environment = None,
    branch: Branch = None,
    framework: Framework = None,
    limit: Limit = 10,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write one HTML file that needs no network, with charts and a timeline; - is stdout.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """
    Report on the latest run, on another one or on all of a time.

    Shows outcomes, frameworks, slow, failed, flaky and interrupted tests, and how the collector fared. In a run a
    test counts once, as its last attempt ended; with --since each attempt counts.

    \b
    Examples:
      crossbridge report
      crossbridge report --run 15386b21
      crossbridge report --since 7d --env ci --framework pytest
      crossbridge report --html report.html
    """
    from crossbridge.errors import UsageError

    for option, value in {"--since": since, "--env": environment, "--branch": branch}.items():
        if run and value:
            raise UsageError(f"--run and {option} exclude each other. Leave one of them out.")
    if html and is_stdout(html) and as_json:
        raise UsageError("--html - and --json both print to stdout. Name a file, or leave one of them out.")
    scope = scope_of(since or "30d", environment, branch, framework, limit)
    if html:
        _write_html(html, run, scope, of_window=bool(since), as_json=as_json)
        return
    with database_of_settings() as connection:
        found = _window_report(connection, scope) if since else _run_report(connection, run, scope)
    if as_json:
        print_json(found if found is not None else {"run": None})
    elif found is None:
        say(_nothing("no run", scope, ever=True))
    else:
        _show_report(found)


def _window_report(connection: Connection[Any], scope: Scope) -> WindowReport:
    from crossbridge.analysis.report import report_window

    return report_window(connection, scope)


def _run_report(connection: Connection[Any], run_id: str | None, scope: Scope) -> RunReport | None:
    from crossbridge.analysis.report import report_run
    from crossbridge.analysis.runs import find_run, latest_run

    run = find_run(connection, run_id) if run_id else latest_run(connection, scope)
    return report_run(connection, run, scope.framework, scope.limit) if run else None


def _write_html(file: Path, run_id: str | None, scope: Scope, *, of_window: bool, as_json: bool) -> None:
    """Write the HTML report; without any run, one that says so."""
    from crossbridge.analysis.runs import find_run, latest_run
    from crossbridge.cli._text import size
    from crossbridge.report.data import page_of_run, page_of_window
    from crossbridge.report.page import render

    with database_of_settings() as connection:
        run = None
        if not of_window:
            run = find_run(connection, run_id) if run_id else latest_run(connection, scope)
        page = page_of_run(connection, run, scope.framework) if run else page_of_window(connection, scope)
    content = render(page).encode()
    write_file(file, content)
    if is_stdout(file):
        return
    if as_json:
        print_json({"file": str(file), "bytes": len(content), "run_id": run.run_id if run else None})
    else:
        say(f"Written: {file}, {size(len(content))}. Open it in a browser.")


def _show_report(found: RunReport | WindowReport) -> None:
    from crossbridge.analysis.report import RunReport
    from crossbridge.cli._screen import show
    from crossbridge.cli._sections import run_page, window_page

    show(*(run_page(found) if isinstance(found, RunReport) else window_page(found)))


def slowest(
    *,
    since: Since = "7d",
    by: Annotated[
        Rank, typer.Option(help="The average attempt, the longest one, or all of them together.")
    ] = Rank.average,
    environment: Environment = None,
    branch: Branch = None,
    framework: Framework = None,
    limit: Limit = 10,
    as_json: Json = False,
    markdown: Markdown = False,
) -> None:
    """
    List the tests that take longest.

    \b
    Examples:
      crossbridge slowest
      crossbridge slowest --by total --since 30d --limit 20
      crossbridge slowest --branch main --markdown > comment.md
    """
    from crossbridge.analysis.tests import slowest_tests
    from crossbridge.cli._screen import show
    from crossbridge.cli._sections import slowest as section

    one_format(as_json=as_json, markdown=markdown)
    scope = scope_of(since, environment, branch, framework, limit)
    with database_of_settings() as connection:
        found = slowest_tests(connection, scope, by.value)
    if as_json:
        print_json({"since": scope.since, "by": by.value, "slowest": found})
    elif markdown:
        from crossbridge.cli._comments import slowest_comment
        from crossbridge.cli._markdown import print_markdown

        print_markdown(slowest_comment(found, scope.since))
    elif found:
        show(*section(found, by.value))
    else:
        say(_nothing("no test", scope))


def flaky(
    *,
    since: Since = "30d",
    environment: Environment = None,
    branch: Branch = None,
    framework: Framework = None,
    limit: Limit = 20,
    as_json: Json = False,
    markdown: Markdown = False,
) -> None:
    """
    List tests of which the same code both passed and failed.

    "retried": runs in which it failed and then passed when retried. "commits": commits of which it passed in one run
    and failed in another, in the same environment, system, runtime and labels; in runs outside CI (environment
    "local") the outcome must change twice, since files may be edited between two runs of a commit. One failure
    makes no flaky test, nor does being broken, nor being mended. "disturbed": the share of its runs that it failed
    for no reason in the code, retried or not; those that surely disturbed most runs come first.

    \b
    Examples:
      crossbridge flaky
      crossbridge flaky --since 2w --branch main --json
    """
    from crossbridge.analysis.flaky import flaky_tests
    from crossbridge.cli._screen import show
    from crossbridge.cli._sections import flaky as section

    one_format(as_json=as_json, markdown=markdown)
    scope = scope_of(since, environment, branch, framework, limit)
    with database_of_settings() as connection:
        found = flaky_tests(connection, scope)
    if as_json:
        print_json({"since": scope.since, "flaky": found})
    elif markdown:
        from crossbridge.cli._comments import flaky_comment
        from crossbridge.cli._markdown import print_markdown

        print_markdown(flaky_comment(found, scope.since))
    elif found:
        show(*section(found))
    else:
        say(f"No flaky test{_filters(scope)}.")


def _nothing(what: str, scope: Scope, *, ever: bool = False) -> str:
    return f"There is {what}{_filters(scope, ever=ever)}. {mend_of_nothing(scope)}"


def _filters(scope: Scope, *, ever: bool = False) -> str:
    from crossbridge.cli._text import moment

    chosen = {"environment": scope.environment, "branch": scope.branch, "framework": scope.framework}
    words = [f"{name} {value!r}" for name, value in chosen.items() if value]
    of = f" of {', '.join(words)}" if words else ""
    return of + ("" if ever else f" since {moment(scope.since)}")
