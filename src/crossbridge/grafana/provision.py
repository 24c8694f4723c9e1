"""Grafana's provisioning files: the data source, the dashboards with their provider, the alert rules.

No file holds a secret: Grafana takes what it needs to reach the database from its own environment.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from crossbridge.errors import UsageError
from crossbridge.grafana import DATASOURCE_TYPE, alerts
from crossbridge.grafana._yaml import to_yaml
from crossbridge.grafana.dashboards import built, with_datasource

if TYPE_CHECKING:
    from collections.abc import Iterator

DATASOURCE, DATASOURCE_UID = "CrossBridge", "crossbridge"
VARIABLES = ("HOST", "PORT", "NAME", "USER", "PASSWORD", "SSLMODE")
_HEAD = "# Made by 'crossbridge grafana provision'."
_POSTGRES_VERSION = 1300  # the oldest that the schema runs on, as Grafana numbers them
_UID = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass(frozen=True)
class Provisioning:
    """
    What the files say.

    The paths are as Grafana sees them: `dashboards_at` the folder of the dashboards, `password_file` a file that holds
    the database's password in place of the environment, `root_cert` the certificate of the database's CA.
    """

    dashboards_at: str
    datasource_uid: str = DATASOURCE_UID
    password_file: str | None = None
    root_cert: str | None = None
    guide: str = alerts.GUIDE
    limits: alerts.Limits = alerts.DEFAULTS

    def __post_init__(self) -> None:
        check_uid(self.datasource_uid)


class Written(NamedTuple):
    path: Path
    changed: bool


def check_uid(uid: str) -> None:
    """Raise UsageError unless `uid` can be a data source's."""
    if not _UID.fullmatch(uid):
        raise UsageError(
            f"a data source's uid is 1 to 40 letters, digits, '-' and '_', got {uid!r}. See it in the address of the"
            " data source's page in Grafana."
        )


# The files below grafana/provisioning, as grafana/compose.yml mounts them.
COMMITTED = Provisioning(dashboards_at="/etc/crossbridge/dashboards")


def provisioning_files(wanted: Provisioning, *, dashboards: bool = True) -> dict[str, str]:
    """Return the text of each file by its path below Grafana's provisioning folder; the same each time."""
    files = {
        "datasources/crossbridge.yaml": _datasource_file(wanted),
        "dashboards/crossbridge.yaml": _provider_file(wanted),
        "alerting/crossbridge.yaml": f"{_HEAD} Rules are explained in {wanted.guide}\n"
        + to_yaml(alerts.rule_file(wanted.datasource_uid, wanted.guide, wanted.limits)),
    }
    if dashboards:
        for name, dashboard in provisioned_dashboards(wanted.datasource_uid):
            files[f"dashboards/crossbridge/{name}"] = (
                json.dumps(dashboard, indent=2, ensure_ascii=False) + "\n"
            )
    return files


def provisioned_dashboards(datasource_uid: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield file name and content of each built dashboard, bound to a data source."""
    for path, dashboard in built().items():
        yield PurePosixPath(path).name, with_datasource(dashboard, datasource_uid)


def write_files(folder: Path, files: dict[str, str]) -> list[Written]:
    """
    Write what differs below `folder`, each file at once or not at all, and return all of them.

    Raises:
        UsageError: A file cannot be written.
    """
    written = []
    try:
        for name, text in files.items():
            path = folder / name
            changed = not path.is_file() or path.read_bytes() != text.encode()
            if changed:
                path.parent.mkdir(parents=True, exist_ok=True)
                # Not beside it: Grafana refuses a folder of alert rules that holds a file of another ending.
                new = folder / f".{path.name}.new"
                new.write_bytes(text.encode())
                new.replace(path)
            written.append(Written(path, changed))
    except OSError as error:
        raise UsageError(
            f"{error.filename or folder} cannot be written: {error.strerror}. Name another folder with --out."
        ) from error
    return written


def _datasource_file(wanted: Provisioning) -> str:
    password = f"$__file{{{wanted.password_file}}}" if wanted.password_file else "$CROSSBRIDGE_DB_PASSWORD"
    document = {
        "apiVersion": 1,
        "datasources": [
            {
                "name": DATASOURCE,
                "uid": wanted.datasource_uid,
                **datasource(
                    address="$CROSSBRIDGE_DB_HOST:$CROSSBRIDGE_DB_PORT",
                    database="$CROSSBRIDGE_DB_NAME",
                    user="$CROSSBRIDGE_DB_USER",
                    sslmode="$CROSSBRIDGE_DB_SSLMODE",
                    password=password,
                    root_cert=wanted.root_cert,
                ),
            }
        ],
    }
    return f"{_HEAD} Grafana's own environment fills in $NAME.\n" + to_yaml(document)


def datasource(
    *, address: str, database: str, user: str, sslmode: str, password: str, root_cert: str | None
) -> dict[str, Any]:
    """Return what Grafana wants to know of a PostgreSQL data source; holds the password."""
    certificate = {"tlsConfigurationMethod": "file-path", "sslRootCertFile": root_cert} if root_cert else {}
    return {
        "type": DATASOURCE_TYPE,
        "access": "proxy",
        "url": address,
        "user": user,
        "jsonData": {
            "database": database,
            "sslmode": sslmode,
            **certificate,
            "postgresVersion": _POSTGRES_VERSION,
            "maxOpenConns": 10,
            "maxIdleConns": 10,
            "connMaxLifetime": 14_400,
        },
        "secureJsonData": {"password": password},
    }


def _provider_file(wanted: Provisioning) -> str:
    document = {
        "apiVersion": 1,
        "providers": [
            {
                "name": "crossbridge",
                "folder": alerts.FOLDER,
                "folderUid": alerts.FOLDER_UID,
                "type": "file",
                "updateIntervalSeconds": 30,
                "allowUiUpdates": False,
                "options": {"path": wanted.dashboards_at, "foldersFromFilesStructure": False},
            }
        ],
    }
    return f"{_HEAD} 'path' is the dashboards' folder as Grafana sees it.\n" + to_yaml(document)
