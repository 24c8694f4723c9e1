"""`crossbridge grafana push` as a process, against a server that checks each request by Grafana's OpenAPI document."""

from __future__ import annotations

import json
import socket

import pytest

from crossbridge.grafana import alerts
from crossbridge.grafana.dashboards import built
from support.cli import run_cli
from support.grafana_server import TOKEN, GrafanaServer, serving

DASHBOARDS = {dashboard["uid"]: dashboard["title"] for dashboard in built().values()}
RULES = [rule.uid for rule in alerts.rules()]
PASSWORD = "pa$$word"


@pytest.fixture
def grafana():
    with serving(GrafanaServer()) as server:
        server.datasources["crossbridge"] = {"uid": "crossbridge", "name": "Mine"}
        yield server


@pytest.fixture
def push(grafana, monkeypatch, tmp_path):
    """Run the command with the token in its environment; the token is in nothing it says."""
    monkeypatch.setenv("GRAFANA_TOKEN", TOKEN)
    monkeypatch.chdir(tmp_path)

    def push(*args, code=0, url=None):
        answer = run_cli("grafana", "push", "--url", url or grafana.url, *args)
        assert answer.returncode == code, answer.stderr
        assert TOKEN not in answer.stdout + answer.stderr
        assert PASSWORD not in answer.stdout + answer.stderr
        assert "Traceback" not in answer.stderr
        return answer

    return push


@pytest.fixture
def database_settings(monkeypatch):
    for name, value in {
        "HOST": "db.example.internal",
        "NAME": "results",
        "USER": "grafana",
        "PASSWORD": PASSWORD,
        "SSLMODE": "verify-full",
    }.items():
        monkeypatch.setenv(f"CROSSBRIDGE_DB_{name}", value)


def test_first_push_creates_everything(grafana, push):
    answer = push()

    assert grafana.wrong == []
    assert set(grafana.folders) == {"crossbridge"}
    assert set(grafana.dashboards) == set(DASHBOARDS)
    assert set(grafana.rules) == set(RULES)
    assert grafana.groups["crossbridge"]["interval"] == 300
    assert [line.split()[0] for line in answer.stdout.splitlines()] == ["created"] * (
        1 + len(DASHBOARDS) + len(RULES)
    )


def test_pushed_dashboards_and_rules_ask_the_data_source(grafana, push):
    grafana.datasources["other-uid"] = {"uid": "other-uid", "name": "Other"}
    push("--datasource-uid", "other-uid")

    assert "DS_CROSSBRIDGE" not in json.dumps(grafana.dashboards)
    for stored in grafana.dashboards.values():
        (variable,) = [v for v in stored["dashboard"]["templating"]["list"] if v["type"] == "datasource"]
        assert variable["current"]["value"] == "other-uid"
    assert {rule["data"][0]["datasourceUid"] for rule in grafana.rules.values()} == {"other-uid"}


def test_second_push_changes_no_dashboard(grafana, push):
    push()
    before = len(grafana.changes)
    found = json.loads(push("--json").stdout)

    assert grafana.changes[before:] == [
        ("PUT", "/v1/provisioning/folder/crossbridge/rule-groups/crossbridge")
    ]
    assert {change["uid"]: change["action"] for change in found["changes"]} == (
        dict.fromkeys(["crossbridge", *DASHBOARDS], "unchanged") | dict.fromkeys(RULES, "update")
    )
    assert grafana.wrong == []


def test_push_mends_what_was_changed_or_moved_or_deleted(grafana, push):
    push()
    first, second, *_ = DASHBOARDS
    grafana.dashboards[first]["dashboard"]["title"] = "edited"
    grafana.dashboards[second]["folderUid"] = "elsewhere"
    del grafana.rules[RULES[0]]

    push("--p95", "9")

    assert grafana.dashboards[first]["dashboard"]["title"] == DASHBOARDS[first]
    assert grafana.dashboards[second]["folderUid"] == "crossbridge"
    assert set(grafana.rules) == set(RULES)
    threshold = grafana.rules["crossbridge-p95"]["data"][1]["model"]["conditions"][0]["evaluator"]
    assert threshold == {"type": "gt", "params": [9.0]}


def test_rules_stay_editable(grafana, push):
    push()

    writes = [
        h for h, (method, path, _) in zip(grafana.headers, grafana.requests, strict=True) if method != "GET"
    ]
    assert {headers["X-Disable-Provenance"] for headers in writes} == {"true"}


def test_dry_run_changes_nothing(grafana, push):
    answer = push("--dry-run")

    assert grafana.changes == []
    assert "would create folder CrossBridge" in answer.stdout
    assert answer.stdout.count("would create") == 1 + len(DASHBOARDS) + len(RULES)


def test_data_source_is_made_from_the_settings_and_updated(grafana, push, database_settings):
    grafana.datasources.clear()
    for _ in range(2):
        push("--with-datasource", "--root-cert", "/ca.pem")

    made = grafana.datasources["crossbridge"]
    assert grafana.wrong == []
    assert made["url"] == "db.example.internal:5432"
    assert made["user"] == "grafana"
    assert made["secureJsonData"] == {"password": PASSWORD}
    assert (made["jsonData"]["database"], made["jsonData"]["sslmode"]) == ("results", "verify-full")
    assert made["jsonData"]["sslRootCertFile"] == "/ca.pem"
    assert [change for change in grafana.changes if "datasources" in change[1]] == [
        ("POST", "/datasources"),
        ("PUT", "/datasources/uid/crossbridge"),
    ]


def test_data_source_keeps_its_name(grafana, push, database_settings):
    push("--with-datasource")

    assert grafana.datasources["crossbridge"]["name"] == "Mine"


def test_data_source_with_an_sslmode_that_grafana_lacks_is_refused(
    grafana, push, database_settings, monkeypatch
):
    monkeypatch.setenv("CROSSBRIDGE_DB_SSLMODE", "prefer")

    says = "sslmode is one of disable, require, verify-ca, verify-full, got 'prefer'"
    assert says in one_line(push("--with-datasource", code=2))
    assert grafana.requests == []


@pytest.mark.parametrize("name", ["PASSWORD", "USER"])
def test_data_source_that_lacks_a_setting_is_refused(push, database_settings, monkeypatch, name):
    monkeypatch.delenv(f"CROSSBRIDGE_DB_{name}")

    assert f"needs CROSSBRIDGE_DB_{name}" in one_line(push("--with-datasource", code=2))


def test_missing_data_source_is_named_before_anything_asks_it(grafana, push):
    grafana.datasources.clear()

    assert "no data source with the uid 'crossbridge'" in push(code=2).stderr
    assert grafana.dashboards == {}


def test_grafana_under_a_path(grafana, push):
    push(url=f"{grafana.url}/grafana/")

    assert set(grafana.dashboards) == set(DASHBOARDS)


def test_hidden_version_is_no_obstacle(grafana, push):
    grafana.version = None
    push()

    assert set(grafana.dashboards) == set(DASHBOARDS)


def one_line(answer):
    (line,) = answer.stderr.splitlines()
    assert line.startswith("crossbridge: ")
    return line


def test_wrong_token(grafana, push, monkeypatch):
    monkeypatch.setenv("GRAFANA_TOKEN", "glsa_other")

    assert "does not know the token (401)" in one_line(push(code=3))


def test_no_token(push, monkeypatch):
    monkeypatch.delenv("GRAFANA_TOKEN")

    assert "GRAFANA_TOKEN is not set" in one_line(push(code=2))
    assert "MINE is not set" in one_line(push("--token-env", "MINE", code=2))


def test_token_with_a_line_break_is_refused_without_being_shown(grafana, push, monkeypatch):
    monkeypatch.setenv("GRAFANA_TOKEN", f"{TOKEN}\nX-Evil: 1")

    assert "one word of printable ASCII" in one_line(push(code=2))
    assert grafana.requests == []


def test_token_argument_wins(grafana, push, monkeypatch):
    monkeypatch.setenv("GRAFANA_TOKEN", "glsa_other")
    push("--token", TOKEN, "--dry-run")


def test_token_without_the_right(grafana, push):
    grafana.answers["/folders"] = (403, {"message": "no"}, {})

    assert "does not let the token do this: POST /api/folders (403)" in one_line(push(code=3))


def test_old_grafana(grafana, push):
    grafana.version = "9.5.21"

    assert "is 9.5.21, the dashboards need 11 or newer" in one_line(push(code=3))
    assert grafana.changes == []


def test_nobody_listens(push):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        assert f"cannot be reached at {url}" in one_line(push(code=3, url=url))


@pytest.mark.parametrize("answer", [b"<html>hello</html>", {"status": "ok"}, [1]])
def test_something_else_listens(grafana, push, answer):
    grafana.answers["/health"] = (200, answer, {})

    assert "does not answer as Grafana does" in one_line(push(code=3))


def test_redirects_are_not_followed_with_the_token(grafana, push):
    with serving(GrafanaServer()) as other:
        grafana.answers["/health"] = (302, {}, {"Location": f"{other.url}/api/health"})

        assert f"sends to {other.url}/api/health (302)" in one_line(push(code=3))
        assert other.requests == []


def test_refusals_say_what_grafana_says_on_one_line_without_the_token(grafana, push):
    grafana.answers["/dashboards/db"] = (422, {"message": f"bad\n\x1b[31m thing {TOKEN}"}, {})

    assert "refused POST /api/dashboards/db: bad [31m thing ... (422)" in one_line(push(code=3))


@pytest.mark.parametrize(
    "url", ["ftp://x", "localhost:3000", "http://", "http://u:secret@h", "http://h:port", "http://h/?a=b"]
)
def test_bad_addresses(push, url):
    assert "--url must" in one_line(push(code=2, url=url))


def test_bad_uid(push):
    assert "a data source's uid is" in one_line(push("--datasource-uid", "a b", code=2))
