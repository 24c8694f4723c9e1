"""What is copied into projects is what this repository shows, and is in the wheel."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

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
    return zipfile.ZipFile(wheel)


def test_the_wheel_holds_all_that_is_copied(wheel):
    folder = "crossbridge/orchestration/templates/"
    names = {name.removeprefix(folder) for name in wheel.namelist() if name.startswith(folder)}
    assert names >= COPIED


def test_the_wheel_holds_the_sources_of_every_adapter_in_one_file(wheel):
    folders = (*SDK.glob("java/*/src/main"), SDK / "js/src")
    packed = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    names = [name for name in wheel.namelist() if name.startswith("crossbridge/sdk")]
    assert names == ["crossbridge/sdk.zip"]
    archive = zipfile.ZipFile(io.BytesIO(wheel.read("crossbridge/sdk.zip")))
    found = {name: archive.read(name) for name in archive.namelist()}
    assert found == {path.relative_to(SDK).as_posix(): path.read_bytes() for path in packed}
    assert any(name.endswith("/META-INF/services/crossbridge.profiling.TestObserver") for name in found)


def test_the_archive_of_the_sources_has_the_same_bytes_wherever_it_is_made(wheel):
    members = zipfile.ZipFile(io.BytesIO(wheel.read("crossbridge/sdk.zip"))).infolist()
    assert members == sorted(members, key=lambda member: PurePosixPath(member.filename))
    assert {member.date_time for member in members} == {(1980, 1, 1, 0, 0, 0)}
    assert {member.external_attr for member in members} == {0o600 << 16}
    assert {member.compress_type for member in members} == {zipfile.ZIP_STORED}
