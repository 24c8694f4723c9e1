"""The Java SDK does with the contract's cases what the Python one does. One JVM answers all of them."""

from __future__ import annotations

import json

import pytest

from support.java import answers
from support.spec import SPEC, cases

IDENTITY = json.loads((SPEC / "cases" / "identity.json").read_text(encoding="utf-8"))
SETTINGS = [case for case in cases("settings") if "yaml" not in case]  # crossbridge.yml is for Python only


def built(pieces):
    return "".join(
        "".join(map(chr, piece["code_units"]))
        if "code_units" in piece
        else piece["text"] * piece.get("times", 1)
        for piece in pieces
    )


def asked(tmp_path):
    """Every case: its name, what is asked, and what the answer must be."""
    for case in IDENTITY["test_id"]:
        yield case["case"], ("test_id", case["raw"], case["project_root"]), case["test_id"]
    for case in IDENTITY["endpoint"]:
        yield case["url"], ("endpoint", case["url"]), case["endpoint"]
    for case in cases("sanitising"):
        word = "message" if case["field"] in {"error_message", "error"} else "name"
        yield case["name"], (word, built(case["input"])), built(case["output"])
    for case in cases("dotenv"):
        yield case["name"], ("dotenv", case["text"]), {"values": case["values"]}
    for number, case in enumerate(SETTINGS):
        root = tmp_path / str(number)
        root.mkdir()
        if "dotenv" in case:
            (root / ".env").write_text(case["dotenv"], encoding="utf-8")
        pairs = (text for pair in case["environment"].items() for text in pair)
        yield case["name"], ("settings", str(root), *pairs), case
    for number, case in enumerate(cases("run_info")):
        folder = tmp_path / f"git{number}"
        for name, content in case["files"].items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content.encode())
        root = folder / case["project_root"]
        root.mkdir(parents=True, exist_ok=True)
        pairs = (text for pair in case["environment"].items() for text in pair)
        yield case["name"], ("run_info", str(root), *pairs), {"run_info": case["expected"]}


def is_right(answer, wanted):
    if isinstance(wanted, str):
        return answer == wanted
    found = json.loads(answer)
    if "values" in wanted:
        return found == wanted
    if "run_info" in wanted:
        return found == wanted["run_info"]
    if "error" in wanted or "error" in found:
        message = found.get("error", "")
        return (
            "error" in wanted
            and "\n" not in message
            and all(part in message for part in wanted["error"])
            and not any(secret in message for secret in wanted.get("error_hides", []))
        )
    return wanted.get("enabled", found["enabled"]) == found["enabled"] and all(
        found[name] == value for name, value in wanted.get("settings", {}).items()
    )


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    all_cases = list(asked(tmp_path_factory.mktemp("java")))
    return list(zip(all_cases, answers([case[1] for case in all_cases]), strict=True))


@pytest.mark.parametrize("word", ["test_id", "endpoint", "name", "message", "dotenv", "settings", "run_info"])
def test_java_answers_as_python_does(answered, word):
    of_word = [(name, wanted, got) for (name, asked, wanted), got in answered if asked[0] == word]
    assert of_word
    assert [(name, got) for name, wanted, got in of_word if not is_right(got, wanted)] == []
