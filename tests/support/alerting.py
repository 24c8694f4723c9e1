"""Alert rules evaluated as Grafana evaluates them.

The query's table is turned into numbers: text columns are labels, the number column is the value, each row one alert. A
threshold then keeps what its evaluator says. Sources: Grafana's documentation, "Queries and conditions" (alert on numeric
data) and "Expressions" (threshold).
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

_EVALUATORS = {"gt": operator.gt, "lt": operator.lt}


def firing(connection: psycopg.Connection[Any], rule: dict[str, Any]) -> dict[tuple[str, ...], float]:
    """Labels (in the order of the columns) and value of each row for which the rule's condition holds."""
    nodes = {node["refId"]: node for node in rule["data"]}
    condition = nodes[rule["condition"]]["model"]
    assert condition["type"] == "threshold"
    source = nodes[condition["expression"]]["model"]
    rows = connection.execute(source["rawSql"].encode()).fetchall()
    numbers = {
        tuple(cell for cell in row if isinstance(cell, str)): next(c for c in row if not isinstance(c, str))
        for row in rows
    }
    assert len(numbers) == len(rows), "two rows of the same labels"
    (test,) = condition["conditions"]
    holds = _EVALUATORS[test["evaluator"]["type"]]
    (limit,) = test["evaluator"]["params"]
    return {labels: value for labels, value in numbers.items() if holds(value, limit)}
