"""Where in a project the hooks of a framework go."""

from __future__ import annotations

import configparser
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from crossbridge.orchestration.detection import pytest_files, pytest_settings

if TYPE_CHECKING:
    from crossbridge.orchestration.survey import Survey

_INI_SECTIONS = {"setup.cfg": "tool:pytest"}


def conftest(files: Survey) -> Path:
    """
    Return the conftest.py that is to hold the fixture: the nearest one to where the tests are, above them included.

    A new one is only ever made beside tests: pytest puts the folder of a conftest.py onto sys.path, as it does with
    that of a test file, and nothing must be found there that was not before.
    """
    tests = _tests_folder(files)
    for folder in (tests, *tests.parents):
        if files.holds(folder, "conftest.py"):
            return folder / "conftest.py"
    below = [path for path in files.named("conftest.py") if path.is_relative_to(tests)]
    beside = [path.with_name("conftest.py") for path in pytest_files(files) if path.is_relative_to(tests)]
    nearest = sorted([*below, *beside], key=lambda path: (len(path.parts), path))
    return nearest[0] if nearest else tests / "conftest.py"


def _tests_folder(files: Survey) -> Path:
    for name in _testpaths(files):
        if (folder := Path(name)) in files.folders:
            return folder
    return next((folder for folder in (Path("tests"), Path("test")) if folder in files.folders), Path())


def _testpaths(files: Survey) -> list[str]:
    for path in pytest_settings(files):
        if path.parent != Path():
            continue
        text = files.text(path)
        found = _toml_testpaths(text) if path.suffix == ".toml" else _ini_testpaths(text, path.name)
        if found:
            return found
    return []


def _ini_testpaths(text: str, name: str) -> list[str]:
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(text)
    except configparser.Error:
        return []
    return (parser.get(_INI_SECTIONS.get(name, "pytest"), "testpaths", fallback="") or "").split()


def _toml_testpaths(text: str) -> list[str]:
    if sys.version_info < (3, 11):
        return []
    import tomllib  # type: ignore[import-not-found]  # noqa: PLC0415  (mypy reads as Python 3.10)

    try:
        pytest = tomllib.loads(text).get("tool", {}).get("pytest", {})
        found = pytest.get("ini_options", pytest).get("testpaths", [])
    except (tomllib.TOMLDecodeError, AttributeError):
        return []
    names = found.split() if isinstance(found, str) else found
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
