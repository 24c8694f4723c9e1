"""What is copied into projects is what this repository shows, and is in the wheel."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from crossbridge.orchestration.templates import template

REPO = Path(__file__).parents[3]
SDK = REPO / "sdk"
COPIED = {"conftest.py", "environment.py", "crossbridge_listener.py", "__init__.robot", "env.example"}


def test_env_example_is_the_one_of_the_repository():
    assert list(template("env.example")) == (REPO / ".env.example").read_text(encoding="utf-8").splitlines()


def test_docs_show_the_lines_that_environment_py_gets():
    shown = (REPO / "docs/profiling/FRAMEWORK_INTEGRATION.md").read_text(encoding="utf-8")
    assert "\n".join(template("environment.py")) in shown


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=REPO, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_the_wheel_holds_all_that_is_copied(wheel):
    folder = "crossbridge/orchestration/templates/"
    names = {
        name.removeprefix(folder) for name in zipfile.ZipFile(wheel).namelist() if name.startswith(folder)
    }
    assert names >= COPIED


def test_the_wheel_holds_the_sources_of_every_adapter(wheel):
    folders = [path for path in SDK.glob("java/*/src/main") if path.parts[-3] != "agent"]
    packed = [path for folder in (*folders, SDK / "js/src") for path in folder.rglob("*") if path.is_file()]
    expected = {f"crossbridge/sdk/{path.relative_to(SDK).as_posix()}" for path in packed}
    found = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("crossbridge/sdk/")}
    assert found == expected
    assert any(name.endswith("/META-INF/services/crossbridge.profiling.TestObserver") for name in found)
