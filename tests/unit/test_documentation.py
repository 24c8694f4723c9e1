"""What docs/profiling says of settings, documents and checks is what there is."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs" / "profiling"


@pytest.fixture(scope="module")
def generate():
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_settings_are_those_of_the_contract(generate):
    text = generate.README.read_text(encoding="utf-8")
    assert text == generate.readme(text), "run: python docs/profiling/generate.py"
    assert text.count("| `CROSSBRIDGE_") == text.count("\n| `CROSSBRIDGE_") > 15


def test_the_json_documents_are_those_the_commands_print(generate):
    text = generate.REFERENCE.read_text(encoding="utf-8")
    assert text == generate.reference(), "run: python docs/profiling/generate.py"


def test_the_checks_named_for_trouble_are_those_of_doctor():
    sources = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "src/crossbridge/cli/diagnosis").glob("*.py")
    )
    known = set(re.findall(r'_check\(\s*"([a-z ]+)"', sources)) | {"settings", "pytest plugin"}
    table = (DOCS / "README.md").read_text(encoding="utf-8").split("## Troubleshooting")[1]
    named = set(re.findall(r"`([a-z ]+)`", table)) - {"crossbridge doctor"}
    assert named == known


def test_every_framework_with_expected_rows_is_in_the_table():
    table = (DOCS / "FRAMEWORK_INTEGRATION.md").read_text(encoding="utf-8").partition("\n## ")[0]
    linked = set(re.findall(r"\(../../examples/([\w-]+)/README.md\)", table))
    files = (ROOT / "spec" / "conformance" / "expected").glob("*.json")
    assert linked == {json.loads(file.read_text(encoding="utf-8"))["example"] for file in files}
    for name in linked:
        assert (ROOT / "examples" / name / "README.md").is_file()
