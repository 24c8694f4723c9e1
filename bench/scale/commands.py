"""Every reading command: what its queries take, and all of it, by the program itself within this process.

Windows of the command line are open towards now; shifted ones begin earlier.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import psycopg
import typer

from bench.measure import say
from bench.scale.panels import QUICK, WINDOWS
from bench.scale.timing import Figure, timed
from crossbridge.cli import COMMAND_MODULES, app
from crossbridge.database.connection import connect
from support.postgres import db_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from psycopg import Connection

    from crossbridge.database.target import Target

HOPELESS_MS = 1_000  # few are enough to know
STARTS_H = (0, 0, 0.4, 2.8, 7.7, 13.1, 19.6, 23.2)
OF_A_WINDOW = (
    "runs", "runs --branch main", "report", "report --branch main", "slowest", "slowest --branch main",
    "slowest --branch {feature}", "slowest --by total --env ci", "flaky", "flaky --branch main", "verify",
    "verify --env ci", "regressions", "regressions --branch main --env ci",
)  # fmt: skip
OF_RUNS = ("report --run {run}", "timeline {run}", "trace {run}", "compare {before} {run}")
OF_SIDES = (
    "compare commit:{commit} commit:{next_commit}",
    "compare branch:main branch:{feature}",
    "compare version:{version} version:{next_version}",
)


class _TimedCursor(psycopg.Cursor[Any]):
    """Adds up the time in which an answer of the database is waited for, rows included, in one thread or several."""

    total_ms = 0.0
    lock = threading.Lock()
    waiting = 0
    since_ns = 0

    def execute(self, *args: Any, **options: Any) -> Any:
        return self._add(lambda: super(_TimedCursor, self).execute(*args, **options))

    def fetchall(self) -> Any:
        return self._add(super().fetchall)

    def _add(self, act: Any) -> Any:
        timed = _TimedCursor
        with timed.lock:
            timed.waiting += 1
            if timed.waiting == 1:
                timed.since_ns = time.perf_counter_ns()
        try:
            return act()
        finally:
            with timed.lock:
                timed.waiting -= 1
                if not timed.waiting:
                    timed.total_ms += (time.perf_counter_ns() - timed.since_ns) / 1e6


def time_commands(
    target: Target, ends: datetime, folder: Path, *, quick: bool = False
) -> tuple[list[Figure], list[Figure]]:
    """Return what the queries of each command took, and what the command took as a process of its own."""
    with connect(target) as connection:
        runs, sides, feature = _runs(connection), _sides(connection), _feature(connection)
    asked = [
        (
            command,
            window,
            [
                f"{command.format(feature=feature)} --since {(ends - WINDOWS[window] - timedelta(hours=h)).isoformat()}"
                for h in STARTS_H
            ],
        )
        for command in OF_A_WINDOW
        for window in (QUICK if quick else WINDOWS)
    ]
    asked += [(command, "", [command.format(**run) for run in runs]) for command in OF_RUNS]
    asked += [
        (command, "", [command.format(**side, feature=feature) for side in sides]) for command in OF_SIDES
    ]
    if quick:
        asked = [(command, window, lines[:1]) for command, window, lines in asked]
    queries = [_time(target, folder, *one) for one in asked if one[2]]
    whole = (
        []
        if quick
        else [_whole(target, folder, command, window, lines[:2]) for command, window, lines in asked]
    )
    return queries, whole


def _time(target: Target, folder: Path, command: str, window: str, lines: list[str]) -> Figure:
    taken = []
    with _in_process(target, folder):
        for line in [lines[0], *lines]:
            _TimedCursor.total_ms = 0
            _call([*line.split(), "--json"] if not line.startswith("trace") else line.split())
            taken.append(_TimedCursor.total_ms)
            if len(taken) == 3 and min(taken) > HOPELESS_MS:
                break
    say(f"{command} {window}: {statistics.median(taken[1:]):.0f} ms")
    return Figure(f"crossbridge {command}", "", window, taken[1:])


@cache
def _program() -> Any:
    """The command line, its commands registered once."""
    for name in COMMAND_MODULES:
        import_module(f"crossbridge.cli.{name}").register(app)
    return typer.main.get_command(app)


def _call(arguments: list[str]) -> None:
    code = _program().main(arguments, prog_name="crossbridge", standalone_mode=False)
    if code not in (0, 1, None):
        raise RuntimeError(f"crossbridge {' '.join(arguments)} ended with {code}")


@contextmanager
def _in_process(target: Target, folder: Path) -> Iterator[None]:
    """Settings that name the database, cursors that are timed, and nothing on stdout and stderr."""

    def timed_connect(*args: Any, **options: Any) -> Any:
        return plain_connect(*args, cursor_factory=_TimedCursor, **options)

    plain_connect = psycopg.connect
    kept = [os.dup(1), os.dup(2)]
    null = os.open(os.devnull, os.O_WRONLY)
    before = Path.cwd()
    with patch.dict(os.environ, db_environment(target)), patch("psycopg.connect", timed_connect):
        try:
            os.chdir(folder)
            os.dup2(null, 1)
            os.dup2(null, 2)
            yield
        finally:
            sys.stdout.flush()
            os.dup2(kept[0], 1)
            os.dup2(kept[1], 2)
            os.chdir(before)
            for fd in (null, *kept):
                os.close(fd)


def _whole(target: Target, folder: Path, command: str, window: str, lines: list[str]) -> Figure:
    environment = os.environ | db_environment(target)

    def run(line: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "crossbridge", *line.split()],
            env=environment, cwd=folder, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    return Figure(
        f"crossbridge {command}", "", window, [timed(lambda line=line: run(line)) for line in lines]
    )


def _runs(connection: Connection[Any]) -> list[dict[str, str]]:
    """Runs all over the time, small and large, each with the one before it of the same kind."""
    rows = connection.execute(
        "SELECT run_id::text, before FROM (SELECT run_id, started_at, lag(run_id::text) OVER"
        " (PARTITION BY framework, environment, git_branch ORDER BY started_at) AS before FROM crossbridge.runs) AS r"
        " WHERE before IS NOT NULL ORDER BY md5(run_id::text) LIMIT 10"
    ).fetchall()
    return [{"run": run, "before": before} for run, before in rows]


def _feature(connection: Connection[Any]) -> str:
    """The busiest branch but main."""
    (branch,) = connection.execute(
        "SELECT git_branch FROM crossbridge.runs WHERE git_branch <> 'main' GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"
    ).fetchone()
    return branch


def _sides(connection: Connection[Any]) -> list[dict[str, str]]:
    def neighbours(column: str) -> list[tuple[str, str]]:
        return connection.execute(
            f"SELECT a, b FROM (SELECT {column} AS a, lead({column}) OVER (ORDER BY min(started_at)) AS b, md5({column})"
            " FROM crossbridge.runs WHERE git_branch = 'main' GROUP BY 1) AS x WHERE b IS NOT NULL ORDER BY md5 LIMIT 8"
        ).fetchall()

    return [
        {"commit": commit, "next_commit": after, "version": version, "next_version": later}
        for (commit, after), (version, later) in zip(
            neighbours("git_commit"), neighbours("app_version"), strict=False
        )
    ]
