"""What is copied into projects is what this repository shows, and is in the wheel."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from crossbridge.orchestration.templates import template

REPO = Path(__file__).parents[3]
COPIED = {"conftest.py", "environment.py", "crossbridge_listener.py", "__init__.robot", "env.example"}


def test_env_example_is_the_one_of_the_repository():
    assert list(template("env.example")) == (REPO / ".env.example").read_text(encoding="utf-8").splitlines()


def test_docs_show_the_lines_that_environment_py_gets():
    shown = (REPO / "docs/profiling/FRAMEWORK_INTEGRATION.md").read_text(encoding="utf-8")
    assert "\n".join(template("environment.py")) in shown


def test_the_wheel_holds_all_that_is_copied(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=REPO, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    folder = "crossbridge/orchestration/templates/"
    names = {
        name.removeprefix(folder) for name in zipfile.ZipFile(wheel).namelist() if name.startswith(folder)
    }
    assert names >= COPIED
