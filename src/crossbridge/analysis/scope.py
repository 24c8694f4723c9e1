"""Which rows an analysis looks at: a window of time, or one run."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from crossbridge.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from uuid import UUID

AGE = re.compile(r"(\d{1,5})\s*([mhdwy])")
_UNIT = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "y": timedelta(days=365),
}
_NEVER = "infinity"
_ORIGIN = datetime(2000, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Scope:
    """
    A window of time and what to keep of it; a filter that is None keeps everything.

    The window is open towards the future: a client's clock may run ahead.
    """

    since: datetime
    environment: str | None = None
    branch: str | None = None
    framework: str | None = None
    limit: int = 10

    def limited(self, limit: int) -> Scope:
        return replace(self, limit=limit)

    def begun(self, since: datetime) -> Scope:
        return replace(self, since=since)

    def parameters(self, **more: Any) -> dict[str, Any]:
        """Parameters of the named queries: rows up to the first whole hour and day (UTC), rollups from there on."""
        day = _ceiling(self.since, timedelta(days=1))
        # No rollup of whole days knows branches.
        first_day = _NEVER if self.branch else day.date()
        return {
            "since": self.since,
            "first_hour": _ceiling(self.since, timedelta(hours=1)),
            "first_day": first_day,
            "environment": self.environment,
            "branch": self.branch,
            "framework": self.framework,
            "limit": self.limit,
            "run_id": None,
            **more,
        }

    def has_slice(self) -> bool:
        """Tell whether cells of the per-test days stand for the filters: for a branch in one environment none do."""
        return not (self.branch and self.environment)

    def slice(self, midnight: datetime | None = None, weeks: Sequence[date] = ()) -> dict[str, Any]:
        """
        Which cells of the per-test days and `weeks` stand for the filters, and which rows beside them.

        Days count from `midnight` on, by default the first in the window; those of the weeks, which lie whole in it,
        do not.
        """
        whole = _ceiling(self.since, timedelta(days=1))
        if not self.has_slice():
            return _no_slice(self.since, _NEVER)
        begins = midnight or whole
        in_weeks = {week + timedelta(days=day) for week in weeks for day in range(7)}
        tail = max(in_weeks) + timedelta(days=1) if weeks else begins.date()
        days = (begins.date() + timedelta(days=day) for day in range((tail - begins.date()).days))
        return {
            "slice": self.slice_name(),
            "slice_weeks": list(weeks),
            "slice_days": [day for day in days if day not in in_weeks],
            "slice_tail": tail,
            "slice_from": begins,
            "whole_day": whole.date(),
            "sliced_branch": self.branch,
            "edge_since": min(self.since, begins),
            "edge_until": max(self.since, begins),
            "sign": 1 if self.since <= begins else -1,
        }

    def slice_name(self) -> str:
        """Under which `environment` the rollups of tests keep what the filters let through."""
        return f"*{self.branch}" if self.branch else self.environment or "*"


@dataclass(frozen=True)
class RunScope:
    """
    One run, or what of it one framework recorded.

    `since` and `until` are when its first and last events happened, None of a run without any: no index leads from
    a run to its rows, one on their time does.
    """

    run_id: UUID
    since: datetime | None
    until: datetime | None
    framework: str | None = None
    limit: int = 10

    def limited(self, limit: int) -> RunScope:
        return replace(self, limit=limit)

    def parameters(self, **more: Any) -> dict[str, Any]:
        """Parameters of the named queries: all comes from the rows."""
        return {
            "run_id": self.run_id,
            "since": self.since,
            "until": self.until,
            "first_day": _NEVER,
            "environment": None,
            "branch": None,
            "framework": self.framework,
            "limit": self.limit,
            **more,
        }

    def slice(self) -> dict[str, Any]:
        """No days: see Scope."""
        return _no_slice(self.since, self.until and self.until + timedelta(microseconds=1))


def _no_slice(since: datetime | None, until: datetime | str | None) -> dict[str, Any]:
    return {
        "slice": "*",
        "slice_weeks": [],
        "slice_days": [],
        "slice_tail": _NEVER,
        "slice_from": until,
        "whole_day": _NEVER,
        "sliced_branch": None,
        "edge_since": since,
        "edge_until": until,
        "sign": 1,
    }


def _ceiling(at: datetime, step: timedelta) -> datetime:
    """Return the first whole hour at or after `at`, in UTC, or the first whole day."""
    past = (at - _ORIGIN) % step
    return at - past + step if past else at


def parse_since(text: str, now: datetime | None = None) -> datetime:
    """
    Return the moment a window begins: an age (`90m`, `24h`, `7d`, `2w`, `1y`) before `now`, or an ISO date or time.

    A year has 365 days. A date or time without a zone is local; the answer is in UTC.

    Raises:
        UsageError: It is neither, or lies in the future.
    """
    now = now or datetime.now(timezone.utc)
    try:
        if age := AGE.fullmatch(text.strip().lower()):
            return now - int(age[1]) * _UNIT[age[2]]
        iso = re.sub("[Zz]$", "+00:00", text.strip())  # Python 3.10 does not read the Z
        since = datetime.fromisoformat(iso).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        since = None
    if since is None or since > now:
        raise UsageError(
            f"--since must be an age such as 24h, 7d or 1y, or an ISO date in the past, got {text!r}. Try --since 7d."
        )
    return since
