"""
The part of Grafana's HTTP API that is used, checked as its published OpenAPI document describes it.

There is no package on PyPI or npm that ships the document, and Grafana's own copy (public/api-merged.json) is under the AGPL.
What follows was written down from github.com/grafana/grafana-openapi-client-go v0.0.0-20260330113218-ee77c4f6f90e
(Apache-2.0), which is generated from it: paths and methods from client/*, fields and rules from models/*. Bodies may hold
no field that the models lack: Grafana would pass over it without a word.
"""

from __future__ import annotations

import re
from typing import Any

from jsonschema import Draft202012Validator

_TEXT, _FLAG, _INTEGER = {"type": "string"}, {"type": "boolean"}, {"type": "integer"}
_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
_SHORT = {"type": "string", "minLength": 1, "maxLength": 190}
_DURATION = {"type": "string", "pattern": r"^([0-9]+(ms|[smhdwy]))+$"}


def _object(*required: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


_RELATIVE_TIME_RANGE = _object(**{"from": _INTEGER, "to": _INTEGER})
_ALERT_QUERY = _object(
    datasourceUid=_TEXT,
    model={"type": "object"},
    queryType=_TEXT,
    refId=_TEXT,
    relativeTimeRange=_RELATIVE_TIME_RANGE,
)
_PROVISIONED_ALERT_RULE = _object(
    "condition", "data", "execErrState", "folderUID", "for", "noDataState", "orgID", "ruleGroup", "title",
    annotations=_TEXTS,
    condition=_TEXT,
    data={"type": "array", "items": _ALERT_QUERY},
    execErrState={"enum": ["OK", "Alerting", "Error"]},
    folderUID=_TEXT,
    id=_INTEGER,
    isPaused=_FLAG,
    keep_firing_for=_DURATION,
    labels=_TEXTS,
    missingSeriesEvalsToResolve=_INTEGER,
    noDataState={"enum": ["Alerting", "NoData", "OK"]},
    notification_settings={"type": "object"},
    orgID=_INTEGER,
    provenance=_TEXT,
    record={"type": "object"},
    ruleGroup=_SHORT,
    title=_SHORT,
    uid={"type": "string", "minLength": 1, "maxLength": 40, "pattern": "^[a-zA-Z0-9-_]+$"},
    **{"for": _DURATION},
)  # fmt: skip
_ALERT_RULE_GROUP = _object(
    folderUid=_TEXT,
    interval=_INTEGER,
    rules={"type": "array", "items": _PROVISIONED_ALERT_RULE},
    title=_TEXT,
)
_CREATE_FOLDER = _object(description=_TEXT, parentUid=_TEXT, title=_TEXT, uid=_TEXT)
_SAVE_DASHBOARD = _object(
    UpdatedAt=_TEXT,
    dashboard={"type": "object"},
    folderId=_INTEGER,
    folderUid=_TEXT,
    isFolder=_FLAG,
    message=_TEXT,
    overwrite=_FLAG,
    userId=_INTEGER,
)
_DATA_SOURCE = {
    "access": _TEXT,
    "basicAuth": _FLAG,
    "basicAuthUser": _TEXT,
    "database": _TEXT,
    "isDefault": _FLAG,
    "jsonData": {"type": "object"},
    "name": _TEXT,
    "secureJsonData": _TEXTS,
    "type": _TEXT,
    "uid": _TEXT,
    "url": _TEXT,
    "user": _TEXT,
    "withCredentials": _FLAG,
}

# Method and path below /api -> the body's schema; None: there is none.
OPERATIONS: dict[tuple[str, str], dict[str, Any] | None] = {
    ("GET", "/health"): None,
    ("GET", "/folders/{folder_uid}"): None,
    ("POST", "/folders"): _CREATE_FOLDER,
    ("GET", "/dashboards/uid/{uid}"): None,
    ("POST", "/dashboards/db"): _SAVE_DASHBOARD,
    ("GET", "/datasources/uid/{uid}"): None,
    ("POST", "/datasources"): _object(**_DATA_SOURCE),
    ("PUT", "/datasources/uid/{uid}"): _object(**_DATA_SOURCE, version=_INTEGER),
    ("GET", "/v1/provisioning/alert-rules/{UID}"): None,
    ("POST", "/v1/provisioning/alert-rules"): _PROVISIONED_ALERT_RULE,
    ("PUT", "/v1/provisioning/folder/{FolderUID}/rule-groups/{Group}"): _ALERT_RULE_GROUP,
}


def operation(method: str, path: str, body: Any) -> tuple[str, list[str], list[str]]:
    """The operation's path, the values of its parameters, and what is wrong with the request."""
    for (known_method, template), schema in OPERATIONS.items():
        match = re.fullmatch(re.sub(r"\{\w+\}", "([^/]+)", template), path)
        if match and known_method == method:
            if (schema is None) != (body is None):
                return template, list(match.groups()), ["a body where none belongs, or none where one does"]
            errors = Draft202012Validator(schema).iter_errors(body) if schema else ()
            found = [f"{error.json_path}: {error.message[:300]}" for error in errors]
            return template, list(match.groups()), found
    return "", [], [f"no such operation: {method} {path}"]
