"""`grafana provision` and `grafana push`: two ways into Grafana."""

from __future__ import annotations

import os
from pathlib import Path  # noqa: TC003  (typer reads it)
from typing import TYPE_CHECKING, Annotated

import typer

from crossbridge.cli._common import Json, print_json, say
from crossbridge.cli._text import counted, safe
from crossbridge.errors import UsageError
from crossbridge.grafana.alerts import GUIDE, Limits

if TYPE_CHECKING:
    from crossbridge.database.target import Target
    from crossbridge.grafana.push import Change

DatasourceUid = Annotated[
    str, typer.Option(metavar="UID", help="The data source that dashboards and alert rules ask.")
]
Guide = Annotated[
    str, typer.Option(metavar="URL", help="Where the setup guide lies: alerts link to their sections in it.")
]
LostPoints = Annotated[
    float, typer.Option(min=0, max=100, metavar="N", help="Alert when so many points fewer pass than before.")
]
P95 = Annotated[
    float, typer.Option("--p95", min=0, metavar="S", help="Alert when the 95th percentile is above it.")
]
NoDataHours = Annotated[
    float, typer.Option(min=0, metavar="H", help="Alert when no result came for so many hours.")
]
RootCert = Annotated[
    str | None,
    typer.Option(
        metavar="PATH",
        help="The certificate of the database's CA, as Grafana sees it: for verify-ca and verify-full.",
    ),
]
_LIMITS = Limits()


def provision(
    *,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Grafana's provisioning folder, or one to copy there.")
    ],
    datasource_uid: DatasourceUid = "crossbridge",
    dashboards_at: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            help="Where Grafana sees DIR/dashboards/crossbridge, when that is elsewhere: in a container.",
        ),
    ] = None,
    without_dashboards: Annotated[
        bool, typer.Option("--without-dashboards", help="Write no dashboards, only what points to them.")
    ] = False,
    password_file: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="The file that holds the password, as Grafana sees it."),
    ] = None,
    root_cert: RootCert = None,
    guide: Guide = GUIDE,
    lost_points: LostPoints = _LIMITS.lost_points,
    p95_s: P95 = _LIMITS.p95_s,
    no_data_hours: NoDataHours = _LIMITS.no_data_hours,
    as_json: Json = False,
) -> None:
    """
    Write what Grafana loads by itself at its start.

    Data source, dashboards and alert rules, as provisioning files. None holds a secret: Grafana takes the database's
    address and password from its own environment, CROSSBRIDGE_DB_HOST, _PORT, _NAME, _USER, _PASSWORD and _SSLMODE
    (disable, require, verify-ca or verify-full).
    Doing it again writes what has changed. Grafana reads the files when it starts.

    \b
    Examples:
      crossbridge grafana provision --out /etc/grafana/provisioning
      crossbridge grafana provision --out build --dashboards-at /etc/grafana/provisioning/dashboards/crossbridge
      crossbridge grafana provision --out build --password-file /run/secrets/crossbridge_db_password
    """
    from crossbridge.grafana.provision import Provisioning, provisioning_files, write_files

    wanted = Provisioning(
        dashboards_at=dashboards_at or str(out.resolve() / "dashboards" / "crossbridge"),
        datasource_uid=datasource_uid,
        password_file=password_file,
        root_cert=root_cert,
        guide=guide,
        limits=Limits(lost_points, p95_s, no_data_hours),
    )
    written = write_files(out, provisioning_files(wanted, dashboards=not without_dashboards))
    if as_json:
        print_json(
            {"folder": str(out), "files": [{"path": str(w.path), "changed": w.changed} for w in written]}
        )
        return
    for file in written:
        print(f"{'wrote' if file.changed else 'kept '} {safe(str(file.path))}")
    if any(file.changed for file in written):
        say("Next: start Grafana anew, with CROSSBRIDGE_DB_HOST and its companions in its environment.")


def push(
    *,
    url: Annotated[str, typer.Option(metavar="URL", help="Grafana's address.")],
    token_env: Annotated[
        str, typer.Option(metavar="NAME", help="The environment variable that holds the token.")
    ] = "GRAFANA_TOKEN",  # noqa: S107  (a name)
    token: Annotated[
        str | None,
        typer.Option(metavar="TOKEN", help="The token itself. Everybody on this machine can see it: avoid."),
    ] = None,
    datasource_uid: DatasourceUid = "crossbridge",
    with_datasource: Annotated[
        bool,
        typer.Option(
            "--with-datasource",
            help="Make or update the data source too, from the settings CROSSBRIDGE_DB_*.",
        ),
    ] = False,
    root_cert: RootCert = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be done.")] = False,
    guide: Guide = GUIDE,
    lost_points: LostPoints = _LIMITS.lost_points,
    p95_s: P95 = _LIMITS.p95_s,
    no_data_hours: NoDataHours = _LIMITS.no_data_hours,
    as_json: Json = False,
) -> None:
    """
    Bring dashboards and alert rules into a running Grafana.

    Makes the folder CrossBridge, and in it the dashboards and alert rules, or updates them. The token is that of
    a service account with the role Admin, taken from GRAFANA_TOKEN. Needs Grafana 11 or newer.

    \b
    Examples:
      GRAFANA_TOKEN=... crossbridge grafana push --url https://grafana.example.internal
      crossbridge grafana push --url http://localhost:3000 --token-env MY_TOKEN --dry-run
      crossbridge grafana push --url http://localhost:3000 --with-datasource
    """
    from crossbridge.grafana.client import Client
    from crossbridge.grafana.push import Push
    from crossbridge.grafana.push import push as push_

    grafana = Client(url, _token(token, token_env))
    wanted = Push(
        datasource_uid=datasource_uid,
        target=_target() if with_datasource else None,
        root_cert=root_cert,
        guide=guide,
        limits=Limits(lost_points, p95_s, no_data_hours),
    )
    changes: list[Change] = []
    for change in push_(grafana, wanted, dry_run=dry_run):
        changes.append(change)
        if not as_json:
            print(f"{_told(change, dry_run):<12} {change.kind} {safe(change.title)}")
    if as_json:
        print_json({"url": grafana.url, "dry_run": dry_run, "changes": changes})
    elif not dry_run:
        say(
            f"{counted(len(changes), 'thing')} in the folder CrossBridge: {grafana.url}/dashboards/f/crossbridge"
        )


def _token(token: str | None, token_env: str) -> str:
    found = token or os.environ.get(token_env, "")
    if not found.strip():
        raise UsageError(
            f"no token: {token_env} is not set. Put the token of a Grafana service account there."
        )
    return found.strip()


def _target() -> Target:
    from crossbridge.profiling.config import load
    from crossbridge.profiling.storage import target_of

    return target_of(load())


def _told(change: Change, dry_run: bool) -> str:
    if change.action == "unchanged":
        return "unchanged"
    return f"would {change.action}" if dry_run else f"{change.action}d"
