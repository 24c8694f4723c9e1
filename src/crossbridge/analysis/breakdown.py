"""Where the time of tests goes: by phase, by what happened meanwhile, and by the name of what happened."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime  # noqa: TC003  (decoding rows into the types needs it)
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from crossbridge.analysis._rows import rows

if TYPE_CHECKING:
    from psycopg import Connection

    from crossbridge.analysis.scope import RunScope, Scope

PartKind = Literal["step", "http", "driver"]


class Breakdown(Struct, frozen=True, kw_only=True):
    """
    The time of all attempts together, divided twice.

    By phase: total = set-up + call + tear-down. By activity: total = HTTP + driver + step + other; a moment with
    several of them counts as the first of these, so calls that overlap count once. `other` is code outside any step.
    """

    attempts: int
    total_us: int
    setup_us: int
    call_us: int
    teardown_us: int
    http_us: int
    driver_us: int
    step_us: int
    other_us: int


class RankedPart(Struct, frozen=True, kw_only=True):
    """What the outermost steps, HTTP calls or driver commands of one name took."""

    kind: PartKind
    framework: str
    name: str
    calls: int
    failed: int
    total_us: int
    average_us: float
    p95_us: float
    max_us: int


class _Phases(Struct, frozen=True, kw_only=True):
    attempts: int
    total_us: int
    setup_us: int
    teardown_us: int


class _Activities(Struct, frozen=True, kw_only=True):
    http_us: int
    driver_us: int
    step_us: int


class _Newest(Struct, frozen=True, kw_only=True):
    since: datetime | None


def newest(connection: Connection[Any], scope: Scope, most: int) -> Scope:
    """Narrow a window to its newest whole hours with at most `most` attempts: only rows tell what is told here."""
    since = rows(connection, "newest_attempts", _Newest, scope, most=most)[0].since
    return replace(scope, since=max(since, scope.since)) if since else scope


def break_down(connection: Connection[Any], scope: Scope | RunScope) -> Breakdown:
    """Divide the time of a run's or a window's attempts."""
    phases = rows(connection, "phases", _Phases, scope, **_until(scope))[0]
    parts = rows(connection, "activities", _Activities, scope, **_until(scope))[0]
    # Clocks of threads differ by microseconds, and a call may outlast its test: the whole stays the whole.
    left = phases.total_us
    http_us = min(parts.http_us, left)
    driver_us = min(parts.driver_us, left - http_us)
    step_us = min(parts.step_us, left - http_us - driver_us)
    return Breakdown(
        attempts=phases.attempts,
        total_us=phases.total_us,
        setup_us=phases.setup_us,
        call_us=max(0, phases.total_us - phases.setup_us - phases.teardown_us),
        teardown_us=phases.teardown_us,
        http_us=http_us,
        driver_us=driver_us,
        step_us=step_us,
        other_us=left - http_us - driver_us - step_us,
    )


def ranked_parts(connection: Connection[Any], scope: Scope | RunScope) -> list[RankedPart]:
    """Find the steps, endpoints and commands that took most time together, `scope.limit` of each kind."""
    return rows(connection, "part_ranks", RankedPart, scope, **_until(scope))


def _until(scope: Scope | RunScope) -> dict[str, Any]:
    return {"until": getattr(scope, "until", None)}
