"""The sides of a comparison: what a word on the command line means, and its runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from crossbridge.analysis._rows import rows
from crossbridge.analysis.compare import Side
from crossbridge.analysis.history import RunPlace
from crossbridge.analysis.runs import find_run
from crossbridge.errors import AmbiguousRun, UsageError

if TYPE_CHECKING:
    from psycopg import Connection

KINDS = ("run", "commit", "branch", "version")
_HEX = re.compile(r"[0-9a-fA-F-]{4,36}|[0-9a-f]{40}")
_LEAST_COMMIT_DIGITS = 7


def find_side(
    connection: Connection[Any],
    text: str,
    *,
    environment: str | None = None,
    framework: str | None = None,
    most: int = 10,
) -> Side:
    """
    Return the runs that `text` means: a run's id or its beginning, a commit, a branch or a version of the application.

    `branch:1.2` says which of them it is. Of a commit, branch or version the `most` newest runs count.

    Raises:
        UsageError: It means nothing, or several things.
    """
    kind, colon, name = text.partition(":")
    kinds, name = ((kind,), name) if colon and kind in KINDS else (KINDS, text)
    found = []
    for each in kinds:
        runs = (
            _one_run(connection, name, sure=len(kinds) == 1)
            if each == "run"
            else _newest(connection, each, name, environment=environment, framework=framework, most=most)
        )
        if runs:
            found.append(Side(name=name, kind=each, runs=runs))
    if not found:
        raise UsageError(
            f"there is no run, commit, branch or version {text!r} that has tests. See 'crossbridge runs'."
        )
    if len(found) > 1:
        meanings = " and ".join(side.kind for side in found)
        raise UsageError(f"{text!r} names a {meanings}. Say which: {found[0].kind}:{name}.")
    return found[0]


def _one_run(connection: Connection[Any], name: str, *, sure: bool) -> list[RunPlace]:
    if not sure and not _HEX.fullmatch(name):
        return []
    try:
        run = find_run(connection, name)
    except UsageError as error:
        if sure or isinstance(error, AmbiguousRun):
            raise
        return []
    return [
        RunPlace(
            run_id=run.run_id,
            started_at=run.started_at or run.ended_at,  # type: ignore[arg-type]  # a stored run has begun
            git_commit=run.git_commit,
            git_branch=run.git_branch,
            app_version=run.app_version,
            environment=run.environment,
        )
    ]


def _newest(connection: Connection[Any], kind: str, name: str, **filters: Any) -> list[RunPlace]:
    if kind == "commit" and not (_HEX.fullmatch(name) and len(name) >= _LEAST_COMMIT_DIGITS):
        return []
    return rows(connection, "runs_of", RunPlace, kind=kind, wanted=name, **filters)
