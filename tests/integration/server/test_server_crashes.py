"""Whatever is killed, and whenever: the next `up` has a server, with everything that was committed."""

import json
import os
import signal
import subprocess
from pathlib import Path
from threading import Event, Thread

import psycopg
import pytest

from crossbridge.database.embedded.account import Account
from crossbridge.database.embedded.home import Home
from crossbridge.database.server import EmbeddedServer, running_target
from crossbridge.errors import ServerError
from support.cli import run_cli, start_cli
from support.processes import command_lines, postmasters, read_quietly
from support.waiting import until


def count_of(target, table):
    with psycopg.connect(**target.parameters()) as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_rows_committed_before_a_kill_are_there_after_it(postgres_control):
    target = postgres_control.target
    acknowledged, enough = [0], Event()

    def write():
        with psycopg.connect(**target.parameters(), autocommit=True) as connection:
            connection.execute("CREATE TABLE written (n int)")
            try:
                while True:
                    connection.execute("INSERT INTO written SELECT generate_series(1, 100)")
                    acknowledged[0] += 100
                    if acknowledged[0] == 20_000:
                        enough.set()
            except psycopg.OperationalError:
                return

    writer = Thread(target=write)
    writer.start()
    assert enough.wait(30)
    postgres_control.kill9()
    writer.join()
    postgres_control.start()
    # A commit may have reached the disk without its answer reaching us.
    assert count_of(target, "written") - acknowledged[0] in (0, 100)


def test_up_right_after_a_kill_waits_for_the_orphans(postgres_control):
    for _ in range(5):
        os.kill(postgres_control.pid, signal.SIGKILL)
        assert postgres_control.start() == postgres_control.target
        assert count_of(postgres_control.target, "pg_database") >= 4


@pytest.mark.parametrize("fate", ["a zombie's", "somebody else's"])
def test_a_left_over_pid_that_is_now(fate, postgres_control):
    home = postgres_control.home
    account = Account.for_cluster(home.cluster)
    identity = {"user": account.uid, "group": account.gid, "extra_groups": []} if account.switch else {}
    postgres_control.kill9()

    command = ["true"] if fate == "a zombie's" else ["sleep", "60"]
    with subprocess.Popen(command, **identity) as other:
        if fate == "a zombie's":
            until(lambda: ") Z " in read_quietly(other.pid, "stat"))
        left_over = home.cluster / "postmaster.pid"
        left_over.write_text(f"{other.pid}\n" + left_over.read_text().split("\n", 1)[1])
        lock_file = home.sockets / f".s.PGSQL.{postgres_control.target.port}.lock"
        lock_file.write_text(f"{other.pid}\n" + lock_file.read_text().split("\n", 1)[1])
        assert running_target(home.path) is None
        assert EmbeddedServer(home.path).stop() is False
        assert postgres_control.start() == postgres_control.target
        if fate == "somebody else's":
            assert other.poll() is None
            other.kill()


# Each exists from a certain moment of the first start on.
MOMENTS = [
    "start.lock",
    "password",
    "initdb-*",
    "initdb-*/cluster/base",
    "cluster",
    "server.json",
    "cluster/postmaster.pid",
]


@pytest.mark.parametrize("sign", MOMENTS)
def test_up_is_killed_as_soon_as_there_is(sign, data_dir):
    command = start_cli("up", "--data-dir", data_dir)
    until(lambda: any(data_dir.glob(sign)), every_s=0.0005)
    command.kill()
    command.communicate()
    assert command.returncode == -signal.SIGKILL

    target = EmbeddedServer(data_dir).start()
    assert count_of(target, "pg_database") == 4
    assert len(postmasters(data_dir)) == 1
    assert not list(data_dir.glob("initdb-*"))
    assert not [path for path in data_dir.iterdir() if path.suffix == ".new"]


def test_an_initdb_that_outlives_its_up_is_waited_for(data_dir):
    command = start_cli("up", "--data-dir", data_dir)
    initdbs = until(
        lambda: [
            pid for pid, line in command_lines().items() if f"--pgdata={data_dir}/initdb-" in " ".join(line)
        ],
        every_s=0.0005,
    )
    os.kill(initdbs[0], signal.SIGSTOP)
    command.kill()
    command.communicate()
    texts = []

    def progress(text):
        texts.append(text)
        if len(texts) == 10:
            os.kill(initdbs[0], signal.SIGCONT)

    target = EmbeddedServer(data_dir, progress=progress).start()
    assert all(text.startswith("Waiting for the server that is there already") for text in texts[:10])
    assert count_of(target, "pg_database") == 4


def test_up_is_killed_at_any_moment(data_dir):
    for step in range(12):
        command = start_cli("up", "--data-dir", data_dir)
        try:
            command.wait(0.15 + 0.07 * step)
        except subprocess.TimeoutExpired:
            command.kill()
        command.communicate()
        EmbeddedServer(data_dir).stop()
    assert count_of(EmbeddedServer(data_dir).start(), "pg_database") == 4
    assert len(postmasters(data_dir)) == 1


def test_ten_at_once_start_one_server(data_dir):
    commands = [start_cli("up", "--json", "--data-dir", data_dir) for _ in range(10)]
    answers = [command.communicate(timeout=90) for command in commands]
    assert [command.returncode for command in commands] == [0] * 10, answers
    assert len({(json.loads(out)["pid"], json.loads(out)["port"]) for out, _ in answers}) == 1
    assert postmasters(data_dir) == [json.loads(answers[0][0])["pid"]]
    assert (data_dir / "server.log").read_text().count("starting PostgreSQL") == 1


def test_ups_and_downs_at_once_leave_one_server_or_none(data_dir):
    commands = [start_cli(verb, "--json", "--data-dir", data_dir) for verb in ["up", "up", "down"] * 3]
    for command in commands:
        assert command.wait(90) in (0, 3), command.communicate()
        command.communicate()
    running = running_target(data_dir) is not None
    assert len(postmasters(data_dir)) == running


def test_the_server_outlives_its_starter_and_the_terminal(data_dir):
    command = start_cli("up", "--data-dir", data_dir, start_new_session=True)
    command.communicate(timeout=60)
    [pid] = postmasters(data_dir)
    fields = read_quietly(pid, "stat").rpartition(") ")[2].split()
    parent, session, terminal = int(fields[1]), int(fields[3]), int(fields[4])
    assert parent != os.getpid()
    assert session != command.pid
    assert terminal == 0
    for descriptor, wanted in {
        0: "/dev/null",
        1: str(data_dir / "server.log"),
        2: str(data_dir / "server.log"),
    }.items():
        assert str(Path(f"/proc/{pid}/fd/{descriptor}").readlink()) == wanted
    assert running_target(data_dir) is not None


def test_two_servers_never_share_the_files_even_without_their_lock(data_dir):
    target = EmbeddedServer(data_dir).start()
    [pid] = postmasters(data_dir)
    (data_dir / "server.lock").rename(data_dir / "server.lock.away")
    with pytest.raises(ServerError, match="pre-existing shared memory block"):
        EmbeddedServer(data_dir).start()
    assert postmasters(data_dir) == [pid]
    assert count_of(target, "pg_database") == 4
    (data_dir / "server.lock.away").replace(data_dir / "server.lock")
    Home(data_dir).state.unlink()
    assert running_target(data_dir) == target


def test_an_immediate_stop_is_recovered_from(postgres_control):
    with psycopg.connect(**postgres_control.target.parameters()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000)")
    postgres_control.stop("immediate")
    assert run_cli("status", "--data-dir", postgres_control.home.path).returncode == 3
    assert run_cli("up", "--data-dir", postgres_control.home.path).returncode == 0
    assert count_of(postgres_control.target, "kept") == 1000


def test_down_ends_no_process_that_is_not_the_server(postgres_control, monkeypatch):
    """As where the server runs in another container, whose process ids mean something else here."""
    monkeypatch.setattr("crossbridge.database.server.ORPHANS_TIMEOUT_S", 0.3)
    left_over = postgres_control.home.cluster / "postmaster.pid"
    true = left_over.read_text()
    with subprocess.Popen(["sleep", "60"]) as other:
        left_over.write_text(f"{other.pid}\n" + true.split("\n", 1)[1])
        with pytest.raises(ServerError, match="cannot be reached from here"):
            EmbeddedServer(postgres_control.home.path).stop()
        assert other.poll() is None
        other.kill()
    left_over.write_text(true)
    assert EmbeddedServer(postgres_control.home.path).stop() is True
