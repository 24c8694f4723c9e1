"""The guide's panel queries, run as Grafana runs them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

NOON = datetime(2026, 11, 17, 12, tzinfo=timezone.utc)
_FILE = Path(__file__).parents[1] / "integration" / "database" / "guide_panels.sql"
_, *_BLOCKS = re.split(r"^-- (.+) --$", _FILE.read_text(), flags=re.MULTILINE)
PANELS = dict(zip(_BLOCKS[::2], _BLOCKS[1::2], strict=True))


def panel_rows(
    db: psycopg.Connection[Any],
    title: str,
    *,
    since: datetime = NOON - timedelta(hours=6),
    until: datetime = NOON + timedelta(hours=6),
    test_id: str = "",
) -> list[tuple[Any, ...]]:
    """Run a panel as Grafana does: its PostgreSQL data source writes out the macro, and sets the variable's text."""

    def between(match: re.Match[str]) -> str:
        return f"{match[1]} BETWEEN '{since:%Y-%m-%dT%H:%M:%SZ}' AND '{until:%Y-%m-%dT%H:%M:%SZ}'"

    query = re.sub(r"\$__timeFilter\((\w+)\)", between, PANELS[title]).replace("$test_id", test_id)
    assert "$" not in query
    return db.execute(query.encode()).fetchall()
