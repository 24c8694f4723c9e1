"""What tests fetch once from the package registry, through pip, and keep in .cache/tests."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from support.pytest_runs import REPO

if TYPE_CHECKING:
    from collections.abc import Callable

CACHE = REPO / ".cache" / "tests"


def source_of(package: str, version: str) -> Path:
    """The unpacked source distribution of a package: its suites are written by people who know nothing of us."""

    def make(folder: Path) -> None:
        requirement = f"{package}=={version}"
        options = ("--no-deps", "--no-binary", package, "--dest", str(folder))
        _pip(sys.executable, "download", *options, requirement)
        (archive,) = folder.iterdir()
        with tarfile.open(archive) as content:
            content.extractall(folder, filter="data")
        archive.unlink()

    (source,) = _once(f"{package}-{version}", make).iterdir()
    return source


def python_with(*requirements: str, base: str = sys.executable) -> str:
    """The interpreter of an environment of `base` with these packages and this working tree's crossbridge."""

    def make(folder: Path) -> None:
        subprocess.run([base, "-m", "venv", folder], check=True)
        python = folder / "bin" / "python"
        _pip(str(python), "install", *requirements)
        (site_packages,) = folder.glob("lib/python*/site-packages")
        (site_packages / "working_tree.pth").write_text(f"{REPO / 'src'}\n")

    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    version = subprocess.run([base, "-c", ask], check=True, capture_output=True, text=True).stdout.strip()
    name = "-".join(("venv", version, *requirements))
    return str(_once(name.replace("=", "_").replace("<", "_"), make) / "bin" / "python")


def node_modules(*packages: str) -> Path:
    """The folder `node_modules` with these packages (NAME@VERSION) of npm."""

    def make(folder: Path) -> None:
        (folder / "package.json").write_text('{"private": true}')
        command = ["npm", "install", "--silent", "--no-fund", "--no-audit", "--ignore-scripts", *packages]
        subprocess.run(command, cwd=folder, check=True, timeout=300)

    name = "-".join(("npm", *packages))
    return _once(name.replace("/", "_").replace("@", "_"), make) / "node_modules"


def _once(name: str, make: Callable[[Path], None]) -> Path:
    folder = CACHE / name
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=CACHE, prefix=f"{name}."))
        make(draft)
        try:
            draft.rename(folder)
        except OSError:  # another worker was faster
            shutil.rmtree(draft)
    return folder


def _pip(python: str, *arguments: str) -> None:
    command = [python, "-m", "pip", "--disable-pip-version-check", "-q", *arguments]
    subprocess.run(command, check=True, timeout=300)
