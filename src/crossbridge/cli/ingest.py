"""`ingest`: deliver recorded events that no shipper has delivered, or that come from another machine."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossbridge.cli._common import Json, deliver, is_local, print_json, start_embedded
from crossbridge.cli._text import counted, safe
from crossbridge.errors import CrossbridgeError, DatabaseError, DatabaseUnreachable, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crossbridge.database.target import Target
    from crossbridge.profiling.models import ProfileConfig
    from crossbridge.profiling.spool import DeliveryReport

SEGMENT_ENDING = ".jsonl"

Paths = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="PATH",
        help="Spools, folders below them or single segments, such as a CI job's artifact.",
        show_default="the project's spool",
    ),
]
Closed = Annotated[
    bool,
    typer.Option(
        "--closed", help="Take every test process for ended; else one that may live keeps its segment open."
    ),
]
Keep = Annotated[bool, typer.Option("--keep", help="Leave the files; else what is delivered is deleted.")]


def register(app: typer.Typer) -> None:
    app.command()(ingest)


def ingest(paths: Paths = None, closed: Closed = False, keep: Keep = False, as_json: Json = False) -> None:
    """
    Deliver recorded events to the database.

    What a shipper could not deliver, or what another machine recorded. Each event gets in once, however often
    it is delivered and whoever else is at it.

    \b
    Examples:
      crossbridge ingest
      crossbridge ingest artifacts/spool --closed --keep
      crossbridge ingest --json | jq .delivered
    """
    from crossbridge.profiling.models import ProfileConfig
    from crossbridge.profiling.spool import find_segments

    config = ProfileConfig.load()
    sources = _checked(paths) if paths else [config.spool_path]
    segments = find_segments(sources)
    try:
        report = deliver(config, _target(config), paths=segments, assume_gone=closed, keep=keep)
    except (DatabaseUnreachable, DatabaseError) as error:
        raise _with_waiting(error, sources) from error
    if as_json:
        print_json(asdict(report))
    else:
        print(_summary(report, sources))


def _checked(paths: Sequence[Path]) -> list[Path]:
    for path in paths:
        if not path.exists():
            raise UsageError(f"{safe(str(path))} does not exist. Name a spool, a folder in it or a segment.")
        if path.is_file() and path.suffix != SEGMENT_ENDING:
            raise UsageError(f"{safe(str(path))} is no segment: their names end in {SEGMENT_ENDING}.")
    return list(paths)


def _target(config: ProfileConfig) -> Target:
    from crossbridge.profiling.storage import target_of

    return start_embedded(config) if is_local(config) else target_of(config)


def _with_waiting(error: CrossbridgeError, sources: Sequence[Path]) -> CrossbridgeError:
    from crossbridge.profiling.spool import count_waiting

    waiting = counted(count_waiting(sources), "event")
    error.args = (
        f"{error} Nothing is lost: {waiting} wait in {', '.join(safe(str(path)) for path in sources)}.",
    )
    return error


def _summary(report: DeliveryReport, sources: Sequence[Path]) -> str:
    if report == type(report)():
        return f"Nothing to deliver in {', '.join(safe(str(path)) for path in sources)}."
    lines = [f"{counted(report.delivered, 'event')} delivered, {report.already_there:,} there already."]
    if report.rejected:
        lines.append(
            f"{counted(report.rejected, 'line')} set aside in rejected/: the database cannot store them."
        )
    if report.dropped:
        lines.append(
            f"{counted(report.dropped, 'event')} dropped while recording: the spool or the disk was full."
        )
    lines.append(f"{counted(report.segments_closed, 'segment')} closed.")
    if report.segments_left:
        lines.append(
            f"{counted(report.segments_left, 'segment')} left open: the test process may live (--closed if not)."
        )
    return "\n".join(lines)
