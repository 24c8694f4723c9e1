"""What a dashboard is made of, as data. `build` turns it into Grafana's JSON; nothing here needs more than Python."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["timeseries", "table", "gauge", "barchart"]

# What $scope stands for in the queries below: the variables every dashboard has, as the one argument of the functions
# panel_* in the database. Grafana writes a value formatted by :sqlstring as a literal with its quotes doubled, several
# with commas between, and All as it stands in `ALL`: a NULL, which vanishes from the plan.
SCOPE = """crossbridge.panel_scope(
  $__timeFrom(), $__timeTo(),
  ARRAY[${environment:sqlstring}]::text[], ARRAY[${branch:sqlstring}]::text[], ARRAY[${framework:sqlstring}]::text[],
  ${test_id:sqlstring}, ${run:sqlstring})"""
ALL = "NULL"


def expanded(sql: str) -> str:
    """Return a query as Grafana is to get it."""
    return sql.replace("$scope", SCOPE)


@dataclass(frozen=True)
class Column:
    """How a column, or a series, is shown. `link` names the variable of the overview that its value is for."""

    title: str
    unit: str | None = None
    width: int | None = None
    link: Literal["test_id", "run"] | None = None
    share: bool = False  # a percentage on a coloured ground, the higher the better
    color: str | None = None


TEST = Column("Test", link="test_id")


@dataclass(frozen=True)
class Panel:
    """
    One panel.

    `unit` is one of Grafana's, for all values that have none of their own; `width` is in 24ths of the page, `height`
    in its lines of 30 pixels.
    """

    kind: Kind
    title: str
    description: str
    no_data: str
    unit: str
    width: int
    sql: str
    height: int = 8
    columns: dict[str, Column] = field(default_factory=dict)
    stacked: bool = False
    points: bool = False


@dataclass(frozen=True)
class Row:
    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Variable:
    """
    A variable whose values come from `sql`. With `several`, many can be chosen; with `all_`, none need be.

    The first of the values is chosen when `all_` is false.
    """

    name: str
    title: str
    description: str
    sql: str
    several: bool = False
    all_: bool = True


@dataclass(frozen=True)
class Annotation:
    name: str
    sql: str
    color: str


@dataclass(frozen=True)
class Dashboard:
    """`path` is that of the built file, in the folder of the built files."""

    uid: str
    title: str
    description: str
    path: str
    rows: tuple[Row, ...]
    since: str = "now-7d"
    variables: tuple[Variable, ...] = ()
    annotations: tuple[Annotation, ...] = ()

    @property
    def panels(self) -> list[Panel]:
        return [panel for row in self.rows for panel in row.panels]

    @property
    def all_variables(self) -> tuple[Variable, ...]:
        return VARIABLES + self.variables


VARIABLES = (
    Variable(
        "environment",
        "Environment",
        "Only runs of these environments.",
        """SELECT environment
FROM crossbridge.runs
WHERE $__timeFilter(started_at) AND environment <> ''
GROUP BY 1 ORDER BY 1""",
        several=True,
    ),
    Variable(
        "branch",
        "Branch",
        "Only runs of these git branches; those that ran last come first.",
        """SELECT git_branch
FROM crossbridge.runs
WHERE $__timeFilter(started_at) AND git_branch <> ''
GROUP BY 1 ORDER BY max(started_at) DESC, 1 LIMIT 500""",
        several=True,
    ),
    Variable(
        "framework",
        "Framework",
        "Only tests of these frameworks.",
        "SELECT DISTINCT framework FROM crossbridge.test_dim ORDER BY 1",
        several=True,
    ),
    Variable(
        "test_id",
        "Test",
        "Only this test; type a part of its name to find it.",
        """SELECT DISTINCT test_id
FROM crossbridge.test_dim
WHERE test_id ILIKE '%' || ${__searchFilter:sqlstring}
ORDER BY 1 LIMIT 500""",
    ),
    Variable(
        "run",
        "Run",
        "Only this run, of the latest in the window.",
        """SELECT run_id AS __value, label AS __text
FROM crossbridge.run_choices
WHERE $__timeFilter(started_at)
ORDER BY started_at DESC, run_id LIMIT 200""",
    ),
)
