"""What `up`, `down` and `status` print, and the exit codes scripts rely on."""

import json
import os
import re
import shlex

import psycopg
import pytest

from support.cli import run_cli


def test_up_prints_every_field_of_grafanas_data_source(data_dir):
    done = run_cli("up", "--data-dir", data_dir)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(run_cli("status", "--json", "--data-dir", data_dir).stdout)
    rows = dict(re.split(r"  +", line.strip(), maxsplit=1) for line in done.stdout.splitlines()[1:] if line)
    assert rows["host"] == f"127.0.0.1:{found['port']}"
    assert (rows["database"], rows["user"], rows["TLS mode"]) == ("crossbridge", "crossbridge", "disable")
    assert rows["password"] == f"in {found['password_file']}"
    password = run_cli(*shlex.split(rows["show the password"])[1:]).stdout.strip()
    assert rows["stop the server"] == f"crossbridge down --data-dir {data_dir}"
    with psycopg.connect(
        host="127.0.0.1",
        port=found["port"],
        dbname=rows["database"],
        user=rows["user"],
        password=password,
        sslmode="disable",
    ) as connection:
        assert connection.execute("SHOW server_version").fetchone() == (found["version"],)


def test_exit_codes_tell_whether_the_server_runs(data_dir):
    steps = [
        ("status", 3, "○ PostgreSQL is not running. Start it with: crossbridge up"),
        ("down", 0, "○ PostgreSQL was not running."),
        ("up", 0, "● PostgreSQL "),
        ("status", 0, "● PostgreSQL "),
        ("down", 0, f"○ PostgreSQL has stopped. Its data stays in {data_dir}"),
        ("status", 3, "○ PostgreSQL is not running. Start it with: crossbridge up"),
    ]
    for verb, code, opening in steps:
        done = run_cli(verb, "--data-dir", data_dir)
        assert (done.returncode, done.stderr) == (code, ""), verb
        assert done.stdout.startswith(opening), verb


def test_json_is_the_same_for_up_and_status(data_dir):
    up = json.loads(run_cli("up", "--json", "--data-dir", data_dir).stdout)
    status = json.loads(run_cli("status", "--json", "--data-dir", data_dir).stdout)
    assert status | {"data_bytes": 0} == up | {"data_bytes": 0}
    assert set(up) == {
        "running", "host", "port", "database", "user", "sslmode", "url", "version", "pid",
        "password_file", "data_dir", "data_bytes", "log",
    }  # fmt: skip
    down = json.loads(run_cli("down", "--json", "--data-dir", data_dir).stdout)
    assert (down["stopped"], down["running"]) == (True, False)
    assert json.loads(run_cli("down", "--json", "--data-dir", data_dir).stdout)["stopped"] is False


def test_the_folder_can_be_set_for_good(data_dir, monkeypatch):
    monkeypatch.setenv("CROSSBRIDGE_DATA_DIR", str(data_dir))
    assert run_cli("up").returncode == 0
    assert json.loads(run_cli("status", "--json").stdout)["data_dir"] == str(data_dir)
    done = run_cli("down")
    assert "--data-dir" not in done.stdout
    assert done.returncode == 0


def test_a_folder_relative_to_the_project_is_found_from_below_it(data_dir, tmp_path, monkeypatch):
    monkeypatch.delenv("CROSSBRIDGE_DATA_DIR")
    (tmp_path / ".env").write_text("CROSSBRIDGE_DATA_DIR=pg\n")
    (tmp_path / "below").mkdir()
    found = json.loads(run_cli("status", "--json", cwd=tmp_path / "below").stdout)
    assert found["data_dir"] == str(tmp_path / "pg")


@pytest.mark.parametrize("verb", ["up", "down", "status"])
def test_help_has_an_example(verb):
    done = run_cli(verb, "--help")
    assert done.returncode == 0
    assert f"  crossbridge {verb}" in done.stdout.split("Examples:")[1]


def test_a_terminal_without_unicode_gets_its_answer_too(data_dir):
    done = run_cli("status", "--data-dir", data_dir, env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 3
    assert "PostgreSQL is not running" in done.stdout
