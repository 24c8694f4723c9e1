"""One virtual environment per set of packages, kept in .cache/bench/venvs: no candidate carries another's plugins."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from bench.measure import say
from bench.stage import CACHE, REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

# As people install it: for a server of their own, and with the embedded one, whose packages load in each pytest too.
OURS = "crossbridge"
OURS_EMBEDDED = "crossbridge[embedded]"


@cache
def python_with(packages: tuple[str, ...]) -> Path:
    """Return the interpreter of an environment with pytest, as installed here, and `packages`; make it if need be."""
    name = re.sub(r"[^a-z]+", "-", "-".join(package.partition("==")[0] for package in packages)) or "plain"
    folder = CACHE / "venvs" / name
    wanted = "\n".join([sys.version, f"pytest=={version('pytest')}", *map(_identity, packages)])
    stamp = folder / "made-of"
    if not stamp.exists() or stamp.read_text() != wanted:
        say(f"making the environment {name}")
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        requirements = [f"pytest=={version('pytest')}", *map(_requirement, packages)]
        subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "-q", *requirements], check=True)
        stamp.write_text(wanted)
    return folder / "bin" / "python"


def _requirement(package: str) -> str:
    return package.replace(OURS, str(REPOSITORY)) if package in {OURS, OURS_EMBEDDED} else package


def _identity(package: str) -> str:
    """What a package is made of: for ours the content of its source."""
    if package not in {OURS, OURS_EMBEDDED}:
        return package
    digest = hashlib.sha256((REPOSITORY / "pyproject.toml").read_bytes())
    for path in sorted((REPOSITORY / "src").rglob("*")):
        if path.suffix in {".py", ".sql"}:
            digest.update(path.read_bytes())
    return f"{package} {digest.hexdigest()}"
