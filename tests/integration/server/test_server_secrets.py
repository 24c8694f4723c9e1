"""The password is in one file and nowhere else."""

import json
import os
import socket
from threading import Event, Thread

import psycopg
import pytest

from crossbridge.database.server import EmbeddedServer
from support.cli import run_cli
from support.processes import command_lines, postmasters, read_quietly


class Watcher:
    """Collects every command line on this machine while something runs."""

    def __enter__(self):
        self.seen, self._done = set(), Event()
        self._thread = Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self):
        while not self._done.is_set():
            self.seen.update(" ".join(arguments) for arguments in command_lines().values())

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()


def test_the_password_shows_in_no_output_log_or_process_list(data_dir):
    with Watcher() as watcher:
        outputs = [
            run_cli(*command, "--data-dir", data_dir)
            for command in (
                ["up"],
                ["up"],
                ["up", "--json"],
                ["status"],
                ["status", "--json"],
                ["down"],
                ["up", "--debug"],
            )
        ]
    password = (data_dir / "password").read_text().strip()
    assert len(password) >= 32
    assert any("initdb" in line for line in watcher.seen), "the watcher saw nothing"
    assert any("-c listen_addresses=127.0.0.1" in line for line in watcher.seen)
    assert not [line for line in watcher.seen if password in line]
    assert not [done for done in outputs if password in done.stdout + done.stderr]
    files = [path for path in data_dir.rglob("*") if path.is_file()]
    holders = [path.name for path in files if password.encode() in path.read_bytes()]
    assert holders == ["password"]


def test_the_password_is_printed_on_demand_alone(data_dir):
    run_cli("up", "--data-dir", data_dir)
    password = (data_dir / "password").read_text().strip()
    assert run_cli("status", "--show-password", "--data-dir", data_dir).stdout == password + "\n"
    shown = json.loads(run_cli("status", "--show-password", "--json", "--data-dir", data_dir).stdout)
    assert shown["password"] == password
    EmbeddedServer(data_dir).stop()
    done = run_cli("status", "--show-password", "--data-dir", data_dir)
    assert (done.returncode, done.stdout) == (3, "")
    assert "is not running: start it with 'crossbridge up'" in done.stderr


def test_each_server_has_its_own_password(data_dir, scratch, server):
    EmbeddedServer(data_dir).start()
    assert (data_dir / "password").read_text() != (scratch / "server" / "password").read_text()


def test_the_starters_environment_stays_with_the_starter(data_dir):
    run_cli("up", "--data-dir", data_dir, env={**os.environ, "AWS_SECRET": "s3cret", "PGPASSWORD": "s3cret"})
    [pid] = postmasters(data_dir)
    environment = read_quietly(pid, "environ")
    assert "PATH=" in environment
    assert "s3cret" not in environment


def test_a_failing_statement_leaves_its_secrets_out_of_the_log(data_dir):
    target = EmbeddedServer(data_dir).start()
    with psycopg.connect(**target.parameters()) as connection, pytest.raises(psycopg.errors.UndefinedObject):
        connection.execute("ALTER ROLE no_such_role PASSWORD 's3cret'")
    log = (data_dir / "server.log").read_text()
    assert 'role "no_such_role" does not exist' in log
    assert "s3cret" not in log


def test_a_stranger_on_a_dead_servers_port_is_never_told_the_password(data_dir):
    target = EmbeddedServer(data_dir).start()
    EmbeddedServer(data_dir).stop()
    with socket.create_server(("127.0.0.1", target.port)) as stranger:
        stranger.settimeout(0.2)
        assert run_cli("status", "--data-dir", data_dir).returncode == 3
        with pytest.raises(TimeoutError):
            stranger.accept()
