"""The setup guide says what is shipped: files, panels, alerts, commands, anchors."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from crossbridge.grafana import alerts, guide
from crossbridge.grafana.dashboards import built, built_folder
from support.cli import run_cli

GRAFANA = Path(__file__).parents[3] / "grafana"
TEXT = (GRAFANA / guide.NAME).read_text()


def anchors(text):
    """The anchors of a page's headings, as GitHub and its like make them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_panel_is_explained_as_built():
    """Built by `crossbridge grafana build`."""
    assert guide.with_panels(TEXT, list(built().values())) == TEXT
    for dashboard in built().values():
        for panel in dashboard["panels"]:
            if panel["type"] != "row":
                assert f"| {panel['title']} | " in TEXT, panel["title"]


def test_a_guide_without_marks_is_an_error():
    with pytest.raises(ValueError, match="lacks the line"):
        guide.with_panels("# no marks\n", [])


def test_every_link_into_the_guide_has_its_section():
    links = [rule["annotations"]["runbook_url"] for rule in alerts.rule_group("x")["rules"]]
    links += [f"#{anchor}" for anchor in re.findall(r"\]\(#([\w-]+)\)", TEXT)]

    assert len(links) > 5
    assert {link.split("#")[1] for link in links} <= anchors(TEXT)
    assert all(link.split("#")[0] in ("", "grafana/GRAFANA_SETUP_GUIDE.md") for link in links)


def test_limits_of_the_alerts_are_as_written():
    limits = alerts.DEFAULTS
    for option in (
        f"--lost-points {limits.lost_points:g}",
        f"--p95 {limits.p95_s:g}",
        f"--no-data-hours {limits.no_data_hours:g}",
    ):
        assert f"`{option}`" in TEXT


def test_alerts_name_panels_that_there_are():
    titles = {panel["title"] for dashboard in built().values() for panel in dashboard["panels"]}
    section = TEXT.split("\n## Alerts\n")[1].split("\n## ")[0]

    named = set(re.findall(r'"([A-Z][^"]+)"', section))
    assert len(named) > 4
    assert named <= titles


def test_files_it_names_are_there():
    for name in re.findall(r"^\| `([^`]+)` \| (?!`)", TEXT, re.MULTILINE):
        if "CROSSBRIDGE" not in name:
            assert (GRAFANA / name).exists(), name
    for path in re.findall(r"grafana/[\w/.]+\w", TEXT):
        if not path.startswith(("grafana/grafana", "grafana/provisioning", "grafana/.env")):
            assert (GRAFANA.parent / path).exists(), path


def test_options_and_commands_it_names_exist():
    options = {
        command: run_cli(*command.split(), "--help").stdout
        for command in (
            "grafana provision",
            "grafana push",
            "grafana build",
            "db roles",
            "db init",
            "db migrate",
        )
    }
    for command, text in options.items():
        assert "Usage" in text
        for line in re.findall(rf"crossbridge {command} (--[^`\n#]+)", TEXT):
            assert all(option in text for option in re.findall(r"--[\w-]+", line)), line
    everywhere = "".join(options.values())
    prose = re.findall(r"`(--[a-z][\w-]*)[ `]", TEXT)
    assert len(prose) > 5
    assert [option for option in prose if option not in everywhere] == []


def test_mission_guide_imports_what_is_shipped():
    """The deployment guide's steps: three files to upload, each asks for the data source by an input."""
    for path, dashboard in built().items():
        assert (GRAFANA / path).is_file()
        assert f"`{path}`" in TEXT
        (asked,) = dashboard["__inputs"]
        assert (asked["type"], asked["pluginName"]) == ("datasource", "PostgreSQL")
        assert asked["label"] in TEXT
        assert dashboard["id"] is None if "id" in dashboard else True
    assert set(built()) == {
        "dashboards/crossbridge_overview.json",
        "flaky_dashboard_ready_template.json",
        "dashboard_test_behaviour_and_version_aware_ready_template.json",
    }
    assert built_folder() == GRAFANA


def test_env_files_are_ignored_by_git_and_the_example_is_not():
    def ignored(path):
        command = ["git", "check-ignore", "--quiet", path]
        return subprocess.run(command, cwd=GRAFANA.parent, check=False).returncode == 0

    if not (GRAFANA.parent / ".git").exists():
        pytest.skip("no git here")
    assert ignored("grafana/.env")
    assert not ignored("grafana/.env.example")
