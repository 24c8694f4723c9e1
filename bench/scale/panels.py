"""Every query of every dashboard, as Grafana sends it, over shifted windows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg

from bench.scale.timing import Figure, timed
from crossbridge.database.connection import connect
from crossbridge.grafana.dashboards import Query, annotation_queries, built, panel_queries, variable_queries
from support.grafana import Page

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from psycopg import Connection

    from crossbridge.database.target import Target

WINDOWS = {
    "24 h": timedelta(hours=24),
    "7 d": timedelta(days=7),
    "30 d": timedelta(days=30),
    "90 d": timedelta(days=90),
}
# How far back windows end, in hours: some now, as a dashboard's do, the others in the past, with ragged edges.
ENDS_H = (0, 0, 0, 0.7, 3.1, 9.4, 20.3, 35.5, 61.9, 80.2)
TIMEOUT_MS = 20_000
QUICK = ("24 h",)  # the windows of a smoke test


class Choice(NamedTuple):
    """What is chosen in a dashboard's variables; the others are All."""

    name: str
    values: Mapping[str, object]


def panels() -> list[Query]:
    """All queries of all dashboards: of panels, of annotations, of variables."""
    return [query for dashboard in built().values() for query in _queries(dashboard)]


def _queries(dashboard: dict[str, Any]) -> Iterator[Query]:
    yield from panel_queries(dashboard)
    for kind, queries in (("annotation", annotation_queries), ("variable", variable_queries)):
        for query in queries(dashboard):
            yield query._replace(panel=f"{kind}: {query.panel}")


def choices(connection: Connection[Any]) -> list[Choice]:
    """Everything; an environment; a branch; one test; one run. Versions to compare are two near the end."""
    (versions,) = connection.execute(
        "SELECT array_agg(app_version ORDER BY started_at DESC) FROM (SELECT app_version, max(started_at) AS started_at"
        " FROM crossbridge.runs WHERE git_branch = 'main' GROUP BY 1) AS v"
    ).fetchone()
    (test_id,) = connection.execute(
        "SELECT test_id FROM crossbridge.test_dim WHERE framework = 'playwright' ORDER BY test_key LIMIT 1"
    ).fetchone()
    (run_id,) = connection.execute(
        "SELECT run_id FROM crossbridge.runs ORDER BY tests DESC, started_at DESC LIMIT 1"
    ).fetchone()
    base = {"base": versions[min(5, len(versions) - 1)], "head": versions[0]}
    return [
        Choice("all", base),
        Choice("environment ci", base | {"environment": ["ci"]}),
        Choice("branch main", base | {"branch": ["main"]}),
        Choice("one test", base | {"test_id": test_id}),
        Choice("one run", base | {"run": str(run_id)}),
    ]


def time_panels(target: Target, ends: datetime, *, quick: bool = False) -> list[Figure]:
    """Time all panels over all windows that end at `ends` or before; `quick`: a few, to see that it works."""
    windows, hours = (QUICK, ENDS_H[:2]) if quick else (tuple(WINDOWS), ENDS_H)
    untils = [ends - timedelta(hours=h) for h in hours]
    with connect(target) as connection:
        connection.execute(f"SET statement_timeout = {TIMEOUT_MS}")
        return [
            # of All every window, of the others every second one
            _time(connection, panel, choice, window, untils[:: 2 if number else 1])
            for number, choice in enumerate(choices(connection)[: 1 if quick else None])
            for panel in panels()
            for window in windows
        ]


def _time(
    connection: Connection[Any], panel: Query, choice: Choice, window: str, untils: list[datetime]
) -> Figure:
    taken = []
    try:
        for until in untils:
            sql = Page(until - WINDOWS[window], until, dict(choice.values)).query(panel.sql)
            taken.append(timed(lambda sql=sql: connection.execute(sql.encode()).fetchall()))
            if len(taken) == 4 and min(taken) > 2_000:  # hopeless: four are enough to know
                break
    except psycopg.errors.QueryCanceled:
        taken.append(float(TIMEOUT_MS))
    return Figure(f"{panel.dashboard}: {panel.panel}", choice.name, window, taken[1:] or taken)
