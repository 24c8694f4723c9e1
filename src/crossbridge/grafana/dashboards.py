"""The built dashboards: where they lie, what they ask, and what Grafana's Import does to them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from crossbridge.grafana import flaky, overview, versions

if TYPE_CHECKING:
    from crossbridge.grafana.panels import Dashboard

DASHBOARDS: tuple[Dashboard, ...] = (overview.DASHBOARD, flaky.DASHBOARD, versions.DASHBOARD)
# Import asks for a data source under this name and writes its uid in the place of ${DS_CROSSBRIDGE}.
INPUT = "DS_CROSSBRIDGE"
_SOURCE_TREE = Path(__file__).resolve().parents[3] / "grafana"
_IN_WHEEL = Path(__file__).resolve().parent / "built"


class Query(NamedTuple):
    """A query of a dashboard, as Grafana gets it: with macros and variables. `panel` is the title of what asks it."""

    dashboard: str
    panel: str
    sql: str


def built_folder() -> Path:
    """Return the folder of the built dashboards: in the wheel, or in the source tree that runs."""
    return _IN_WHEEL if _IN_WHEEL.is_dir() else _SOURCE_TREE


def built() -> dict[str, dict[str, Any]]:
    """Return the built dashboards by their path below `built_folder()`."""
    return {
        dashboard.path: json.loads((built_folder() / dashboard.path).read_text(encoding="utf-8"))
        for dashboard in DASHBOARDS
    }


def with_datasource(dashboard: dict[str, Any], uid: str) -> dict[str, Any]:
    """Return a built dashboard as Import would make it for the data source `uid`."""
    filled: dict[str, Any] = json.loads(json.dumps(dashboard).replace(f"${{{INPUT}}}", json.dumps(uid)[1:-1]))
    del filled["__inputs"]
    return filled


def panel_queries(dashboard: dict[str, Any]) -> list[Query]:
    """Return the queries of the panels of a built dashboard, in their order on the page."""
    return [
        Query(dashboard["title"], panel["title"], target["rawSql"])
        for panel in dashboard["panels"]
        for target in panel.get("targets", [])
    ]


def variable_queries(dashboard: dict[str, Any]) -> list[Query]:
    """Return the queries that fill a built dashboard's variables."""
    return [
        Query(dashboard["title"], variable["name"], variable["query"])
        for variable in dashboard["templating"]["list"]
        if variable["type"] == "query"
    ]


def annotation_queries(dashboard: dict[str, Any]) -> list[Query]:
    """Return the queries of a built dashboard's annotations."""
    return [
        Query(dashboard["title"], annotation["name"], annotation["target"]["rawSql"])
        for annotation in dashboard["annotations"]["list"]
        if "rawSql" in annotation.get("target", {})
    ]
