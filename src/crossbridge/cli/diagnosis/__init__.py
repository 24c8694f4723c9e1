"""What `crossbridge doctor` looks at, by place: the recording process, the spool, the database.

A check changes nothing and starts nothing. It tells what it saw, and what to do when that is not well; never a
password.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

Verdict = Literal["ok", "warn", "fail"]


class Check(Struct, frozen=True):
    """One finding. `warn`: works, but perhaps not as meant. `fail`: does not work; `mend` says what to do."""

    place: Literal["recording", "spool", "database"]
    name: str
    verdict: Verdict
    seen: str
    mend: str | None = None


def diagnose() -> Iterator[Check]:
    """Go through all checks; what cannot be looked at because of an earlier failure is left out."""
    from crossbridge.cli.diagnosis import database, recording, spool
    from crossbridge.errors import ConfigError
    from crossbridge.profiling.config import load

    try:
        config = load()
    except ConfigError as error:
        what, _, mend = str(error).partition(". ")
        yield Check("recording", "settings", "fail", what, mend or "Correct it.")
        return
    yield from recording.checks(config)
    yield from spool.checks(config)
    yield from database.checks(config)
