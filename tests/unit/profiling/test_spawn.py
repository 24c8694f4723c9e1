"""How the shipper is started, with a program in its place that tells how it finds itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import crossbridge
from crossbridge.profiling import spawn
from crossbridge.profiling.models import ProfileConfig, StorageBackendType
from crossbridge.profiling.spawn import shipper_environ, start_shipper
from support.waiting import until

TELL = """
import json, os, sys, time
until = time.monotonic() + 5
while not os.path.exists(os.environ["OUT"] + ".go"):
    assert time.monotonic() < until
told = dict(
    parent=os.getppid(), session=os.getsid(0), environ=dict(os.environ), argv=sys.orig_argv,
    fds=[os.readlink(f"/proc/self/fd/{{n}}") for n in (0, 1, 2)],
)
with open(os.environ["OUT"] + ".draft", "w") as file:
    json.dump(told, file)
os.rename(file.name, os.environ["OUT"])
"""


@pytest.fixture
def config(tmp_path):
    return ProfileConfig(
        enabled=True,
        backend=StorageBackendType.POSTGRES,
        postgres_host="db",
        postgres_password="s3cret",
        project_root=tmp_path,
    )


@pytest.fixture
def started(tmp_path, monkeypatch, config):
    """Start; return what the started program tells."""
    monkeypatch.setattr(spawn, "_PROGRAM", TELL)
    out = tmp_path / "told"

    def start(**environ):
        assert start_shipper(config, {"OUT": str(out), "PATH": os.environ["PATH"], **environ})
        (tmp_path / "told.go").touch()  # whoever starts it goes on meanwhile
        until(out.exists)
        return json.loads(out.read_text())

    return start


def children():
    """Processes, dead ones included, that this one must wait for: fixtures of other tests may have some."""
    return {
        int(pid)
        for task in Path("/proc/self/task").iterdir()
        for pid in (task / "children").read_text().split()
    }


def test_it_is_nobodys_child_and_holds_no_terminal(started):
    before = children()
    told = started()
    assert told["parent"] != os.getpid()
    assert told["session"] != os.getsid(0)
    assert told["fds"] == ["/dev/null"] * 3
    assert children() == before


def test_no_password_stands_in_the_list_of_processes(started):
    told = started()
    assert "s3cret" not in " ".join(told["argv"])
    assert told["environ"]["CROSSBRIDGE_DB_PASSWORD"] == "s3cret"


def test_it_finds_our_package_and_nothing_of_the_working_folder(tmp_path):
    (tmp_path / "json.py").write_text("raise SystemExit('the project has been imported')")
    program = spawn._PROGRAM.format(root=spawn._PACKAGE_ROOT)
    assert program.endswith("import main; main(); os._exit(0)")
    program = program.replace("main(); os._exit(0)", "print(main.__module__, os.nice(0))")
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"crossbridge.profiling.shipper {os.nice(0) + 10}\n"
    assert Path(spawn._PACKAGE_ROOT, "crossbridge").samefile(crossbridge.__path__[0])


def test_it_gets_the_users_environment_without_what_measures_a_test_run(config):
    environ = {
        "HOME": "/home/ann",
        "PGPASSFILE": "/home/ann/pass",
        "PYTHONPATH": "/x",
        "COV_CORE_SOURCE": "x",
        "COVERAGE_PROCESS_START": "x",
        "PYTHONWARNINGS": "error",
        "PYTHONDEVMODE": "1",
        "PYTEST_CURRENT_TEST": "x",
        "CROSSBRIDGE_FLUSH_INTERVAL": "5",
        "CROSSBRIDGE_STRICT": "1",
    }
    found = shipper_environ(config, environ)
    assert {name: found.pop(name, None) for name in ("HOME", "PGPASSFILE", "PYTHONPATH")} == {
        "HOME": "/home/ann",
        "PGPASSFILE": "/home/ann/pass",
        "PYTHONPATH": "/x",
    }
    assert all(name.startswith("CROSSBRIDGE_") for name in found)
    assert "CROSSBRIDGE_STRICT" not in found
    assert found["CROSSBRIDGE_FLUSH_INTERVAL"] == "1.0"
    assert found["CROSSBRIDGE_DB_HOST"] == "db"
    assert found["CROSSBRIDGE_SPOOL_DIR"] == str(config.spool_path)
    assert found["CROSSBRIDGE_PROJECT_ROOT"] == str(config.project_root)


def test_a_user_who_reaps_all_children_is_no_hindrance(started):
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children reap themselves
    try:
        assert started()["parent"] != os.getpid()
    finally:
        signal.signal(signal.SIGCHLD, before)


def refuse(error):
    def call(*_args, **_kwargs):
        raise error

    return call


@pytest.mark.parametrize(
    "error", [FileNotFoundError(2, "no shell"), NotImplementedError(), ValueError("embedded null byte")]
)
def test_what_cannot_be_started_is_told_by_false(config, monkeypatch, error):
    monkeypatch.setattr(spawn.Real, "posix_spawn", refuse(error))
    assert not start_shipper(config, {})


def test_a_time_out_of_the_users_goes_on(config, monkeypatch):
    monkeypatch.setattr(spawn.Real, "posix_spawn", refuse(TimeoutError()))
    with pytest.raises(TimeoutError):
        start_shipper(config, {})


def test_without_an_interpreter_or_a_way_to_start_one_none_is_started(config, monkeypatch):
    monkeypatch.setattr(spawn, "_PYTHON", "")
    assert not start_shipper(config, {})
    monkeypatch.setattr(spawn, "_PYTHON", sys.executable)
    monkeypatch.setattr(spawn.Real, "posix_spawn", None)
    assert not start_shipper(config, {})
