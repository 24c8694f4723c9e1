"""The data directory of an embedded server: what lies where, whose it is, what is remembered.

DATA_DIR/            0711 for root (the server's user passes through), else 0700
    start.lock       held while a command starts or stops the server; marks the folder as ours
    server.lock      held by the server's processes: free means that none of them lives
    server.json      the port, kept across restarts
    password         0600
    server.log       0600
    socket/          0700, the unix socket
    cluster/         0700, PostgreSQL's own data directory
    binaries/        root only: a copy of the server's programs, when its user cannot reach the originals
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import socket
import sys
import zlib
from pathlib import Path

from crossbridge.database.embedded.account import ROOT
from crossbridge.database.target import Target
from crossbridge.errors import ServerError
from crossbridge.profiling.config import load

DATABASE = SUPERUSER = "crossbridge"
FIRST_PORT, PORT_COUNT = 15432, 10000  # below the range systems draw outgoing ports from
LONGEST_SOCKET_PATH = 100  # sockaddr_un holds 103 bytes on macOS, 107 on Linux
LOG_KEPT_BYTES = 10 * 1024 * 1024
_FOLDER_MODE = 0o711 if os.geteuid() == ROOT else 0o700


def default_data_dir() -> Path:
    """
    Return CROSSBRIDGE_DATA_DIR, else the system's place for root, else the user's own data folder.

    Raises:
        ConfigError: A setting is wrong.
        ServerError: The user has no home.
    """
    settings = load()
    if settings.data_dir is not None:
        return settings.project_root / settings.data_dir
    if os.geteuid() == ROOT:
        return Path("/var/lib/crossbridge/postgres")
    folder = _user_data_folder()
    if not folder.is_absolute():
        raise ServerError("you have no home folder to keep the data in: set CROSSBRIDGE_DATA_DIR.")
    return folder / "crossbridge" / "postgres"


def _user_data_folder() -> Path:
    """
    Return where a user's programs keep their data: XDG's folder, or Apple's.

    Not by platformdirs: it brings a plugin of pytest's, which every run of the tests would load on our account.
    """
    apple = sys.platform == "darwin"
    named = "" if apple else os.environ.get("XDG_DATA_HOME", "").strip()
    home = "~/Library/Application Support" if apple else "~/.local/share"
    # expanduser of os.path: that of Path raises where there is no home.
    return Path(named if os.path.isabs(named) else os.path.expanduser(home))  # noqa: PTH111, PTH117


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the server will: a port whose old connections linger in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Home:
    """Paths and small files in a data directory. Reading never creates anything."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.start_lock = path / "start.lock"
        self.server_lock = path / "server.lock"
        self.state = path / "server.json"
        self.password_file = path / "password"
        self.log = path / "server.log"
        self.sockets = path / "socket"
        self.cluster = path / "cluster"
        self.binaries = path / "binaries"

    def claim(self) -> None:
        """
        Make the folder, or make sure that it is one of ours.

        Raises:
            ServerError: It holds something else; nothing in it was touched.
        """
        self._make_folders()
        # One look: whoever claims the folder at the same moment makes the mark first.
        names = {entry.name for entry in self.path.iterdir()}
        if self.start_lock.name in names:
            return
        if "PG_VERSION" in names:
            raise ServerError(
                f"{self.path} is the data directory of another PostgreSQL server: "
                "choose a new or empty folder as --data-dir."
            )
        if names:
            raise ServerError(
                f"{self.path} holds other files and no server of ours: choose a new or empty folder as --data-dir."
            )
        self.path.chmod(_FOLDER_MODE)
        self.start_lock.touch(mode=0o600)

    def _make_folders(self) -> None:
        """Like mkdir -p, but what root creates can be passed through by the server's user, whatever the umask."""
        missing = [folder for folder in (self.path, *self.path.parents) if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir(exist_ok=True)
            folder.chmod(_FOLDER_MODE)

    def target(self, dbname: str) -> Target | None:
        """Return the way into the server, running or not; None before its first start."""
        port, password = self.port(), self.password()
        if port is None or password is None:
            return None
        return Target("127.0.0.1", port, dbname, SUPERUSER, password, sslmode="disable")

    def password(self) -> str | None:
        try:
            return self.password_file.read_text().strip()
        except FileNotFoundError:
            return None

    def make_password(self) -> str:
        """Return the password, drawn at random the first time."""
        if (known := self.password()) is not None:
            return known
        password = secrets.token_urlsafe(24)
        self._write_private(self.password_file, password + "\n")
        return password

    def port(self) -> int | None:
        """Return the port last used, or None."""
        try:
            return int(json.loads(self.state.read_bytes())["port"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return self._postmaster_line(4)

    def choose_port(self, wanted: int | None = None) -> int:
        """
        Choose a free port and remember it: `wanted`, or the last one, or one that follows from the folder's name.

        A port that is taken is passed over for another; not so `wanted`.

        Raises:
            ServerError: `wanted` is taken.
        """
        drawn = zlib.crc32(os.fsencode(self.path)) % PORT_COUNT
        row = (FIRST_PORT + (drawn + step) % PORT_COUNT for step in range(PORT_COUNT))
        if wanted is not None:
            candidates = [wanted]
        else:
            known = self.port()
            candidates = [*([known] if known else []), *row]
        for port in candidates:
            if port_is_free(port):
                self._write_private(self.state, json.dumps({"port": port}) + "\n")
                return port
        raise ServerError(
            f"port {candidates[0]} on 127.0.0.1 is taken by another program: stop it, or choose another port."
        )

    def socket_folder(self) -> str:
        """Return where the unix socket lies; empty (no socket) when the path is too long for one."""
        fits = len(os.fsencode(self.sockets)) + len("/.s.PGSQL.65535") <= LONGEST_SOCKET_PATH
        return str(self.sockets) if fits else ""

    def open_log(self) -> int:
        """Open the log to append; one past 10 MiB is set aside as `server.log.1`."""
        with contextlib.suppress(FileNotFoundError):
            if self.log.stat().st_size > LOG_KEPT_BYTES:
                self.log.replace(self.log.with_suffix(".log.1"))
        return os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def last_words(self, since: int) -> str:
        """Return the last line after byte `since` of the log that tells of a failure, without its time stamp."""
        with self.log.open("rb") as file:
            file.seek(since)
            lines = file.read().decode(errors="replace").splitlines()
        # Who knocks while the server starts is told so, as FATAL.
        lines = [line for line in lines if "FATAL:  the database system is" not in line]
        telling = [line for line in lines if "FATAL:" in line or "PANIC:" in line]
        return re.sub(r"^.*(FATAL|PANIC): +", "", (telling or lines or ["no reason given"])[-1])

    def postmaster_pid(self) -> int | None:
        """Return what the server wrote down as its process id; true only while the server lives."""
        return self._postmaster_line(1)

    def cluster_major(self) -> int | None:
        """Return the major version of PostgreSQL that made the database files; None when there are none."""
        try:
            return int((self.cluster / "PG_VERSION").read_text())
        except (FileNotFoundError, ValueError):
            return None

    def data_bytes(self) -> int:
        """Return the size of the database files and the write-ahead log."""
        total = 0
        for folder, _, files in os.walk(self.cluster):
            for name in files:
                with contextlib.suppress(FileNotFoundError):
                    total += os.lstat(Path(folder, name)).st_size
        return total

    def _postmaster_line(self, number: int) -> int | None:
        try:
            return int((self.cluster / "postmaster.pid").read_text().splitlines()[number - 1])
        except (FileNotFoundError, ValueError, IndexError):
            return None

    def _write_private(self, path: Path, text: str) -> None:
        draft = path.with_name(f"{path.name}.new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
