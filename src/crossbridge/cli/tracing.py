"""`timeline`, `trace`: one run from inside."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from crossbridge.cli._common import (
    NOTHING_YET,
    Framework,
    Json,
    database_of_settings,
    is_stdout,
    print_json,
    say,
    write_file,
)

if TYPE_CHECKING:
    from psycopg import Connection

    from crossbridge.analysis.runs import Run

Run_ = Annotated[
    str | None,
    typer.Argument(
        metavar="RUN", help="The run: its id, or the beginning of it. The latest one if left out."
    ),
]
Most = Annotated[
    int, typer.Option(min=1, max=1_000_000, metavar="N", help="Most tests; of more, the longest are kept.")
]


def register(app: typer.Typer) -> None:
    app.command()(timeline)
    app.command()(trace)


def timeline(
    run: Run_ = None, *, framework: Framework = None, limit: Most = 100_000, as_json: Json = False
) -> None:
    """
    Draw which worker of a run was busy when.

    A line a worker: the fuller a block, the busier it was, and a dot is idleness. Idle time counts from the first
    test's start to the last one's end. Below, the longest gaps and what ended them.

    \b
    Examples:
      crossbridge timeline
      crossbridge timeline 15386b21 --framework pytest
      crossbridge timeline --json | jq '.timeline.lanes[] | {name, idle_us}'
    """
    from crossbridge.analysis.runs import run_scope
    from crossbridge.analysis.timeline import run_attempts, timeline_of
    from crossbridge.cli._screen import show
    from crossbridge.cli._timeline import timeline_page

    with database_of_settings() as connection:
        found = _run(connection, run, framework)
        if found is None:
            _say_nothing(as_json=as_json)
            return
        attempts = run_attempts(connection, run_scope(connection, found, framework, limit))
    lines = timeline_of(attempts, complete=len(attempts) < limit)
    if as_json:
        print_json({"run": found, "timeline": lines})
    else:
        show(*timeline_page(found, lines))


def trace(
    run: Run_ = None,
    *,
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="FILE", help="Write to this file; - is stdout.", show_default="stdout"
        ),
    ] = Path("-"),
    framework: Framework = None,
    limit: Most = 100_000,
    as_json: Json = False,
) -> None:
    """
    Write a run as a trace for Perfetto or Chrome.

    Open the file in ui.perfetto.dev or chrome://tracing. Workers are threads; tests, set-up, tear-down, nested steps,
    HTTP calls and driver commands are slices. Times count from the run's first event. With --out, --json prints what
    was written; without it, the trace is JSON anyway.

    \b
    Examples:
      crossbridge trace --out trace.json
      crossbridge trace 15386b21 > trace.json
    """
    from crossbridge.analysis.runs import run_scope
    from crossbridge.analysis.timeline import run_attempts
    from crossbridge.analysis.trace import run_parts, trace_of
    from crossbridge.cli._text import counted

    with database_of_settings() as connection:
        found = _run(connection, run, framework)
        if found is None:
            _say_nothing(as_json=as_json)
            return
        scope = run_scope(connection, found, framework, limit)
        attempts = run_attempts(connection, scope)
        parts = run_parts(connection, scope.limited(_PARTS_PER_TEST * limit))
    document = trace_of(found, attempts, parts)
    content = msgspec.json.encode(document) + b"\n"
    write_file(out, content)
    if is_stdout(out):
        return
    slices = sum(event["ph"] == "X" for event in document["traceEvents"])
    if as_json:
        print_json({"run_id": found.run_id, "file": str(out), "slices": slices})
    else:
        say(f"Written: {out}, {counted(slices, 'slice')}. Open it in ui.perfetto.dev or chrome://tracing.")


_PARTS_PER_TEST = 10


def _run(connection: Connection[Any], run_id: str | None, framework: str | None) -> Run | None:
    from datetime import datetime, timezone

    from crossbridge.analysis.runs import find_run, latest_run
    from crossbridge.analysis.scope import Scope

    if run_id:
        return find_run(connection, run_id)
    return latest_run(connection, Scope(datetime.now(timezone.utc), framework=framework))


def _say_nothing(*, as_json: bool) -> None:
    if as_json:
        print_json({"run": None})
    else:
        say(f"There is no run. {NOTHING_YET}")
