"""Every case of spec/ gives in JavaScript what it gives in Python."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

import crossbridge
from support.node import SDK, NodeProcess, find_node
from support.spec import SPEC, cases, name_of
from support.third_party import node_modules

if TYPE_CHECKING:
    from collections.abc import Iterator

IDENTITY = json.loads((SPEC / "cases" / "identity.json").read_text(encoding="utf-8"))
BOOKKEEPING = {"segment_start", "segment_end", "dropped"}
TABLE = json.loads((SPEC / "settings.json").read_text(encoding="utf-8"))["settings"]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    process = NodeProcess(tmp_path_factory.mktemp("node"))
    yield process
    assert process.end() == 0


def built(pieces: list[dict[str, Any]]) -> str:
    """The text of a case; halves of a pair that stand side by side are the one character."""
    text = "".join(
        "".join(map(chr, piece["code_units"]))
        if "code_units" in piece
        else piece["text"] * piece.get("times", 1)
        for piece in pieces
    )
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


@pytest.mark.parametrize("case", cases("dotenv"), ids=name_of)
def test_dotenv(node, case):
    assert node.call("parse", case["text"]) == case["values"]


@pytest.mark.parametrize("case", IDENTITY["test_id"], ids=lambda case: case["case"])
def test_test_id(node, case):
    assert node.call("testId", case["raw"], case["project_root"]) == case["test_id"]


@pytest.mark.parametrize("case", IDENTITY["endpoint"], ids=lambda case: case["url"])
def test_endpoint(node, case):
    assert node.call("endpoint", case["url"]) == case["endpoint"]


@pytest.mark.parametrize("case", cases("sanitising"), ids=name_of)
def test_text_is_made_storable(node, case):
    # A lone surrogate goes through JSON as an escape, both ways.
    assert node.call("cleanText", built(case["input"]), case["field"]) == built(case["output"])
    assert node.call("cleanText", built(case["output"]), case["field"]) == built(case["output"])


@pytest.mark.parametrize("case", cases("run_info"), ids=name_of)
def test_run_info(node, tmp_path, case):
    for name, content in case["files"].items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode())
    root = tmp_path / case["project_root"]
    root.mkdir(parents=True, exist_ok=True)
    assert node.call("runInfo", case["environment"], str(root)) == case["expected"]


@pytest.mark.parametrize("case", [case for case in cases("settings") if "yaml" not in case], ids=name_of)
def test_settings(node, tmp_path, case):
    if case.get("dotenv") is not None:
        (tmp_path / ".env").write_text(case["dotenv"], encoding="utf-8")
    found = node.call("loadSettings", case["environment"], str(tmp_path))
    if "error" in case:
        assert "\n" not in found["error"]
        assert all(part in found["error"] for part in case["error"])
        assert not any(secret in found["error"] for secret in case.get("error_hides", []))
        return
    if "enabled" in case:
        assert found["enabled"] is case["enabled"]
    assert {name: found["values"][name] for name in case.get("settings", {})} == case.get("settings", {})


def test_the_table_names_the_same_settings(node):
    assert node.call("settingsNames") == [row["name"] for row in TABLE]


@pytest.mark.parametrize("row", [row for row in TABLE if "min" in row], ids=lambda row: row["name"])
def test_the_bounds_of_a_number_are_those_of_the_table(node, tmp_path, row):
    def load(value):
        return node.call("loadSettings", {row["name"]: str(value)}, str(tmp_path))

    assert load(row["min"])["values"][row["name"]] == row["min"]
    assert load(row["max"])["values"][row["name"]] == row["max"]
    assert "error" in load(row["min"] - 1 if row["min"] >= 1 else row["min"] - 0.001)
    assert "error" in load(row["max"] + 1)


@pytest.mark.parametrize(
    "row",
    [row for row in TABLE if isinstance(row["default"], int | float | dict)],
    ids=lambda row: row["name"],
)
def test_a_default_is_that_of_the_table(node, tmp_path, row):
    assert node.call("loadSettings", {}, str(tmp_path))["values"][row["name"]] == row["default"]


@pytest.mark.parametrize("mark", [".env", "crossbridge.yml", ".crossbridge", ".git"])
def test_the_project_root_is_the_nearest_marked_folder(node, tmp_path, mark):
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / mark).touch()
    assert node.call("findProjectRoot", str(below)) == str(tmp_path)
    (tmp_path / "a" / mark).mkdir()
    assert node.call("findProjectRoot", str(below)) == str(tmp_path / "a")


def sample_events() -> list[str]:
    """The lines of events as this release writes them."""
    paths = [path for path in (SPEC / "samples").glob("*.jsonl") if path.stem != "of_a_later_release"]
    lines = [line for path in sorted(paths) for line in path.read_text(encoding="utf-8").split("\n")]
    whole = [line for line in lines if line.startswith('{"type":"') and line.endswith("}")]
    return list(dict.fromkeys(line for line in whole if json.loads(line)["type"] not in BOOKKEEPING))


def test_an_event_is_the_same_line_as_in_the_samples(node):
    lines = sample_events()
    assert len(lines) > 20
    for line in lines:
        written = line.replace(".0}", "}")  # JavaScript knows no 80.0
        assert node.call("encode", json.loads(line)) == written + "\n"


def test_a_number_that_is_not_finite_becomes_null(node):
    line = node.call("encode", {"type": "system_metric", "cpu_percent": "NaN", "memory_mb": 0.5})
    assert (json.loads(line)["cpu_percent"], json.loads(line)["memory_mb"]) == (None, 0.5)


def test_the_version_is_that_of_the_package(node):
    package = json.loads((SPEC.parent / "sdk" / "js" / "package.json").read_text())
    assert node.call("version") == package["version"] == crossbridge.__version__
    assert "dependencies" not in package


def test_the_types_hold():
    find_node()
    packages = node_modules("typescript@7.0.2", "@types/node@26.6.6")
    command = [str(packages / ".bin" / "tsc"), "-p", str(SDK), "--typeRoots", str(packages / "@types")]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout) == (0, "")
