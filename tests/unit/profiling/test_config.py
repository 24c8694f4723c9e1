from __future__ import annotations

import os
from pathlib import Path

import pytest

from crossbridge.errors import ConfigError
from crossbridge.profiling.config import check, load, settings_texts
from crossbridge.profiling.models import ProfileConfig, StorageBackendType
from support.children import run_in_child


def test_a_file_that_cannot_be_read_is_an_error_in_one_line(tmp_path):
    (tmp_path / ".env").write_bytes(b"A=\xff\n")
    with pytest.raises(ConfigError, match=r"^\.env cannot be read \(.*\)\. Mend or remove it\.$"):
        load({}, tmp_path)


@pytest.mark.parametrize("name", [".env", "crossbridge.yml"])
def test_a_folder_of_that_name_is_no_file_of_settings(tmp_path, name):
    (tmp_path / name).mkdir()
    assert not load({}, tmp_path).enabled


def test_a_byte_order_mark_does_no_harm(tmp_path):
    (tmp_path / ".env").write_bytes("\ufeffCROSSBRIDGE_PROFILING=on\n".encode())
    (tmp_path / "crossbridge.yml").write_bytes("\ufeffprofiling:\n  environment: x\n".encode())
    config = load({}, tmp_path)
    assert (config.enabled, config.environment) == (True, "x")


def test_a_place_is_told_with_each_text(tmp_path):
    (tmp_path / ".env").write_text("CROSSBRIDGE_DB_HOST=b\n")
    (tmp_path / "crossbridge.yml").write_text("profiling:\n  database:\n    name: c\n")
    assert settings_texts({"CROSSBRIDGE_DB_USER": "a"}, tmp_path) == {
        "CROSSBRIDGE_DB_USER": ("a", "environment"),
        "CROSSBRIDGE_DB_HOST": ("b", ".env"),
        "CROSSBRIDGE_DB_NAME": ("c", "crossbridge.yml"),
    }


def test_a_relative_spool_begins_at_the_project_root_and_a_home_is_known(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")
    assert load({"CROSSBRIDGE_SPOOL_DIR": "x/y"}, tmp_path).spool_path == tmp_path / "x/y"
    assert load({"CROSSBRIDGE_SPOOL_DIR": "/x"}, tmp_path).spool_path == Path("/x")
    assert load({"CROSSBRIDGE_SPOOL_DIR": "~/x"}, tmp_path).spool_path == Path("/home/ann/x")


def test_a_working_folder_that_is_gone_is_told_as_such(tmp_path):
    run_in_child(
        """
        from crossbridge.errors import ConfigError
        from crossbridge.profiling.config import load
        os.mkdir(spool / "gone")
        os.chdir(spool / "gone")
        os.rmdir(spool / "gone")
        try:
            load()
        except ConfigError as error:
            assert str(error).startswith("the working folder is not there ("), error
        else:
            raise SystemExit("no error")
        """,
        tmp_path,
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to become somebody else")
def test_a_project_that_may_not_be_entered_is_told_as_such(tmp_path):
    run_in_child(
        """
        from crossbridge.errors import ConfigError
        from crossbridge.profiling.config import load
        project = spool / "closed" / "project"
        os.makedirs(project)
        os.chdir(project)
        os.chmod(spool / "closed", 0)
        os.setresuid(65534, 65534, 65534)
        try:
            load({})
        except ConfigError as error:
            assert str(error).startswith(".env cannot be read ("), error
        else:
            raise SystemExit("no error")
        """,
        tmp_path,
    )


def test_plain_strings_do_for_what_they_stand_for(tmp_path):
    config = ProfileConfig(backend="none", spool_dir="x", project_root=str(tmp_path))  # type: ignore[arg-type]
    assert config.backend is StorageBackendType.NONE
    assert config.spool_path == tmp_path / "x"


def test_a_relative_project_root_is_where_it_was_when_it_was_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = ProfileConfig(project_root=Path("project"))
    monkeypatch.chdir("/")
    assert config.spool_path == tmp_path / "project" / ".crossbridge" / "spool"


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"batch_size": 0}, "CROSSBRIDGE_BATCH_SIZE"),
        ({"postgres_port": "x"}, "CROSSBRIDGE_DB_PORT"),
        ({"flush_interval_s": 61}, "CROSSBRIDGE_FLUSH_INTERVAL"),
        ({"spool_max_bytes": 1}, "CROSSBRIDGE_SPOOL_MAX_BYTES"),
        ({"run_id": "build-42"}, "CROSSBRIDGE_RUN_ID"),
        ({"labels": {"a": "x,y"}}, "CROSSBRIDGE_LABELS"),
        ({"labels": {"a=b": "x"}}, "CROSSBRIDGE_LABELS"),
        ({"postgres_sslmode": "maybe"}, "CROSSBRIDGE_DB_SSLMODE"),
    ],
)
def test_settings_made_in_code_are_checked(changes, name):
    check(ProfileConfig())
    with pytest.raises(ConfigError, match=f"^{name} must be "):
        check(ProfileConfig().replace(**changes))
