"""Runs: which there were, and the one that is meant."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from uuid import UUID

from msgspec import Struct

from crossbridge.analysis._rows import rows
from crossbridge.analysis.scope import RunScope, Scope
from crossbridge.errors import AmbiguousRun, UsageError

if TYPE_CHECKING:
    from psycopg import Connection

_HEX_DIGITS = 32


class Run(Struct, frozen=True, kw_only=True):
    """
    One run. `status` is running, passed, failed or interrupted; `framework` names all of them, joined by commas.

    `attempts` and the seven counts by status are of attempts: a test that was retried counts once for each.
    Events: collected = written + spooled (recorded, not delivered yet) + dropped.
    """

    run_id: UUID
    status: str
    started_at: datetime | None
    ended_at: datetime | None
    environment: str | None
    framework: str | None
    git_branch: str | None
    git_commit: str | None
    app_version: str | None
    ci_provider: str | None
    ci_url: str | None
    hostname: str | None
    os: str | None
    runtime: str | None
    labels: dict[str, Any]
    attempts: int
    passed: int
    failed: int
    error: int
    skipped: int
    xfailed: int
    xpassed: int
    interrupted: int
    events_collected: int
    events_written: int
    events_spooled: int
    events_dropped: int

    @property
    def duration_us(self) -> int | None:
        """Wall time from the run's start to its end; None while it runs."""
        if self.started_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.started_at) // timedelta(microseconds=1)


class _Span(Struct, frozen=True, kw_only=True):
    since: datetime | None
    until: datetime | None


def recent_runs(connection: Connection[Any], scope: Scope) -> list[Run]:
    """Return the newest runs that began in the window."""
    return rows(connection, "recent_runs", Run, scope)


def latest_run(connection: Connection[Any], scope: Scope) -> Run | None:
    """Return the newest run that the filters keep, whenever it began."""
    ever = Scope(
        datetime.min.replace(tzinfo=timezone.utc), scope.environment, scope.branch, scope.framework, 1
    )
    return next(iter(recent_runs(connection, ever)), None)


def find_run(connection: Connection[Any], run_id: str) -> Run:
    """
    Return the run whose id begins with `run_id`, hyphens or not.

    Raises:
        UsageError: That is no beginning of an id, or no run has it.
        AmbiguousRun: Several have it.
    """
    digits = run_id.strip().lower().replace("-", "")
    if not re.fullmatch(rf"[0-9a-f]{{1,{_HEX_DIGITS}}}", digits):
        raise UsageError(
            f"a run is named by its id or its first digits, got {run_id!r}. See 'crossbridge runs'."
        )
    first, last = (UUID(digits.ljust(_HEX_DIGITS, fill)) for fill in "0f")
    found = rows(connection, "runs_between_ids", Run, first_id=first, last_id=last)
    if not found:
        raise UsageError(f"there is no run {run_id}. See 'crossbridge runs --since 30d'.")
    if len(found) > 1:
        raise AmbiguousRun(
            f"several runs begin with {run_id}, such as {found[0].run_id} and {found[1].run_id}. Give more digits."
        )
    return found[0]


def run_scope(
    connection: Connection[Any], run: Run, framework: str | None = None, limit: int = 10
) -> RunScope:
    """Return the scope of one run."""
    span = rows(connection, "run_span", _Span, run_id=run.run_id)[0]
    return RunScope(run.run_id, span.since, span.until, framework, limit)
