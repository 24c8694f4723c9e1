from __future__ import annotations

import pytest

from crossbridge.profiling.config import environment_name, load
from crossbridge.profiling.run_info import run_info
from support.spec import cases, name_of


@pytest.mark.parametrize("case", cases("run_info"), ids=name_of)
def test_run_info(tmp_path, case):
    for name, content in case["files"].items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode())
    root = tmp_path / case["project_root"]
    root.mkdir(parents=True, exist_ok=True)
    environ = case["environment"]
    found = vars(run_info(environ, str(root)))
    assert {"environment": environment_name(load(environ, root), environ), **found} == case["expected"]
