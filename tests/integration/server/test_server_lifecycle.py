"""The server as an ordinary day sees it: start, use, stop, start again."""

import contextlib
import os
import re
import socket
import stat
import timeit
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from crossbridge.database.embedded.home import Home, port_is_free
from crossbridge.database.embedded.postmaster import buffers_mb, memory_bytes
from crossbridge.database.server import EmbeddedServer, running_target
from crossbridge.errors import ServerError


def rows_of(target, statement):
    with psycopg.connect(**target.parameters()) as connection:
        return connection.execute(statement).fetchall()


def listening_addresses(pid):
    """Local addresses of the listening TCP sockets that process `pid` holds, as /proc/net spells them."""
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        if match := re.match(r"socket:\[(\d+)\]", str(descriptor.readlink())):
            inodes.add(match[1])
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                found.append(fields[1])
    return found


def test_start_gives_the_same_database_however_often_it_is_called(data_dir):
    first = EmbeddedServer(data_dir).start()
    pid = EmbeddedServer(data_dir).status().pid
    assert EmbeddedServer(data_dir).start() == first
    assert EmbeddedServer(data_dir).status().pid == pid
    assert (first.dbname, first.user, first.host) == ("crossbridge", "crossbridge", "127.0.0.1")
    assert rows_of(first, "SELECT current_database(), current_user") == [("crossbridge", "crossbridge")]


def test_port_password_and_data_outlast_a_stop(data_dir):
    server = EmbeddedServer(data_dir)
    before = server.start()
    with psycopg.connect(**before.parameters()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    assert server.stop() is True
    assert port_is_free(before.port)
    assert server.start() == before
    assert rows_of(before, "SELECT answer FROM kept") == [(42,)]


def test_stop_is_content_with_a_server_that_does_not_run(data_dir):
    server = EmbeddedServer(data_dir)
    assert server.stop() is False
    server.start()
    assert server.stop() is True
    assert server.stop() is False


def test_status_tells_what_runs_and_where(data_dir):
    server = EmbeddedServer(data_dir)
    nothing = server.status()
    assert (nothing.running, nothing.target, nothing.pid, nothing.data_bytes) == (False, None, None, 0)
    assert not data_dir.exists()

    target = server.start()
    status = server.status()
    assert (status.running, status.target, status.data_dir) == (True, target, data_dir)
    assert rows_of(target, "SHOW server_version") == [(status.version,)]
    assert Path(f"/proc/{status.pid}/cwd").samefile(data_dir / "cluster")
    assert status.log.read_text()
    assert status.data_bytes > 30_000_000

    server.stop()
    assert server.status() == replace(
        status, running=False, target=None, version=None, pid=None, data_bytes=server.status().data_bytes
    )


def test_running_target_is_quick_and_leaves_no_trace_when_nothing_runs(data_dir):
    EmbeddedServer(data_dir).start()
    EmbeddedServer(data_dir).stop()
    for folder in (data_dir, data_dir / "never"):
        assert running_target(folder) is None
        assert min(timeit.repeat(lambda folder=folder: running_target(folder), number=1, repeat=5)) < 0.05
    assert not (data_dir / "never").exists()


def test_running_target_finds_the_server_of_the_settings(data_dir, monkeypatch):
    assert running_target() is None
    monkeypatch.setenv("CROSSBRIDGE_DATA_DIR", str(data_dir))
    target = EmbeddedServer().start()
    assert running_target() == running_target(data_dir) == target


def test_a_database_of_another_name_is_made_at_the_start_beside_ours(data_dir):
    ours = EmbeddedServer(data_dir).start()
    shop = EmbeddedServer(data_dir, database="the shop").start()
    assert shop == replace(ours, dbname="the shop")
    assert rows_of(shop, "SELECT current_database()") == [("the shop",)]
    assert EmbeddedServer(data_dir, database="the shop").start() == shop
    assert rows_of(ours, "SELECT current_database()") == [("crossbridge",)]


def test_to_ask_for_a_database_makes_none(data_dir):
    EmbeddedServer(data_dir).start()
    server = EmbeddedServer(data_dir, database="blog")
    assert server.status().target == server.running_target() == running_target(data_dir, "blog")
    with pytest.raises(psycopg.OperationalError, match='database "blog" does not exist'):
        rows_of(server.running_target(), "SELECT 1")


def test_a_wrong_password_is_refused_on_tcp_and_on_the_socket(data_dir):
    target = EmbeddedServer(data_dir).start()
    for host in ("127.0.0.1", str(data_dir / "socket")):
        known = replace(target, host=host)
        assert rows_of(known, "SELECT 1") == [(1,)]
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(**replace(known, password="wrong").parameters())
        with pytest.raises(psycopg.OperationalError, match="no password supplied"):
            psycopg.connect(**replace(known, password=None).parameters(), passfile="/nonexistent")
    assert {row[0] for row in rows_of(target, "SELECT auth_method FROM pg_hba_file_rules")} == {
        "scram-sha-256"
    }
    [(stored,)] = rows_of(target, "SELECT rolpassword FROM pg_authid WHERE rolname = 'crossbridge'")
    assert stored.startswith("SCRAM-SHA-256$")


def test_nothing_listens_beyond_loopback(data_dir):
    target = EmbeddedServer(data_dir).start()
    pid = EmbeddedServer(data_dir).status().pid
    assert listening_addresses(pid) == [f"0100007F:{target.port:04X}"]


def test_nobody_else_can_read_the_files(data_dir):
    EmbeddedServer(data_dir).start()
    home = Home(data_dir)
    for folder in (home.cluster, home.sockets):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for file in (home.password_file, home.state, home.log, home.start_lock, home.server_lock):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(data_dir.stat().st_mode) == (0o711 if os.geteuid() == 0 else 0o700)
    assert not list(data_dir.glob("initdb-*"))


def test_a_taken_port_is_left_to_its_owner(data_dir):
    server = EmbeddedServer(data_dir)
    before = server.start()
    server.stop()
    with socket.create_server(("127.0.0.1", before.port)):
        assert running_target(data_dir) is None
        after = server.start()
        assert after.port != before.port
    server.stop()
    assert server.start() == after


def test_a_demanded_port_that_is_taken_is_an_error(data_dir):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServerError, match=f"port {port} on 127.0.0.1 is taken"):
            EmbeddedServer(data_dir, port=port).start()


def test_the_launch_settings_reach_the_server(data_dir):
    target = EmbeddedServer(data_dir, settings={"work_mem": "7MB"}).start()
    wanted = {
        "max_wal_size": "1GB",
        "jit": "off",
        "random_page_cost": "1.1",
        "listen_addresses": "127.0.0.1",
        "fsync": "on",
        "server_encoding": "UTF8",
        "lc_collate": "C",
        "work_mem": "7MB",
    }
    with psycopg.connect(**target.parameters()) as connection:
        found = {
            name: connection.execute("SELECT current_setting(%s, true)", [name]).fetchone()[0]
            for name in wanted
        }
        found["lc_collate"] = connection.execute(
            "SELECT datcollate FROM pg_database WHERE datname = current_database()"
        ).fetchone()[0]
        pages = connection.execute(
            "SELECT setting FROM pg_settings WHERE name = 'shared_buffers'"
        ).fetchone()[0]
    assert found == wanted
    assert int(pages) == buffers_mb(memory_bytes()) * 128


def test_a_folder_too_deep_for_a_socket_still_has_a_server(scratch):
    data_dir = scratch / ("d" * 80) / "deep"
    server = EmbeddedServer(data_dir)
    target = server.start()
    assert rows_of(target, "SHOW unix_socket_directories") == [("",)]
    server.stop()


def test_a_damaged_state_file_costs_nothing_but_the_remembered_port(data_dir):
    server = EmbeddedServer(data_dir)
    server.start()
    server.stop()
    for damage in ("", "{", '{"port": "x"}', "[]"):
        (data_dir / "server.json").write_text(damage)
        assert running_target(data_dir) is None
        server.start()
        server.stop()


def test_a_lost_state_file_is_made_up_for_while_the_server_runs(data_dir):
    target = EmbeddedServer(data_dir).start()
    (data_dir / "server.json").unlink()
    assert running_target(data_dir) == target
    assert EmbeddedServer(data_dir).start() == target


def test_a_server_with_no_connection_left_still_counts_as_running(data_dir):
    settings = {"max_connections": "4", "superuser_reserved_connections": "1", "max_wal_senders": "0"}
    target = EmbeddedServer(data_dir, settings=settings).start()
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(psycopg.connect(**target.parameters()))
        with pytest.raises(psycopg.OperationalError, match=r"too many clients|connection slots"):
            psycopg.connect(**target.parameters())
        assert running_target(data_dir) == target
        assert EmbeddedServer(data_dir).stop() is True
