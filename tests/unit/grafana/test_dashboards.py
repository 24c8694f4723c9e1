"""What holds for every dashboard, panel and variable."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path

import pytest

from crossbridge.grafana.dashboards import (
    DASHBOARDS,
    INPUT,
    annotation_queries,
    built,
    built_folder,
    panel_queries,
    variable_queries,
    with_datasource,
)
from support.cli import run_cli

BUILT = built()
PANELS = [
    pytest.param(panel, id=f"{dashboard['uid']}: {panel['title']}")
    for dashboard in BUILT.values()
    for panel in dashboard["panels"]
    if panel["type"] != "row"
]
VARIABLES = [
    pytest.param(variable, id=f"{dashboard['uid']}: {variable['name']}")
    for dashboard in BUILT.values()
    for variable in dashboard["templating"]["list"]
]
# What is asked for beside the common variables of all dashboards.
CONTENT = {
    "dashboards/crossbridge_overview.json": [
        "Test execution trends",
        "Framework performance comparison",
        "Test success rate",
        "Flaky tests",
        "Top 10 slowest tests",
        "Step-level profiling",
        "Runs in progress",
        "Interrupted runs",
        "Failures by error type",
        "HTTP endpoints",
        "Driver commands",
        "CPU",
        "Memory",
        "Collector health",
    ],
    "flaky_dashboard_ready_template.json": [
        "Flaky score",
        "Flaky score over time",
        "Flips on the same commit and across commits",
        "Retries that saved a run",
        "Time lost to flakiness",
        "Tests that retries saved",
        "Who broke first",
    ],
    "dashboard_test_behaviour_and_version_aware_ready_template.json": [
        "Durations over time",
        "By version",
        "By commit",
        "By branch",
        "By environment",
        "Slower tests",
        "Faster tests",
        "New tests",
        "Vanished tests",
    ],
}


def test_the_committed_files_are_those_that_are_built():
    build = pytest.importorskip("crossbridge.grafana.build")

    assert {path: (built_folder() / path).read_text() for path in CONTENT} == build.build_all()


def test_the_content_is_what_was_promised():
    assert {path: [query.panel for query in panel_queries(BUILT[path])] for path in BUILT} == CONTENT


def test_uids_are_of_three_and_stay():
    assert [dashboard["uid"] for dashboard in BUILT.values()] == [
        "crossbridge-overview",
        "crossbridge-flaky",
        "crossbridge-versions",
    ]


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_says_what_it_shows(panel):
    defaults = panel["fieldConfig"]["defaults"]

    assert panel["title"]
    assert re.fullmatch(r"[A-Z0-9].{20,}[^.]\.", panel["description"].replace("97.5", "97"))
    assert ". " not in panel["description"]
    assert defaults["unit"]
    assert re.fullmatch(r"[A-Z].*\.", defaults["noValue"])
    assert panel["datasource"]["uid"] == "${datasource}"
    assert [target["datasource"]["uid"] for target in panel["targets"]] == ["${datasource}"]


@pytest.mark.parametrize("dashboard", BUILT.values(), ids=list(BUILT))
def test_panels_fill_the_page_and_do_not_overlap(dashboard):
    places = [panel["gridPos"] for panel in dashboard["panels"]]

    for place in places:
        assert place["w"] >= 4
        assert place["x"] + place["w"] <= 24
        assert place["h"] >= (1 if place["w"] == 24 else 8)
    for one, other in combinations(places, 2):
        apart = (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        assert apart, (one, other)
    covered = sum(place["w"] * place["h"] for place in places)
    assert covered == 24 * max(place["y"] + place["h"] for place in places)


@pytest.mark.parametrize("dashboard", BUILT.values(), ids=list(BUILT))
def test_ids_of_panels_are_unique(dashboard):
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert sorted(ids) == list(range(1, len(ids) + 1))


@pytest.mark.parametrize("dashboard", BUILT.values(), ids=list(BUILT))
def test_every_variable_is_quoted_by_sqlstring(dashboard):
    known = {variable["name"] for variable in dashboard["templating"]["list"]} | {"__searchFilter"}
    for query in panel_queries(dashboard) + variable_queries(dashboard) + annotation_queries(dashboard):
        left = re.sub(r"\$\{(\w+):sqlstring\}", lambda m: "" if m[1] in known else m[0], query.sql)
        left = re.sub(r"\$__(timeFrom|timeTo)\(\)|\$__timeFilter\([a-z_]+\)", "", left)
        assert "$" not in left, query


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_variable_says_what_it_is_for_and_all_costs_nothing(variable):
    assert variable["label"]
    assert variable["description"].endswith(".")
    if variable["type"] == "query":
        assert variable["datasource"]["uid"] == "${datasource}"
        if variable["includeAll"]:
            assert variable["allValue"] == "NULL"
            assert variable["current"]["value"] in ("$__all", ["$__all"])


def test_the_common_variables_come_first():
    for dashboard in BUILT.values():
        names = [variable["name"] for variable in dashboard["templating"]["list"]]
        assert names[:6] == ["datasource", "environment", "branch", "framework", "test_id", "run"]


@pytest.mark.parametrize("dashboard", BUILT.values(), ids=list(BUILT))
def test_import_asks_for_the_data_source(dashboard):
    (asked,) = dashboard["__inputs"]
    assert (asked["name"], asked["type"], asked["pluginId"]) == (
        INPUT,
        "datasource",
        "grafana-postgresql-datasource",
    )

    filled = with_datasource(dashboard, 'a "uid"')

    assert filled["templating"]["list"][0]["current"]["value"] == 'a "uid"'
    assert "__inputs" not in filled
    assert INPUT not in json.dumps(filled)


def test_the_sdk_knows_every_field():
    pytest.importorskip("grafana_foundation_sdk")
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins
    from grafana_foundation_sdk.models.dashboard import Dashboard

    register_default_plugins()
    for dashboard in BUILT.values():
        plain = {key: value for key, value in dashboard.items() if not key.startswith("__")}
        for annotation in plain["annotations"]["list"]:
            del annotation["target"]  # a query, which the SDK takes for one of Grafana's own
        read = json.loads(json.dumps(Dashboard.from_json(plain), cls=JSONEncoder))
        for variable in read["templating"]["list"]:
            for name in ("auto", "auto_min", "auto_count"):  # of other variables
                del variable[name]
        assert read == plain


# -- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def _sdk():
    pytest.importorskip("grafana_foundation_sdk")


@pytest.mark.usefixtures("_sdk")
def test_build_writes_and_checks(tmp_path):
    out = tmp_path / "out"

    missing = run_cli("grafana", "build", "--out", out, "--check")
    first = run_cli("grafana", "build", "--out", out, "--json")
    checked = run_cli("grafana", "build", "--out", out, "--check")
    changed = out / DASHBOARDS[0].path
    changed.write_text(changed.read_text().replace("Memory", "Remembrance"))
    differs = run_cli("grafana", "build", "--out", out, "--check")

    assert (missing.returncode, first.returncode, checked.returncode, differs.returncode) == (1, 0, 0, 1)
    assert set(CONTENT) <= set(json.loads(first.stdout)["changed"])
    assert f"differs: {changed}" in differs.stdout


def test_without_the_sdk_the_mend_is_told(tmp_path, monkeypatch):
    (tmp_path / "grafana_foundation_sdk.py").write_text("raise ImportError('not here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    answer = run_cli("grafana", "build", "--out", tmp_path / "out")

    assert answer.returncode == 2
    assert answer.stderr.count("\n") == 1
    assert "pip install 'crossbridge[grafana-build]'" in answer.stderr
    assert not Path(tmp_path / "out").exists()
