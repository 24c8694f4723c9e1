"""The server process: started detached, asked whether it answers, told to stop."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from crossbridge.database.embedded.lock import is_held

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crossbridge.database.embedded.account import Account
    from crossbridge.database.embedded.binaries import Binaries
    from crossbridge.database.embedded.home import Home
    from crossbridge.database.embedded.lock import FileLock

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "password_encryption": "scram-sha-256",
    "max_connections": "200",
    "max_wal_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "log_checkpoints": "off",
    # Files in the data directory: /dev/shm is 64 MB in a container, and systemd empties it at logout.
    "dynamic_shared_memory_type": "mmap",
    # A failed statement may hold a password or a batch of 5,000 events.
    "log_min_error_statement": "panic",
}
# Of control groups, version 2 and version 1.
LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
# The shell puts the server in the background and ends: the server is nobody's child, and never a zombie
# of a starter that lives on.
DETACH = '"$@" &'


class Answer(Enum):
    """What came back from the server."""

    READY = auto()
    NOT_YET = auto()  # starting, recovering or shutting down
    DEAD = auto()  # none of its processes lives
    MUTE = auto()  # processes live, but nobody answers on its port, or somebody who knows no password of ours


def ask(home: Home, dbname: str) -> Answer:
    """
    Log in, the one proof that a server serves.

    A server that is dead is never knocked for: another program may have taken its port, and would be
    told our password if it asked. Under a millisecond then; up to 2 s when a live one hangs.
    """
    target = home.target(dbname)
    if target is None or not is_held(home.server_lock):
        return Answer.DEAD
    try:
        psycopg.connect(**target.parameters(), connect_timeout=2).close()
    except psycopg.OperationalError as error:
        said = str(error)
        if "the database system is" in said:
            return Answer.NOT_YET
        full = "too many clients" in said or "connection slots" in said
        return Answer.READY if full else Answer.MUTE
    return Answer.READY


def launch(home: Home, account: Account, binaries: Binaries, lock: FileLock, settings: dict[str, str]) -> int:
    """
    Start the server in a session of its own; it outlives this process and its terminal.

    Returns before the server is ready. The server takes over `lock`, which is free again when it
    and its children are gone: the one proof that a server is dead. The answer is the length of the log so far.
    """
    home.sockets.mkdir(mode=0o700, exist_ok=True)
    account.give(home.sockets)
    of_machine = {
        "unix_socket_directories": home.socket_folder(),
        "shared_buffers": f"{buffers_mb(memory_bytes())}MB",
    }
    settings = SETTINGS | of_machine | settings
    command = [binaries.postgres, "-D", str(home.cluster)]
    command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    log = home.open_log()
    length = os.lseek(log, 0, os.SEEK_END)
    try:
        account.run(
            ["/bin/sh", "-c", DETACH, "sh", *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[lock.fd],
            start_new_session=True,
            env=_past_stale_pid(home),
        )
        return length
    finally:
        os.close(log)
        lock.let_go()


def buffers_mb(memory: int) -> int:
    """
    Return how many MB of pages the server may keep, of `memory` bytes: a 32nd, but 256 to 1,024.

    It is no dedicated server: tests and browsers live beside it. What no query reads is never taken.
    """
    return min(max(memory // 32 // 2**20, 256), 1024)


def memory_bytes(limits: Iterable[Path] = LIMITS) -> int:
    """Return the memory of this machine, or of this container where the files `limits` say that it has less."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in limits:
        with contextlib.suppress(OSError, ValueError):  # not there, or "max"
            memory = min(memory, int(limit.read_text()))
    return memory


def _past_stale_pid(home: Home) -> dict[str, str]:
    """
    Keep PostgreSQL from refusing because of a dead server's pid that is now a zombie's or another program's.

    It skips the pid named here when it reads a left-over postmaster.pid, and still looks for
    processes attached to the old shared memory. We hold the server's lock: that pid is no server of ours.
    """
    pid = home.postmaster_pid()
    return {"PG_GRANDPARENT_PID": str(pid)} if pid else {}


def send_stop(home: Home, *, immediate: bool) -> bool:
    """
    Ask for a fast shutdown (a checkpoint, no recovery at the next start) or an immediate one.

    False when no process of that id and command is to be seen from here: the server may be in another container.
    """
    pid = home.postmaster_pid()
    if pid is None or str(home.cluster) not in _command_of(pid):
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGQUIT if immediate else signal.SIGINT)
    return True


def _command_of(pid: int) -> str:
    """Return a process's command line; empty for a zombie, and when there is none."""
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
        except OSError:
            return ""
    ps = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
    return subprocess.run(ps, capture_output=True, text=True, check=False).stdout
