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
import zlib
from pathlib import Path

from crossbridge.database.embedded.account import ROOT
from crossbridge.errors import ServerError

FIRST_PORT, PORT_COUNT = 15432, 10000  # below the range systems draw outgoing ports from
LONGEST_SOCKET_PATH = 100  # sockaddr_un holds 103 bytes on macOS, 107 on Linux
LOG_KEPT_BYTES = 10 * 1024 * 1024


def default_data_dir() -> Path:
    """CROSSBRIDGE_DATA_DIR, else the system's place for root, else the user's own data folder."""
    if configured := os.environ.get("CROSSBRIDGE_DATA_DIR"):
        return Path(configured).absolute()
    if os.geteuid() == ROOT:
        return Path("/var/lib/crossbridge/postgres")
    from platformdirs import user_data_path  # noqa: PLC0415  only needed when nothing is configured

    return user_data_path("crossbridge", appauthor=False) / "postgres"


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
        if (self.path / "PG_VERSION").exists():
            raise ServerError(
                f"{self.path} is the data directory of another PostgreSQL server: "
                "choose a new or empty folder as --data-dir."
            )
        self.path.mkdir(parents=True, exist_ok=True)
        if self.start_lock.exists():
            return
        if any(self.path.iterdir()):
            raise ServerError(
                f"{self.path} holds other files and no server of ours: "
                "choose a new or empty folder as --data-dir."
            )
        self.path.chmod(0o711 if os.geteuid() == ROOT else 0o700)
        self.start_lock.touch(mode=0o600)

    def password(self) -> str | None:
        try:
            return self.password_file.read_text().strip()
        except FileNotFoundError:
            return None

    def make_password(self) -> str:
        """The password, drawn at random the first time."""
        if (known := self.password()) is not None:
            return known
        password = secrets.token_urlsafe(24)
        self._write_private(self.password_file, password + "\n")
        return password

    def port(self) -> int | None:
        """The port last used, or None."""
        try:
            return int(json.loads(self.state.read_bytes())["port"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def choose_port(self, wanted: int | None = None) -> int:
        """
        `wanted`, else the port last used, else one that follows from the folder's name; remembered.

        A port that is taken is passed over for the next free one, except `wanted`.
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
        """Where the unix socket lies; empty (no socket) when the path is too long for one."""
        fits = len(os.fsencode(self.sockets)) + len("/.s.PGSQL.65535") <= LONGEST_SOCKET_PATH
        return str(self.sockets) if fits else ""

    def open_log(self) -> int:
        """A descriptor that appends to the log; a log past 10 MiB is set aside as `server.log.1`."""
        with contextlib.suppress(FileNotFoundError):
            if self.log.stat().st_size > LOG_KEPT_BYTES:
                self.log.replace(self.log.with_suffix(".log.1"))
        return os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def last_words(self) -> str:
        """The last line of the log that tells a failure, without its time stamp."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 65536))
                lines = file.read().decode(errors="replace").splitlines()
        except FileNotFoundError:
            return "no reason given"
        telling = [line for line in lines if "FATAL:" in line or "PANIC:" in line]
        return re.sub(r"^.*(FATAL|PANIC): +", "", (telling or lines or ["no reason given"])[-1])

    def postmaster_pid(self) -> int | None:
        """What the server wrote down as its process id; true only while the server lives."""
        try:
            return int((self.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None

    def cluster_major(self) -> int | None:
        """Major version of PostgreSQL that made the database files; None when there are none."""
        try:
            return int((self.cluster / "PG_VERSION").read_text())
        except FileNotFoundError:
            return None

    def data_bytes(self) -> int:
        """Size of the database files and the write-ahead log."""
        total = 0
        for folder, _, files in os.walk(self.cluster):
            for name in files:
                with contextlib.suppress(FileNotFoundError):
                    total += os.lstat(Path(folder, name)).st_size
        return total

    def _write_private(self, path: Path, text: str) -> None:
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.unlink(missing_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
