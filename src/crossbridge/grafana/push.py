"""Creates or updates everything of ours in a running Grafana, over its HTTP API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from crossbridge.errors import UsageError
from crossbridge.grafana import alerts
from crossbridge.grafana.provision import (
    DATASOURCE,
    DATASOURCE_UID,
    check_uid,
    datasource,
    provisioned_dashboards,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossbridge.database.target import Target
    from crossbridge.grafana.client import Client

_SSLMODES = ("disable", "require", "verify-ca", "verify-full")


@dataclass(frozen=True)
class Change:
    """What happened to a thing in Grafana, or would."""

    kind: Literal["folder", "datasource", "dashboard", "alert rule"]
    uid: str
    title: str
    action: Literal["create", "update", "unchanged"]


@dataclass(frozen=True)
class Push:
    """What is pushed. With `target` the data source too: the database, and its CA, as Grafana is to reach them."""

    datasource_uid: str = DATASOURCE_UID
    target: Target | None = None
    root_cert: str | None = None
    guide: str = alerts.GUIDE
    limits: alerts.Limits = alerts.DEFAULTS

    def __post_init__(self) -> None:
        check_uid(self.datasource_uid)
        if self.target is not None:
            _check_target(self.target)


def push(grafana: Client, wanted: Push, *, dry_run: bool = False) -> Iterator[Change]:
    """
    Bring folder, data source, dashboards and alert rules to what this release ships; yield each change once made.

    Doing it again does no harm. A dry run asks and changes nothing.

    Raises:
        GrafanaError: See `Client`; what was yielded is done.
        UsageError: There is no data source of that uid, and none is to be made.
    """
    grafana.check_version()
    yield _push_folder(grafana, dry_run=dry_run)
    if wanted.target is not None:
        yield _push_datasource(grafana, wanted, wanted.target, dry_run=dry_run)
    elif grafana.get("datasources", "uid", wanted.datasource_uid) is None:
        raise UsageError(
            f"there is no data source with the uid {wanted.datasource_uid!r} in Grafana. Name one with"
            " --datasource-uid, or let it be made with --with-datasource."
        )
    for _, dashboard in provisioned_dashboards(wanted.datasource_uid):
        yield _push_dashboard(grafana, dashboard, dry_run=dry_run)
    yield from _push_rules(grafana, wanted, dry_run=dry_run)


def _push_folder(grafana: Client, *, dry_run: bool) -> Change:
    if grafana.get("folders", alerts.FOLDER_UID) is not None:
        return Change("folder", alerts.FOLDER_UID, alerts.FOLDER, "unchanged")
    if not dry_run:
        grafana.post("folders", body={"uid": alerts.FOLDER_UID, "title": alerts.FOLDER})
    return Change("folder", alerts.FOLDER_UID, alerts.FOLDER, "create")


def _push_datasource(grafana: Client, wanted: Push, target: Target, *, dry_run: bool) -> Change:
    uid = wanted.datasource_uid
    there = grafana.get("datasources", "uid", uid)
    name = DATASOURCE if there is None else there["name"]
    body = {
        "name": name,
        "uid": uid,
        **datasource(
            address=f"{target.host}:{target.port or 5432}",
            database=str(target.dbname),
            user=str(target.user),
            sslmode=str(target.sslmode),
            password=str(target.password),
            root_cert=wanted.root_cert,
        ),
    }
    if not dry_run and there is None:
        grafana.post("datasources", body=body)
    elif not dry_run:
        grafana.put("datasources", "uid", uid, body=body)  # always: what password it has cannot be asked
    return Change("datasource", uid, name, "create" if there is None else "update")


def _push_dashboard(grafana: Client, dashboard: dict[str, Any], *, dry_run: bool) -> Change:
    uid, title = dashboard["uid"], dashboard["title"]
    there = grafana.get("dashboards", "uid", uid)
    if (
        there is not None
        and there.get("meta", {}).get("folderUid") == alerts.FOLDER_UID
        and _without_numbers(there["dashboard"]) == dashboard
    ):
        return Change("dashboard", uid, title, "unchanged")
    if not dry_run:
        grafana.post(
            "dashboards",
            "db",
            body={
                "dashboard": dashboard,
                "folderUid": alerts.FOLDER_UID,
                "message": "crossbridge grafana push",
                "overwrite": True,
            },
        )
    return Change("dashboard", uid, title, "create" if there is None else "update")


def _push_rules(grafana: Client, wanted: Push, *, dry_run: bool) -> Iterator[Change]:
    group = alerts.rule_group(wanted.datasource_uid, wanted.guide, wanted.limits)
    changes = []
    for rule in group["rules"]:
        there = grafana.get("v1", "provisioning", "alert-rules", rule["uid"])
        if there is None and not dry_run:
            # Not left to the group's PUT, which older Grafanas refuse for a uid they do not know.
            grafana.post("v1", "provisioning", "alert-rules", body=rule)
        changes.append(
            Change("alert rule", rule["uid"], rule["title"], "create" if there is None else "update")
        )
    if not dry_run:
        grafana.put(
            "v1", "provisioning", "folder", alerts.FOLDER_UID, "rule-groups", alerts.GROUP, body=group
        )
    yield from changes


def _without_numbers(dashboard: dict[str, Any]) -> dict[str, Any]:
    """Return a stored dashboard without what Grafana counts by itself."""
    return {key: value for key, value in dashboard.items() if key not in ("id", "version")}


def _check_target(target: Target) -> None:
    for name, value in (
        ("HOST", target.host),
        ("NAME", target.dbname),
        ("USER", target.user),
        ("PASSWORD", target.password),
    ):
        if not value:
            raise UsageError(
                f"Grafana needs CROSSBRIDGE_DB_{name}, which is not set. Set it, or leave out --with-datasource."
            )
    if target.sslmode not in _SSLMODES:
        raise UsageError(
            f"Grafana's sslmode is one of {', '.join(_SSLMODES)}, got {target.sslmode!r}. Set CROSSBRIDGE_DB_SSLMODE."
        )
