"""The alert rules, as Grafana's provisioning API and its provisioning files want them.

Each is a query (refId A) and a threshold over it (refId B). A query answers with one number a row, and labels as text
columns: each row is an alert of its own. The queries are the `alert_*` of database/queries/alerts.sql. They bring their
own times and hold no `$`, which Grafana would expand when it reads a file.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from crossbridge.database.queries import query
from crossbridge.errors import UsageError
from crossbridge.grafana import DATASOURCE_TYPE

FOLDER_UID, FOLDER = "crossbridge", "CrossBridge"
GROUP, INTERVAL_S = "crossbridge", 300
GUIDE = "grafana/GRAFANA_SETUP_GUIDE.md"


@dataclass(frozen=True)
class Limits:
    """Where rules fire: above these values. Points are of a percentage."""

    lost_points: float = 10.0
    p95_s: float = 5.0
    no_data_hours: float = 24.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not isfinite(value):
                raise UsageError(
                    f"--{name.removesuffix('_s').replace('_', '-')} must be a number, got {value}."
                )


DEFAULTS = Limits()


@dataclass(frozen=True)
class Rule:
    """
    A rule, whatever the form it is written in.

    `summary` and `description` are Go templates over `.Labels` and `.Values.A.Value`; `pending` is how long the
    condition must hold, `no_data` the state when the query answers with no row.
    """

    uid: str
    title: str
    query: str
    above: float
    severity: str
    summary: str
    description: str
    pending: str = "0s"
    no_data: str = "OK"


def rules(limits: Limits = DEFAULTS) -> list[Rule]:
    """Return the rules, in the order in which Grafana evaluates them."""
    return [
        Rule(
            "crossbridge-success-rate",
            "Success rate dropped",
            "alert_success_rate",
            limits.lost_points,
            "critical",
            'Success rate in {{ .Labels.environment }} is {{ printf "%.1f" .Values.A.Value }} points lower',
            "Of the attempts of the last 6 hours that many percentage points fewer passed than in the 7 days before.",
            pending="10m",
        ),
        Rule(
            "crossbridge-p95",
            "Tests are slow",
            "alert_p95",
            limits.p95_s,
            "warning",
            'p95 of {{ .Labels.framework }} in {{ .Labels.environment }} is {{ printf "%.1f" .Values.A.Value }} s',
            f"Of the attempts of the last 24 hours 5 % took longer than that; the limit is {limits.p95_s:g} s.",
            pending="10m",
        ),
        Rule(
            "crossbridge-new-flaky",
            "New flaky test",
            "alert_new_flaky",
            0,
            "warning",
            "{{ .Labels.test_id }} ({{ .Labels.framework }}) became flaky",
            "With the same code it both passed and failed in the last 24 hours, and had not in the 14 days before.",
        ),
        Rule(
            "crossbridge-no-data",
            "No test results",
            "alert_no_data",
            limits.no_data_hours,
            "warning",
            'No test result for {{ printf "%.0f" .Values.A.Value }} hours',
            f"Nothing was recorded for over {limits.no_data_hours:g} hours. Run 'crossbridge doctor' where tests run.",
            no_data="Alerting",
        ),
        Rule(
            "crossbridge-dropped",
            "Events dropped",
            "alert_dropped",
            0,
            "critical",
            '{{ printf "%.0f" .Values.A.Value }} events of {{ .Labels.environment }} are lost',
            "In the last 24 hours events were dropped by a full spool or disk, refused by the database or cut short.",
        ),
    ]


def rule_group(datasource_uid: str, guide: str = GUIDE, limits: Limits = DEFAULTS) -> dict[str, Any]:
    """Return the rules as the provisioning API takes them: an AlertRuleGroup."""
    made = [
        _rule(rule, datasource_uid, guide)
        | {"orgID": 1, "folderUID": FOLDER_UID, "ruleGroup": GROUP, "isPaused": False}
        for rule in rules(limits)
    ]
    return {"title": GROUP, "folderUid": FOLDER_UID, "interval": INTERVAL_S, "rules": made}


def rule_file(datasource_uid: str, guide: str = GUIDE, limits: Limits = DEFAULTS) -> dict[str, Any]:
    """Return the rules as a file below `provisioning/alerting` holds them."""
    group = {
        "orgId": 1,
        "name": GROUP,
        "folder": FOLDER,
        "interval": f"{INTERVAL_S}s",
        "rules": [_rule(rule, datasource_uid, guide) for rule in rules(limits)],
    }
    return {"apiVersion": 1, "groups": [group]}


def anchor(title: str) -> str:
    """Return the anchor of the rule's section in the guide, as Markdown renderers make it from a heading."""
    return "alert-" + title.lower().replace(" ", "-")


def _rule(rule: Rule, datasource_uid: str, guide: str) -> dict[str, Any]:
    return {
        "uid": rule.uid,
        "title": rule.title,
        "condition": "B",
        "data": [_query(rule, datasource_uid), _threshold(rule.above)],
        "noDataState": rule.no_data,
        "execErrState": "Error",
        "for": rule.pending,
        "annotations": {
            "summary": rule.summary,
            "description": rule.description,
            "runbook_url": f"{guide}#{anchor(rule.title)}",
        },
        "labels": {"severity": rule.severity, "source": "crossbridge"},
    }


def _query(rule: Rule, datasource_uid: str) -> dict[str, Any]:
    return {
        "refId": "A",
        "relativeTimeRange": {"from": 86_400, "to": 0},
        "datasourceUid": datasource_uid,
        "model": {
            "refId": "A",
            "datasource": {"type": DATASOURCE_TYPE, "uid": datasource_uid},
            "editorMode": "code",
            "format": "table",
            "rawQuery": True,
            "rawSql": query(rule.query),
            "intervalMs": 60_000,
            "maxDataPoints": 43_200,
        },
    }


def _threshold(above: float) -> dict[str, Any]:
    condition = {
        "type": "query",
        "evaluator": {"type": "gt", "params": [above]},
        "operator": {"type": "and"},
        "query": {"params": ["B"]},
        "reducer": {"type": "last", "params": []},
    }
    return {
        "refId": "B",
        "relativeTimeRange": {"from": 0, "to": 0},
        "datasourceUid": "__expr__",
        "model": {
            "refId": "B",
            "type": "threshold",
            "expression": "A",
            "datasource": {"type": "__expr__", "uid": "__expr__"},
            "conditions": [condition],
        },
    }
