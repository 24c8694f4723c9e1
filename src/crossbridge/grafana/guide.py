"""The setup guide's part about the panels, made of the dashboards."""

from __future__ import annotations

from typing import Any

NAME = "GRAFANA_SETUP_GUIDE.md"
BEGIN, END = "<!-- panels: made by 'crossbridge grafana build' -->\n", "<!-- end of panels -->\n"


def with_panels(text: str, dashboards: list[dict[str, Any]]) -> str:
    """
    Return the guide's text with its tables of panels made anew.

    Raises:
        ValueError: The guide lacks the marks between which they belong.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{NAME} lacks the line {BEGIN if not begin else END!r}")
    return before + BEGIN + "".join(_section(dashboard) for dashboard in dashboards) + END + after


def _section(dashboard: dict[str, Any]) -> str:
    rows = [
        f"| {_cell(panel['title'])} | {_cell(panel['description'])} |\n"
        for panel in dashboard["panels"]
        if panel["type"] != "row"
    ]
    head = f"### {dashboard['title']}\n\n{dashboard['description']}\n\n| panel | shows |\n| --- | --- |\n"
    return f"\n{head}{''.join(rows)}\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
