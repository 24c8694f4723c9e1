"""grafana/compose.yml: no container runs here, but what it leans on is looked at, and the script of initdb is run."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import yaml

from crossbridge.database.connection import connect
from crossbridge.database.embedded.binaries import find_binaries
from crossbridge.grafana import alerts
from support.alerting import firing
from support.cli import run_cli
from support.history import History
from support.postgres import db_environment

GRAFANA = Path(__file__).parents[3] / "grafana"
TEXT = (GRAFANA / "compose.yml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]


def mounts(service):
    """Source and target of the folders and files of this repository that a service sees."""
    found = [volume.split(":") for volume in SERVICES[service]["volumes"]]
    return {target: (GRAFANA / source).resolve() for source, target, *_ in found if source.startswith(".")}


def test_every_mounted_path_exists_and_is_read_only():
    for name, service in SERVICES.items():
        for volume in service["volumes"]:
            source, *rest = volume.split(":")
            if source.startswith("."):
                assert (GRAFANA / source).exists(), f"{name}: {source}"
                assert rest[1:] == ["ro"], f"{name}: {source}"
            else:
                assert source in COMPOSE["volumes"], f"{name}: {source}"


def test_nothing_listens_beyond_this_machine():
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert len(ports) == 2
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_every_variable_is_in_the_example_and_none_has_a_secret_for_default():
    used = set(re.findall(r"\$\{(\w+)", TEXT))
    example = (GRAFANA / ".env.example").read_text()

    assert used == set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))
    assert not re.search(r"^[A-Z_]+PASSWORD=.", example, re.MULTILINE)
    for name in used:
        wanted = r"\$\{%s:\?[^}]+\}" if name.endswith("PASSWORD") else r"\$\{%s:-\d+\}"
        assert len(re.findall(wanted % name, TEXT)) == TEXT.count("${" + name)


def test_passwords_stand_in_no_environment():
    for service in SERVICES.values():
        for name, value in service["environment"].items():
            if "PASSWORD" in name:
                assert value.startswith("${"), name


def test_grafana_has_every_variable_that_its_files_name():
    files = "".join(file.read_text() for file in (GRAFANA / "provisioning").rglob("*.yaml"))
    named = set(re.findall(r"\$(CROSSBRIDGE_\w+)", files))

    assert len(named) == 6
    assert named <= SERVICES["grafana"]["environment"].keys()


def test_grafana_sees_the_provisioning_files_and_every_dashboard():
    seen = mounts("grafana")
    for kind in ("datasources", "dashboards", "alerting"):
        assert seen[f"/etc/grafana/provisioning/{kind}"] == GRAFANA / "provisioning" / kind
    provider = yaml.safe_load((GRAFANA / "provisioning" / "dashboards" / "crossbridge.yaml").read_text())
    path = provider["providers"][0]["options"]["path"]

    shown = {file for target, file in seen.items() if target.startswith(f"{path}/")}
    assert shown == {*GRAFANA.glob("*.json"), *(GRAFANA / "dashboards").glob("*.json")}


def test_services_wait_for_each_other():
    assert SERVICES["schema"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert SERVICES["grafana"]["depends_on"] == {"schema": {"condition": "service_completed_successfully"}}
    assert mounts("schema")["/src"] == GRAFANA.parent
    assert "crossbridge db init" in SERVICES["schema"]["command"][-1]


@pytest.fixture
def composed(postgres_control):
    """What the services postgres and schema leave behind: a database, and the target that Grafana has of it."""
    database, password = postgres_control.target, "r'ead\\er $HOME"
    service = SERVICES["postgres"]["environment"]
    given = {
        "POSTGRES_DB": str(database.dbname),
        "POSTGRES_USER": str(database.user),
        "CROSSBRIDGE_READER_PASSWORD": password,
    }
    assert given.keys() <= service.keys()
    environment = given | {
        "PGHOST": str(database.host),
        "PGPORT": str(database.port),
        "PGPASSWORD": str(database.password),
        "PATH": f"{find_binaries(None).folder}{os.pathsep}{os.environ['PATH']}",
    }
    for script in sorted((GRAFANA / "initdb").iterdir()):
        subprocess.run([script], check=True, env=environment, capture_output=True)
    answer = run_cli("db", "init", env=os.environ | db_environment(database))
    assert answer.returncode == 0, answer.stderr
    return database, replace(database, user="grafana", password=password)


def test_grafanas_user_can_read_and_nothing_else(composed):
    database, grafana = composed
    with connect(database) as admin:
        History(admin).run(("test_a", "failed", "passed"))
    with psycopg.connect(**grafana.parameters(), autocommit=True) as reader:
        fired = {rule["title"] for rule in alerts.rule_group("x")["rules"] if firing(reader, rule)}
        assert fired == {"New flaky test"}
        for refused in (
            "DELETE FROM crossbridge.tests",
            "CREATE TABLE crossbridge.mine (a int)",
            "SELECT crossbridge.ingest(gen_random_uuid(), gen_random_uuid(), 0, 1, '[]')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(refused)


def test_services_use_the_user_that_initdb_makes():
    script = (GRAFANA / "initdb" / "10-reader.sh").read_text()

    assert f"CREATE ROLE {SERVICES['grafana']['environment']['CROSSBRIDGE_DB_USER']} LOGIN" in script
    for name in ("schema", "grafana"):
        environment = SERVICES[name]["environment"]
        assert environment["CROSSBRIDGE_DB_HOST"] == "postgres"
        assert environment["CROSSBRIDGE_DB_NAME"] == SERVICES["postgres"]["environment"]["POSTGRES_DB"]
    assert (
        SERVICES["schema"]["environment"]["CROSSBRIDGE_DB_USER"]
        == SERVICES["postgres"]["environment"]["POSTGRES_USER"]
    )
