"""The rows of a run as spec/conformance writes them, and what must be true of all rows."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import psycopg

Row = dict[str, Any]

# What an expected row leaves out when it is so: the defaults of the wire format.
_DEFAULTS = {
    "attempt": 1, "error_type": None, "depth": 0, "event_type": "step", "retry_count": 0, "error": None, "target": None,
}  # fmt: skip
_STEP_STATUS = {"status": "passed"}

_TESTS = """
SELECT test_id, attempt, status, suite, file, error_type FROM crossbridge.tests
 WHERE run_id = %s ORDER BY test_id COLLATE "C", attempt, id"""
PARTS = {
    "steps": "step_name, event_type, depth, status",
    "http_calls": "method, endpoint, status_code, error",
    "driver_commands": "command, target, retry_count, error",
}
_ORDER = {"steps": "step_index", "http_calls": "created_at, id", "driver_commands": "created_at, id"}

# Statements that hold for every row, whatever the framework; each gives the rows for which they do not.
TRUTHS = {
    "began a duration before it ended": """
        SELECT test_id, step_name FROM parts WHERE created_at - started_at <> duration_us * interval '1 us'""",
    "took time": """
        SELECT test_id, status FROM crossbridge.tests WHERE run_id = %(run)s AND duration_us = 0
            AND status NOT IN ('skipped', 'interrupted')  -- which ends with the last that is known of it""",
    "set-up and tear-down are parts of the test": """
        SELECT test_id, setup_us, teardown_us, duration_us FROM crossbridge.tests
         WHERE run_id = %(run)s AND coalesce(setup_us, 0) + coalesce(teardown_us, 0) > duration_us""",
    "lies within its test": """
        SELECT p.test_id, p.step_name FROM parts AS p WHERE p.test_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM crossbridge.tests AS t
             WHERE t.run_id = %(run)s AND (t.test_id, t.attempt) = (p.test_id, p.attempt)
               AND t.started_at <= p.started_at AND t.created_at >= p.created_at)""",
    "steps are numbered in order of start": """
        SELECT test_id, step_name FROM (
            SELECT *, row_number() OVER (PARTITION BY test_id, attempt ORDER BY step_index) - 1 AS number,
                   lag(started_at) OVER (PARTITION BY test_id, attempt ORDER BY step_index) AS started_before
              FROM crossbridge.steps WHERE run_id = %(run)s) AS s
         WHERE step_index <> number OR started_at < started_before""",
    "steps within a step take no longer than it": """
        SELECT parent.test_id, parent.step_name
          FROM crossbridge.steps AS child
          JOIN crossbridge.steps AS parent
            ON (parent.run_id, parent.test_id, parent.attempt) = (child.run_id, child.test_id, child.attempt)
           AND parent.step_index = (
               SELECT max(s.step_index) FROM crossbridge.steps AS s
                WHERE (s.run_id, s.test_id, s.attempt) = (child.run_id, child.test_id, child.attempt)
                  AND s.depth = child.depth - 1 AND s.step_index < child.step_index)
         WHERE child.run_id = %(run)s
         GROUP BY parent.test_id, parent.attempt, parent.step_index, parent.step_name, parent.duration_us
        HAVING sum(child.duration_us) > parent.duration_us""",
    "outermost steps take no longer than their test": """
        SELECT t.test_id, t.attempt FROM crossbridge.tests AS t
          JOIN crossbridge.steps AS s USING (run_id, test_id, attempt)
         WHERE run_id = %(run)s AND s.depth = 0
         GROUP BY t.test_id, t.attempt, t.duration_us HAVING sum(s.duration_us) > t.duration_us""",
}
_ALL_PARTS = """
WITH parts AS (
    SELECT test_id, attempt, step_name, started_at, created_at, duration_us FROM crossbridge.steps WHERE run_id = %(run)s
    UNION ALL
    SELECT test_id, attempt, endpoint, started_at, created_at, duration_us FROM crossbridge.http_calls WHERE run_id = %(run)s
    UNION ALL
    SELECT test_id, attempt, command, started_at, created_at, duration_us FROM crossbridge.driver_commands
     WHERE run_id = %(run)s
    UNION ALL
    SELECT test_id, attempt, '(test)', started_at, created_at, duration_us FROM crossbridge.tests WHERE run_id = %(run)s
)"""


@dataclass
class Store:
    """Where runs go, and how their rows are read there."""

    connection: psycopg.Connection[Any]
    environ: dict[str, str]
    deliver: Callable[[Path], None]
    _known: set[Any] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._known = set(self._run_ids())

    def run_id(self) -> Any:
        """The only run that has come in."""
        (run_id,) = set(self._run_ids()) - self._known
        return run_id

    def ended_run_id(self) -> Any:
        """The same, when all that belongs to it is in."""
        ended = "SELECT FROM crossbridge.runs WHERE run_id = %s AND status <> 'running'"
        open_still = "SELECT FROM crossbridge.segments WHERE run_id = %s AND closed_at IS NULL"
        until(lambda: set(self._run_ids()) - self._known)
        run_id = self.run_id()
        until(lambda: self._rows(ended, run_id) and not self._rows(open_still, run_id), 60)
        assert self._rows("SELECT test_id FROM crossbridge.in_flight WHERE run_id = %s", run_id) == []
        return run_id

    def in_flight(self) -> list[str]:
        query = "SELECT test_id FROM crossbridge.in_flight WHERE run_id <> ALL (%s)"
        return [row[0] for row in self._rows(query, list(self._known))]

    def summary(self, run_id: Any) -> Row:
        """The row of `runs`, of which the whole counts."""
        query = """SELECT framework, status, events_dropped, events_spooled, events_written = events_collected
                     FROM crossbridge.runs WHERE run_id = %s"""
        (row,) = self._rows(query, run_id)
        return dict(zip(("framework", "status", "dropped", "spooled", "all_written"), row, strict=True))

    def workers(self, run_id: Any) -> set[str | None]:
        return {
            row[0] for row in self._rows("SELECT worker FROM crossbridge.tests WHERE run_id = %s", run_id)
        }

    def lasted_us(self, run_id: Any, test_id: str) -> int:
        query = "SELECT min(duration_us) FROM crossbridge.tests WHERE run_id = %s AND test_id = %s"
        return int(self._rows(query, run_id, test_id)[0][0])

    def rows(self, run_id: Any) -> list[Row]:
        """The run's tests with their steps and calls, as the expected files write them."""
        names = ("test_id", "attempt", "status", "suite", "file", "error_type")
        tests = [dict(zip(names, row, strict=True)) for row in self._rows(_TESTS, run_id)]
        for table, columns in PARTS.items():
            parts = defaultdict(list)
            query = f"SELECT test_id, attempt, {columns} FROM crossbridge.{table} WHERE run_id = %s ORDER BY {_ORDER[table]}"
            for test_id, attempt, *values in self._rows(query, run_id):
                part = dict(zip(columns.split(", "), values, strict=True))
                parts[test_id, attempt].append(_brief(part, _STEP_STATUS if table == "steps" else {}))
            for test in tests:
                if found := parts.pop((test["test_id"], test["attempt"]), None):
                    test[table] = found
            tests += [
                {"test_id": test_id, "attempt": attempt or 1, table: found}
                for (test_id, attempt), found in parts.items()
            ]
        return [_brief(test) for test in sorted(tests, key=place)]

    def untruths(self, run_id: Any) -> list[str]:
        """Rows that cannot be."""
        return [
            f"not so: {truth}: {row}"
            for truth, query in TRUTHS.items()
            for row in self.connection.execute(_ALL_PARTS + query, {"run": run_id}).fetchall()
        ]

    def _run_ids(self) -> Iterator[Any]:
        return (row[0] for row in self._rows("SELECT run_id FROM crossbridge.runs"))

    def _rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.connection.execute(query, values).fetchall()


def place(row: Row) -> tuple[str, int]:
    """Where a row stands among others; calls made outside of all tests come first."""
    return row["test_id"] or "", row.get("attempt", 1)


def _brief(row: Row, defaults: Row | None = None) -> Row:
    """Without what goes without saying."""
    omitted = _DEFAULTS | (defaults or {})
    return {
        name: _steady(name, value)
        for name, value in row.items()
        if name not in omitted or value != omitted[name]
    }


def _steady(name: str, value: Any) -> Any:
    """What is another value each time, by a word: ports of 127.0.0.1, and how often a wait has asked."""
    if name in {"endpoint", "target"} and value:
        return re.sub(r"^127\.0\.0\.1:\d+", "127.0.0.1:{port}", value)
    return "some" if name == "retry_count" else value
