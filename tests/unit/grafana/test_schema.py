"""The dashboards are of Grafana's published types: npm @grafana/schema, checked by the TypeScript compiler."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from crossbridge.grafana.dashboards import built
from support.needs import need

TYPES = Path(__file__).parents[2] / "support" / "grafana_schema" / "types.d.ts"
PACKAGES = ("@grafana/schema@11.6.16", "typescript@5.9.3")
BUILT = built()


SLIPS = [
    ('"drawStyle": "bars"', '"drawStyle": "beams"'),
    ('"noValue"', '"noValues"'),
    ('"cellHeight": "sm"', '"cellHeight": 12'),
    ('"refresh": 2', '"refresh": 7'),
    ('"gridPos"', '"grid"'),
    ('"orientation": "horizontal"', '"direction": "horizontal"'),
]


@pytest.fixture(scope="module")
def complaints(tmp_path_factory):
    """What the compiler has against each dashboard, and against one with a slip; it is slow, and does all at once."""
    need("npm", packages="nodejs npm")
    folder = tmp_path_factory.mktemp("schema")
    options = ("--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts")
    subprocess.run(["npm", "install", *options, *PACKAGES], cwd=folder, check=True, capture_output=True)
    shutil.copy(TYPES, folder)
    texts = {path: json.dumps(dashboard) for path, dashboard in BUILT.items()}
    for right, wrong in SLIPS:
        assert right in texts["dashboards/crossbridge_overview.json"]
        texts[wrong] = texts["dashboards/crossbridge_overview.json"].replace(right, wrong)
    for number, text in enumerate(texts.values()):
        (folder / f"page{number}.ts").write_text(_as_typescript(json.loads(text)))
    command = [folder / "node_modules" / ".bin" / "tsc", "--noEmit", "--strict", "--skipLibCheck"]
    names = [f"page{number}.ts" for number in range(len(texts))]
    answer = subprocess.run([*command, *names], cwd=folder, capture_output=True, text=True, check=False)
    lines = answer.stdout.splitlines()
    return {
        name: [line for line in lines if line.startswith(f"page{number}.ts(")]
        for number, name in enumerate(texts)
    } | {"others": [line for line in lines if not line.startswith(("page", " "))]}


def _as_typescript(dashboard):
    plain = {key: value for key, value in dashboard.items() if not key.startswith("__")}
    for annotation in plain["annotations"]["list"]:
        del annotation[
            "target"
        ]  # typed as that of Grafana's own annotations, where a data source's holds a query
    return (
        f"import type {{ Page }} from './types';\nexport const page: Page = {json.dumps(plain, indent=1)};\n"
    )


@pytest.mark.parametrize("path", [*BUILT, "others"])
def test_a_dashboard_is_of_grafanas_types(complaints, path):
    assert complaints[path] == []


@pytest.mark.parametrize("slip", [wrong for _, wrong in SLIPS])
def test_a_slip_is_found(complaints, slip):
    assert "error TS" in complaints[slip][0]
