"""`crossbridge grafana provision` as a process, and the provisioning files in the repository."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from crossbridge.errors import UsageError
from crossbridge.grafana import alerts
from crossbridge.grafana._yaml import to_yaml
from crossbridge.grafana.dashboards import built
from crossbridge.grafana.provision import COMMITTED, provisioning_files
from support.cli import run_cli

GRAFANA = Path(__file__).parents[3] / "grafana"
# What Grafana fills in from its environment: os.ExpandEnv, and $$ for a $.
EXPANDED = re.compile(r"\$\{?(\w+)\}?")


@pytest.fixture
def provision(tmp_path):
    def provision(*args, code=0, out=tmp_path / "out"):
        answer = run_cli("grafana", "provision", "--out", out, *args)
        assert answer.returncode == code, answer.stderr
        assert "Traceback" not in answer.stderr
        return answer

    return provision


def contents(folder):
    return {
        str(path.relative_to(folder)): yaml.safe_load(path.read_text())
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_files_lie_where_grafana_looks(provision, tmp_path):
    provision()

    names = {Path(path).name for path in built()}
    assert set(contents(tmp_path / "out")) == {
        "datasources/crossbridge.yaml",
        "dashboards/crossbridge.yaml",
        "alerting/crossbridge.yaml",
        *(f"dashboards/crossbridge/{name}" for name in names),
    }


def test_provider_points_at_the_dashboards(provision, tmp_path):
    provision()
    (provider,) = contents(tmp_path / "out")["dashboards/crossbridge.yaml"]["providers"]
    found = {json.loads(file.read_text())["uid"] for file in Path(provider["options"]["path"]).glob("*.json")}

    assert found == {dashboard["uid"] for dashboard in built().values()}
    assert (provider["folder"], provider["folderUid"]) == (alerts.FOLDER, alerts.FOLDER_UID)


def test_provider_may_be_elsewhere_for_grafana(provision, tmp_path):
    provision("--dashboards-at", "/mnt/boards")

    (provider,) = contents(tmp_path / "out")["dashboards/crossbridge.yaml"]["providers"]
    assert provider["options"]["path"] == "/mnt/boards"


def test_data_source_takes_address_and_secret_from_grafanas_environment(provision, tmp_path, monkeypatch):
    for name in ("HOST", "USER", "PASSWORD"):
        monkeypatch.setenv(f"CROSSBRIDGE_DB_{name}", f"hidden-{name}")
    provision()

    (source,) = contents(tmp_path / "out")["datasources/crossbridge.yaml"]["datasources"]
    assert source["type"] == "grafana-postgresql-datasource"
    assert source["secureJsonData"] == {"password": "$CROSSBRIDGE_DB_PASSWORD"}
    assert set(EXPANDED.findall(json.dumps(source))) == {
        f"CROSSBRIDGE_DB_{name}" for name in ("HOST", "PORT", "NAME", "USER", "PASSWORD", "SSLMODE")
    }
    assert not [
        path for path in (tmp_path / "out").rglob("*") if path.is_file() and "hidden-" in path.read_text()
    ]


def test_password_may_come_from_a_file(provision, tmp_path):
    provision("--password-file", "/run/secrets/db")

    (source,) = contents(tmp_path / "out")["datasources/crossbridge.yaml"]["datasources"]
    assert source["secureJsonData"] == {"password": "$__file{/run/secrets/db}"}


def test_a_ca_of_ones_own_is_named_by_its_path(provision, tmp_path):
    provision("--root-cert", "/etc/ssl/ours.pem")

    (source,) = contents(tmp_path / "out")["datasources/crossbridge.yaml"]["datasources"]
    assert source["jsonData"]["sslRootCertFile"] == "/etc/ssl/ours.pem"
    assert source["jsonData"]["tlsConfigurationMethod"] == "file-path"


def test_one_uid_binds_data_source_dashboards_and_alerts(provision, tmp_path):
    provision("--datasource-uid", "mine_1")
    files = contents(tmp_path / "out")

    (source,) = files["datasources/crossbridge.yaml"]["datasources"]
    assert source["uid"] == "mine_1"
    (group,) = files["alerting/crossbridge.yaml"]["groups"]
    assert {rule["data"][0]["datasourceUid"] for rule in group["rules"]} == {"mine_1"}
    for name, dashboard in files.items():
        if name.endswith(".json"):
            (variable,) = [v for v in dashboard["templating"]["list"] if v["type"] == "datasource"]
            assert variable["current"]["value"] == "mine_1"
            assert "__inputs" not in dashboard
            assert "DS_CROSSBRIDGE" not in json.dumps(dashboard)


def test_limits_and_guide_reach_the_rules(provision, tmp_path):
    provision("--p95", "2.5", "--lost-points", "3", "--no-data-hours", "72", "--guide", "https://wiki/guide")

    (group,) = contents(tmp_path / "out")["alerting/crossbridge.yaml"]["groups"]
    rules = {rule["uid"]: rule for rule in group["rules"]}
    limits = {
        uid: rule["data"][1]["model"]["conditions"][0]["evaluator"]["params"] for uid, rule in rules.items()
    }
    assert limits["crossbridge-p95"] == [2.5]
    assert limits["crossbridge-success-rate"] == [3]
    assert limits["crossbridge-no-data"] == [72]
    link = rules["crossbridge-no-data"]["annotations"]["runbook_url"]
    assert link == "https://wiki/guide#alert-no-test-results"


def test_doing_it_again_writes_nothing(provision, tmp_path):
    first = json.loads(provision("--json").stdout)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    again = json.loads(provision("--json").stdout)
    after = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}

    assert {file["changed"] for file in first["files"]} == {True}
    assert {file["changed"] for file in again["files"]} == {False}
    assert before == after
    assert "kept" in provision().stdout


def test_what_differs_is_written_and_told(provision, tmp_path):
    provision()
    answer = provision("--p95", "2")

    assert [line for line in answer.stdout.splitlines() if line.startswith("wrote")] == [
        f"wrote {tmp_path / 'out' / 'alerting' / 'crossbridge.yaml'}"
    ]


def test_files_of_others_stay(provision, tmp_path):
    mine = tmp_path / "out" / "datasources" / "mine.yaml"
    mine.parent.mkdir(parents=True)
    mine.write_text("apiVersion: 1\n")
    provision()

    assert mine.read_text() == "apiVersion: 1\n"
    assert not list((tmp_path / "out").rglob(".*"))


def test_a_folder_that_cannot_be_written_is_one_line(provision, tmp_path):
    (tmp_path / "file").write_text("")

    (line,) = provision(out=tmp_path / "file", code=2).stderr.splitlines()
    assert line.startswith(f"crossbridge: {tmp_path / 'file'}")
    assert "cannot be written" in line


@pytest.mark.parametrize("args", [("--datasource-uid", "$HOME"), ("--datasource-uid", ""), ("--p95", "inf")])
def test_wrong_values_are_one_line(provision, tmp_path, args):
    (line,) = provision(*args, code=2).stderr.splitlines()

    assert line.startswith("crossbridge: ")
    assert not (tmp_path / "out").exists()


def test_committed_files_are_what_is_built():
    """Built by `crossbridge grafana build`."""
    fresh = provisioning_files(COMMITTED, dashboards=False)

    folder = GRAFANA / "provisioning"
    committed = {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}
    assert committed == fresh


def test_yaml_says_what_the_rules_say():
    text = (GRAFANA / "provisioning" / "alerting" / "crossbridge.yaml").read_text()

    assert yaml.safe_load(text) == alerts.rule_file("crossbridge")
    assert "  WITH sides AS (\n" in text  # queries stand as they are, for people to read


@pytest.mark.parametrize(
    "text",
    [
        "",
        " a\nb",
        "a\nb\n",
        "a\n\n  b: c # d",
        "yes",
        "'\"\\",
        "- a",
        "ünï — 日本\t",
        "a: b",
        "{{ .x }}",
        "1",
    ],
)
def test_yaml_texts_come_back_as_they_were(text):
    value = {"a": text, "b": [text, {"c": [text], "d": {}, "e": []}], "f": [1, 2.5, True, None, [text]]}

    assert yaml.safe_load(to_yaml(value)) == value


def test_every_rule_is_complete():
    """What Grafana refuses a file for: no uid, title, condition or data, a bad duration or state."""
    for group in alerts.rule_file("crossbridge")["groups"]:
        assert re.fullmatch(r"\d+s", group["interval"])
        assert group["folder"]
        assert group["name"]
        assert len({rule["uid"] for rule in group["rules"]}) == len({r["title"] for r in group["rules"]}) == 5
        for rule in group["rules"]:
            assert re.fullmatch(r"[a-z0-9-]{1,40}", rule["uid"])
            assert rule["condition"] in {node["refId"] for node in rule["data"]}
            assert re.fullmatch(r"\d+[sm]", rule["for"])
            assert rule["noDataState"] in {"OK", "Alerting", "NoData"}
            assert rule["execErrState"] in {"OK", "Alerting", "Error"}
            assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}


def test_limits_must_be_numbers():
    with pytest.raises(UsageError, match="--no-data-hours must be a number"):
        alerts.Limits(no_data_hours=float("inf"))
