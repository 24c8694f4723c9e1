"""PostgreSQL refuses root; for root it runs as a user that owns nothing else, and no folder is opened up for it."""

import json
import os
import pwd
import stat
from pathlib import Path

import psycopg
import pytest

from crossbridge.database.embedded import binaries
from crossbridge.database.embedded.account import Account
from crossbridge.database.server import EmbeddedServer
from support.cli import as_user, run_cli
from support.processes import postmasters, read_quietly

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def owner(pid):
    return Path(f"/proc/{pid}").stat().st_uid


def modes(path):
    return {folder: stat.S_IMODE(folder.stat().st_mode) for folder in (path, *path.parents)}


@as_root
def test_for_root_the_server_runs_as_somebody_else(data_dir):
    before = modes(data_dir.parent)
    assert run_cli("up", "--data-dir", data_dir, extra_groups=[0, 4]).returncode == 0
    [pid] = postmasters(data_dir)
    account = Account.for_cluster(data_dir / "cluster")
    assert account.name in ("postgres", "nobody")
    assert owner(pid) == account.uid != 0
    assert (data_dir / "cluster").stat().st_uid == account.uid
    assert (data_dir / "password").stat().st_uid == 0
    assert (modes(data_dir.parent), data_dir.stat().st_uid) == (before, 0)
    groups = read_quietly(pid, "status").split("Groups:")[1].splitlines()[0].split()
    assert groups == []


@as_root
@pytest.mark.parametrize("account", [pytest.param("nobody", id="where there is no postgres")])
def test_for_root_nobody_will_do(account, data_dir, monkeypatch):
    monkeypatch.setattr("crossbridge.database.embedded.account.SERVICE_ACCOUNTS", (account,))
    EmbeddedServer(data_dir).start()
    [pid] = postmasters(data_dir)
    assert owner(pid) == pwd.getpwnam(account).pw_uid
    monkeypatch.undo()
    # The files decide from now on, not who else has come to exist.
    EmbeddedServer(data_dir).stop()
    EmbeddedServer(data_dir).start()
    assert owner(postmasters(data_dir)[0]) == pwd.getpwnam(account).pw_uid


@as_root
def test_a_strict_umask_of_root_shuts_nobody_out(scratch):
    data_dir = scratch / "umask" / "below" / "data"
    done = run_cli("up", "--json", "--data-dir", data_dir, umask=0o077)
    assert done.returncode == 0, done.stderr
    EmbeddedServer(data_dir).stop()


@as_root
def test_an_ordinary_user_runs_the_server_as_oneself(data_dir):
    nobody = pwd.getpwnam("nobody")
    place = data_dir.with_name(data_dir.name + "-nobody")
    place.mkdir()
    os.chown(place, nobody.pw_uid, nobody.pw_gid)
    folder = place / "data"
    up = run_cli("up", "--json", "--data-dir", folder, **as_user("nobody"))
    assert up.returncode == 0, up.stderr
    found = json.loads(up.stdout)
    assert owner(found["pid"]) == nobody.pw_uid
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    password = run_cli("status", "--show-password", "--data-dir", folder, **as_user("nobody")).stdout.strip()
    with psycopg.connect(found["url"], password=password) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert run_cli("down", "--data-dir", folder, **as_user("nobody")).returncode == 0
    assert not postmasters(folder)


@as_root
def test_programs_out_of_the_servers_reach_are_copied_once(data_dir, tmp_path, monkeypatch):
    """As in a virtual environment below /root, which is closed to everybody else."""
    original = binaries.find_binaries(None)
    tmp_path.chmod(0o700)
    for folder in (original.folder.parents[1], Path(f"{original.folder.parents[1]}.libs")):
        (tmp_path / folder.name).symlink_to(folder)
    monkeypatch.syspath_prepend(tmp_path)
    before = modes(tmp_path)

    EmbeddedServer(data_dir).start()
    [pid] = postmasters(data_dir)
    running = Path(f"/proc/{pid}/exe").readlink()
    assert running.is_relative_to(data_dir / "binaries")
    assert modes(tmp_path) == before
    copied = running.stat().st_ino
    EmbeddedServer(data_dir).stop()
    EmbeddedServer(data_dir).start()
    assert running.stat().st_ino == copied
    assert owner(running.parent.name and postmasters(data_dir)[0]) != 0
    assert running.stat().st_uid == 0
