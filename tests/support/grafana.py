"""Queries as Grafana sends them: variables written out by its page, then macros by its PostgreSQL data source.

The rules: https://grafana.com/docs/grafana/v11.6/datasources/postgres/ (macros) and
https://grafana.com/docs/grafana/v11.6/dashboards/variables/variable-syntax/ (formats; sqlstring). A custom All value is
written as it stands, whatever the format:
https://grafana.com/docs/grafana/v11.6/dashboards/variables/add-template-variables/#custom-all-value.
Grafana's own code, for what the pages leave open: pkg/tsdb/grafana-postgresql-datasource/macros.go.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timezone

ALL = object()
_VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(\w+)\b(?!\()")
_MACRO = re.compile(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)")
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


@dataclass
class Page:
    """
    What a dashboard's page knows: its time range, what is chosen in its variables, and what All is written as.

    A variable is a text, a list of texts, or ALL; one that is not named is ALL.
    """

    since: datetime
    until: datetime
    values: dict[str, object] = field(default_factory=dict)
    all_value: str = "NULL"
    interval: str = "1h"

    def query(self, sql: str) -> str:
        """Return the text that reaches the database."""
        return _MACRO.sub(self._macro, _VARIABLE.sub(self._variable, sql))

    def _variable(self, match: re.Match[str]) -> str:
        name = match[1] or match[3]
        if name == "__interval":
            return self.interval
        value = self.values.get(name, ALL)
        if value is ALL and name == "__searchFilter":
            value = "%"  # nothing typed yet
        if value is ALL:
            return self.all_value
        assert match[2] == "sqlstring", f"{match[0]} is not quoted"
        return ",".join(_sqlstring(text) for text in (value if isinstance(value, list) else [value]))

    def _macro(self, match: re.Match[str]) -> str:
        name, arguments = match[1], [argument.strip() for argument in match[2].split(",")]
        since, until = (
            f"'{moment:%Y-%m-%dT%H:%M:%S.%fZ}'" for moment in (_utc(self.since), _utc(self.until))
        )
        if name == "__timeFilter":
            return f"{arguments[0]} BETWEEN {since} AND {until}"
        if name in ("__timeFrom", "__timeTo"):
            return since if name == "__timeFrom" else until
        if name in ("__timeGroup", "__timeGroupAlias"):
            seconds = _seconds(arguments[1].strip("'"))
            group = f"floor(extract(epoch from {arguments[0]})/{seconds})*{seconds}"
            return f'{group} AS "time"' if name == "__timeGroupAlias" else group
        raise ValueError(f"unknown macro {name!r}")  # so does Grafana


def _sqlstring(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(timezone.utc)


def _seconds(interval: str) -> int:
    match = re.fullmatch(r"(\d+)([smhdw])", interval)
    assert match is not None, interval
    return int(match[1]) * _UNITS_S[match[2]]
