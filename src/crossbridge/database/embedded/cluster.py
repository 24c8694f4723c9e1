"""Making the database files: initdb into a folder of its own, moved into place when it is whole."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from crossbridge.database.embedded.home import SUPERUSER
from crossbridge.errors import ServerError

if TYPE_CHECKING:
    from crossbridge.database.embedded.account import Account
    from crossbridge.database.embedded.binaries import Binaries
    from crossbridge.database.embedded.home import Home
    from crossbridge.database.embedded.lock import FileLock

STAGING = "initdb-"


def create_cluster(home: Home, account: Account, binaries: Binaries, lock: FileLock) -> None:
    """
    Create `home.cluster`, owned by `account`, with scram passwords everywhere.

    initdb holds `lock` as well, so the next attempt waits for an initdb that outlived its starter.

    Raises:
        ServerError: initdb failed; the message has its reason.
    """
    staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=home.path))
    try:
        password_file = staging / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(home.make_password())
        for path in (password_file, staging):
            account.give(path)
        _initdb(staging / "cluster", password_file, account, binaries, lock)
        (staging / "cluster").rename(home.cluster)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def clear_left_overs(home: Home) -> None:
    """Remove what a killed attempt left: half a cluster, a copy of the password."""
    for folder in home.path.glob(STAGING + "*"):
        shutil.rmtree(folder)


def _initdb(cluster: Path, password_file: Path, account: Account, binaries: Binaries, lock: FileLock) -> None:
    command = [
        binaries.initdb,
        f"--pgdata={cluster}",
        f"--username={SUPERUSER}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",  # text compares as bytes, the same on every system
    ]
    done = account.run(command, capture_output=True, pass_fds=[lock.fd])
    if done.returncode != 0:
        raise ServerError(
            f"PostgreSQL could not create its files in {cluster.parents[1]}: {_reason(done.stderr)}"
        )


def _reason(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    telling = [line for line in lines if "FATAL:" in line or "error:" in line or "PANIC:" in line]
    reason = (telling or lines or ["no reason given"])[0]
    if "No space left on device" in reason:
        return f"{reason}. It needs 50 MB: free some, or use --data-dir on another disk."
    return f"{reason}."
