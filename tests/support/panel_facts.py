"""What panels must show, computed in plain Python from the rows they stand for."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import groupby, pairwise
from math import sqrt
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import psycopg

    from support.grafana import Page

Row = dict[str, Any]
FAILING = ("failed", "error")
DECISIVE = ("passed", *FAILING)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)

_RUN = "r.environment, r.git_branch, r.git_commit, r.app_version, r.started_at AS run_started_at, r.status AS run_status"
_TABLES = ("tests", "steps", "http_calls", "driver_commands", "system_metrics")


@dataclass
class Facts:
    """All rows of a database, each with what is known of its run."""

    tables: dict[str, list[Row]]
    runs: list[Row]

    @classmethod
    def read(cls, connection: psycopg.Connection[Any]) -> Facts:
        with connection.cursor(row_factory=dict_row) as cursor:
            tables = {
                table: cursor.execute(
                    f"SELECT x.*, {_RUN} FROM crossbridge.{table} AS x JOIN crossbridge.runs AS r USING (run_id)".encode()
                ).fetchall()
                for table in _TABLES
            }
            runs = cursor.execute("SELECT * FROM crossbridge.runs").fetchall()
        return cls(tables, runs)

    def chosen(self, table: str, page: Page) -> list[Row]:
        """The rows of a table that a page's time range and variables choose."""
        rows = [row for row in self.tables[table] if page.since <= row["created_at"] <= page.until]
        columns = {"environment": "environment", "branch": "git_branch", "framework": "framework"}
        if table == "system_metrics":
            del columns["framework"]
        for variable, column in columns.items():
            if isinstance(wanted := page.values.get(variable), list):
                rows = [row for row in rows if row[column] in wanted]
        for variable, column in {"test_id": "test_id", "run": "run_id"}.items():
            if isinstance(one := page.values.get(variable), str):
                rows = [row for row in rows if str(row[column]) == one]
        return rows

    def chosen_runs(self, page: Page) -> list[Row]:
        """The runs that began in a page's time range."""
        runs = [run for run in self.runs if page.since <= run["started_at"] <= page.until]
        for variable, column in {"environment": "environment", "branch": "git_branch"}.items():
            if isinstance(wanted := page.values.get(variable), list):
                runs = [run for run in runs if run[column] in wanted]
        if isinstance(wanted := page.values.get("framework"), list):
            runs = [run for run in runs if set(run["framework"].split(",")) & set(wanted)]
        if isinstance(one := page.values.get("run"), str):
            runs = [run for run in runs if str(run["run_id"]) == one]
        return runs


def grouped(rows: Iterable[Row], key: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    groups = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return dict(groups)


def hour_of(moment: datetime) -> datetime:
    return moment.astimezone(timezone.utc).replace(minute=0, second=0, microsecond=0)


def day_of(moment: datetime) -> datetime:
    return hour_of(moment).replace(hour=0)


def span(page: Page) -> timedelta:
    """How long a page's window is; that of a run is the run's, and those made for tests are short."""
    return HOUR if isinstance(page.values.get("run"), str) else page.until - page.since


def bucket(page: Page, moment: datetime) -> datetime:
    return day_of(moment) if span(page) > 2 * DAY else hour_of(moment)


def average_ms(rows: list[Row]) -> float:
    return sum(row["duration_us"] for row in rows) / len(rows) / 1000


def longest_ms(rows: list[Row]) -> int:
    return max(row["duration_ms"] for row in rows)


def failed(rows: list[Row]) -> int:
    return sum(row["status"] in FAILING for row in rows)


def count(rows: list[Row], status: str) -> int:
    return sum(row["status"] == status for row in rows)


def percentile(values: list[float], part: float) -> float:
    values = sorted(values)
    rank = part * (len(values) - 1)
    low = int(rank)
    return values[low] + (values[min(low + 1, len(values) - 1)] - values[low]) * (rank - low)


def may_be(read: float, values: list[float], part: float) -> bool:
    """Whether a histogram's percentile is that of these values: of the one at its rank or of the next, within a bin."""
    values = sorted(max(value, 0.001) for value in values)
    low = int(part * (len(values) - 1))
    return values[low] / 1.041 <= read <= values[min(low + 1, len(values) - 1)] * 1.041


def wilson_low(hits: int, n: int) -> float:
    z, p = 1.96, hits / n
    return max(0.0, (p + z * z / 2 / n - z * sqrt(p * (1 - p) / n + z * z / 4 / n / n)) / (1 + z * z / n))


@dataclass
class Outcome:
    """How a test ended in a run, and what that tells."""

    framework: str
    test_id: str
    run: Row
    rows: list[Row]
    same_commit: bool = False
    across_commits: bool = False

    @property
    def last_at(self) -> datetime:
        return max(row["created_at"] for row in self.rows)

    @property
    def passed(self) -> bool:
        last = max(row["attempt"] for row in self.rows)
        return all(row["status"] == "passed" for row in self.rows if row["attempt"] == last)

    @property
    def retried(self) -> bool:
        failures = [row["attempt"] for row in self.rows if row["status"] in FAILING]
        passes = [row["attempt"] for row in self.rows if row["status"] == "passed"]
        return bool(failures and passes) and min(failures) < max(passes)

    @property
    def lost_us(self) -> int:
        return sum(row["duration_us"] for row in self.rows if row["status"] in FAILING) if self.retried else 0

    @property
    def flaky(self) -> bool:
        return self.retried or self.same_commit


def outcomes(rows: list[Row], runs: list[Row]) -> list[Outcome]:
    """The outcomes of all tests, with their flips: among runs of the same code, and from commit to commit."""
    by_id = {run["run_id"]: run for run in runs}
    found = [
        Outcome(*key, by_id[run_id], of_run)
        for (*key, run_id), of_run in grouped(
            [row for row in rows if row["status"] in DECISIVE],
            lambda row: (row["framework"], row["test_id"], row["run_id"]),
        ).items()
    ]
    found.sort(key=lambda o: (o.run["started_at"], o.run["run_id"].int))
    for flips, of in ((True, _code), (False, _line)):
        for line in grouped_outcomes(found, of).values():
            for before, after in pairwise(line):
                if before.passed == after.passed:
                    continue
                if flips and after.run["git_commit"] is not None:
                    after.same_commit = True
                elif not flips and None not in (after.run["git_commit"], before.run["git_commit"]):
                    after.across_commits = after.run["git_commit"] != before.run["git_commit"]
    return found


def grouped_outcomes(found: list[Outcome], key: Callable[[Outcome], Any]) -> dict[Any, list[Outcome]]:
    return {k: list(group) for k, group in groupby(sorted(found, key=lambda o: repr(key(o))), key)}


def _code(o: Outcome) -> Any:
    run = o.run
    os = (run["os"] or "").split(" ")[0]
    return (
        o.framework, o.test_id, run["git_commit"], run["app_version"], run["environment"], os, run["runtime"],
        str(run["labels"]),
    )  # fmt: skip


def _line(o: Outcome) -> Any:
    return o.framework, o.test_id, o.run["environment"], o.run["git_branch"]
