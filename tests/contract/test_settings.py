"""Settings: the table of spec/settings.json, and how they are found and read (spec/cases/settings.json)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crossbridge.errors import ConfigError
from crossbridge.profiling.config import SETTINGS, check, load, to_environ
from crossbridge.profiling.models import ProfileConfig
from support.spec import SPEC, cases, name_of

DOCUMENT = json.loads((SPEC / "settings.json").read_text(encoding="utf-8"))
TABLE = DOCUMENT["settings"]
OURS = {setting.name: setting for setting in SETTINGS}


def written(value):
    """A setting's value as the cases write it."""
    if isinstance(value, Path):
        return str(value)
    return getattr(value, "value", value)


@pytest.mark.parametrize("case", cases("settings"), ids=name_of)
def test_settings(tmp_path, case):
    for name, text in ((".env", case.get("dotenv")), ("crossbridge.yml", case.get("yaml"))):
        if text is not None:
            (tmp_path / name).write_text(text, encoding="utf-8")
    if "error" in case:
        with pytest.raises(ConfigError) as raised:
            load(case["environment"], tmp_path)
        message = str(raised.value)
        assert "\n" not in message
        assert all(part in message for part in case["error"])
        assert not any(secret in message for secret in case.get("error_hides", []))
        return
    config = load(case["environment"], tmp_path)
    if "enabled" in case:
        assert config.enabled is case["enabled"]
    found = {name: written(getattr(config, OURS[name].field)) for name in case.get("settings", {})}
    assert found == case.get("settings", {})


# Their default is found out; the table says how in words.
FOUND_OUT = {
    "CROSSBRIDGE_PROFILING_BACKEND",
    "CROSSBRIDGE_RUN_ID",
    "CROSSBRIDGE_ENVIRONMENT",
    "CROSSBRIDGE_APP_VERSION",
    "CROSSBRIDGE_DATA_DIR",
}


def row_id(row: dict) -> str:
    return row["name"]


def test_the_table_names_the_same_settings():
    assert [(row["name"], row["yaml"]) for row in TABLE] == [
        (setting.name, setting.yaml) for setting in SETTINGS
    ]
    assert {setting.field for setting in SETTINGS} == vars(ProfileConfig()).keys() - {"project_root"}


@pytest.mark.parametrize("row", [row for row in TABLE if row["name"] not in FOUND_OUT], ids=row_id)
def test_the_table_says_the_defaults(tmp_path, row):
    default = row["default"]
    if row["type"] == "boolean":
        default = False
    assert written(getattr(load({}, tmp_path), OURS[row["name"]].field)) == default
    assert written(getattr(ProfileConfig(), OURS[row["name"]].field)) == default


@pytest.mark.parametrize("row", [row for row in TABLE if "min" in row], ids=row_id)
def test_the_table_says_the_range(tmp_path, row):
    step = 0.001 if row["type"] == "seconds" else 1
    field = OURS[row["name"]].field
    for edge in (row["min"], row["max"]):
        assert getattr(load({row["name"]: f"{edge}"}, tmp_path), field) == edge
    for outside in (row["min"] - step, row["max"] + step):
        with pytest.raises(ConfigError, match=rf"^{row['name']} must be a .* from {row['min']:g} to \d+"):
            load({row["name"]: f"{outside:.12g}"}, tmp_path)


@pytest.mark.parametrize("row", [row for row in TABLE if "choices" in row], ids=row_id)
def test_the_table_says_the_choices(tmp_path, row):
    for choice in row["choices"]:
        assert written(getattr(load({row["name"]: choice}, tmp_path), OURS[row["name"]].field)) == choice
    with pytest.raises(ConfigError) as raised:
        load({row["name"]: "no such"}, tmp_path)
    assert str(raised.value) == (
        f"{row['name']} must be one of {', '.join(row['choices'])}, got 'no such'. Unset it to use the default."
    )


@pytest.mark.parametrize("words", ["true", "false"])
def test_the_table_says_what_is_true(tmp_path, words):
    for word in DOCUMENT["boolean"][words]:
        assert load({"CROSSBRIDGE_PROFILING": word}, tmp_path).enabled is (words == "true")


@pytest.mark.parametrize("row", [row for row in TABLE if row["yaml"]], ids=row_id)
def test_each_key_of_crossbridge_yml_is_read(tmp_path, row):
    (value,) = {
        "boolean": ["true"], "choice": row.get("choices", [])[-1:], "text": ["some text"], "integer": [row.get("max")],
        "labels": ["a=b"], "seconds": [row.get("max")], "path": ["some/where"], "bytes": [row.get("max")],
    }[row["type"]]  # fmt: skip
    *above, key = row["yaml"].split(".")
    lines = ["profiling:", *(f"  {name}:" for name in above), f"{'  ' * (1 + len(above))}{key}: {value}"]
    (tmp_path / "crossbridge.yml").write_text("\n".join(lines))
    assert load({}, tmp_path) == load({row["name"]: str(value)}, tmp_path)
    assert load({}, tmp_path) != load({"CROSSBRIDGE_PROFILING": ""}, tmp_path / "elsewhere")


def test_what_is_handed_on_is_read_as_it_was(tmp_path):
    environ = {
        "CROSSBRIDGE_PROFILING": "yes", "CROSSBRIDGE_DB_HOST": "db", "CROSSBRIDGE_DB_PASSWORD": " s3 'x\" $#\n",
        "CROSSBRIDGE_LABELS": "a=1,b=", "CROSSBRIDGE_FLUSH_INTERVAL": "0.25", "CROSSBRIDGE_SPOOL_MAX_BYTES": "1MiB",
        "CROSSBRIDGE_RUN_ID": "0190A4BE111170008000" + "0" * 12, "CROSSBRIDGE_DATA_DIR": "/data",
    }  # fmt: skip
    config = load(environ, tmp_path)
    check(config)
    again = load(to_environ(config), tmp_path)
    assert again.spool_path == config.spool_path
    assert to_environ(again) == to_environ(config)
    assert again.postgres_password == " s3 'x\" $#\n"
    assert "s3" not in repr(config)
