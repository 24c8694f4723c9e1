"""The operating-system user a server runs as: PostgreSQL refuses to run as root."""

from __future__ import annotations

import contextlib
import os
import pwd
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crossbridge.errors import ServerError

if TYPE_CHECKING:
    from pathlib import Path

ROOT = 0
# Both are there for services that own nothing else; neither is created or changed by us.
SERVICE_ACCOUNTS = ("postgres", "nobody")
# A long-lived server must not carry the starter's environment, which may hold secrets.
PASSED_ON = ("PATH", "TZ", "LD_LIBRARY_PATH")


@dataclass(frozen=True)
class Account:
    """A user to run PostgreSQL's programs as; `switch` is true when that is not the current user."""

    name: str
    uid: int
    gid: int
    switch: bool

    @classmethod
    def for_cluster(cls, cluster: Path) -> Account:
        """
        Return who owns the database files, or shall own them.

        Raises:
            ServerError: The files belong to somebody this process cannot act as.
        """
        owner = cluster.stat().st_uid if cluster.exists() else None
        if os.geteuid() != ROOT:
            if owner not in (None, os.geteuid()):
                raise ServerError(f"{cluster} belongs to {_user_name(owner)}: run this command as that user.")
            return cls(_user_name(os.geteuid()), os.geteuid(), os.getegid(), switch=False)
        if owner == ROOT:
            raise ServerError(
                f"{cluster} belongs to root, and PostgreSQL refuses to run as root: "
                "give the folder to the user that ran the server, or use another --data-dir."
            )
        entry = _service_account() if owner is None else _entry_of(owner)
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid, switch=True)

    def run(
        self, command: list[str], *, env: dict[str, str] | None = None, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run to the end as this user, in `/`, with PASSED_ON as environment; a bad exit raises nothing."""
        kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        env = kept | {"LC_ALL": "C"} | (env or {})
        if self.switch:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return subprocess.run(command, check=False, text=True, cwd="/", umask=0o077, env=env, **options)

    def can_enter(self, path: Path) -> bool:
        """Whether this user may enter the folder, or run the program, `path`."""
        return not self.switch or self.run(["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)]).returncode == 0

    def give(self, path: Path) -> None:
        """Make this user the owner of `path`."""
        if self.switch:
            os.chown(path, self.uid, self.gid)


def _service_account() -> pwd.struct_passwd:
    for name in SERVICE_ACCOUNTS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise ServerError(
        "PostgreSQL refuses to run as root and neither user 'postgres' nor 'nobody' exists here: "
        "run this command as an ordinary user."
    )


def _entry_of(uid: int) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        raise ServerError(
            f"the database files belong to user id {uid}, which has no name here: "
            "run this command as that user, or use another --data-dir."
        ) from None


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user id {uid}"
