"""For conftest.py and environment.py as people write them: init leaves every statement alone, remove every byte."""

from __future__ import annotations

import ast
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossbridge.orchestration.config_generator import plan_init, plan_remove
from crossbridge.orchestration.files import apply
from support.projects import BEHAVE, PYTEST, make, tree

STATEMENTS = (
    "import os, sys",
    "import sys as system",
    "import pytest",
    "from pytest import fixture",
    "import pytest as pt",
    "import json; VALUE = {\n    'a': 1,\n\n}",
    "@__import__('pytest').fixture\ndef cart():\n    yield []",
    "def before_all(context):\n\tcontext.n = 1\n\n\tcontext.m = 2",
    "def after_scenario(context, scenario):\n    crossbridge_profiling = 1",
    "class Hooks:\n    sys = None\n\n    def method(self): pass",
    "TEXT = '''one\n# <<< not ours\n\n\n'''",
    "if True:\n    A = 1\nelse:\n    A = 2",
    "try:\n    import nothing\nexcept ImportError:\n    nothing = None",
    "x = 1 + \\\n    2",
    "# größe, written as a comment",
    "NAME = 'größe'",
    "\f",
    "async def later():\n    async with a as b: pass",
    "def pytest_configure(config): ...",
    "install = error = None",
)


@st.composite
def sources(draw):
    """A module in one of the encodings, line ends and manners of ending that editors leave behind."""
    encoding = draw(st.sampled_from(("utf-8", "utf-8-sig", "latin-1", "cp1252")))
    lines = draw(st.sampled_from(([], ["#!/usr/bin/env python3"])))
    if encoding in ("latin-1", "cp1252") or draw(st.booleans()):
        cookie = "utf-8" if encoding == "utf-8-sig" else encoding
        lines = [*lines, f"# -*- coding: {cookie} -*-"]
    lines += draw(st.sampled_from(([], ['"""Docstring."""'], ['"""Doc\n\nstring.\n"""'])))
    lines += draw(st.sampled_from(([], ["from __future__ import annotations"])))
    for statement in draw(st.lists(st.sampled_from(STATEMENTS), max_size=6)):
        lines = [*lines, *[""] * draw(st.integers(0, 3)), statement]
    text = "\n".join(lines) + draw(
        st.sampled_from(("", "\n", "\n\n", "\n   \n", "\n# end", "\n\t", "\n\\\n"))
    )
    newline = draw(st.sampled_from(("\n", "\r\n", "\r")))
    return text.replace("\n", newline).encode(encoding)


def statements(source):
    return [ast.dump(node, include_attributes=True) for node in ast.parse(source).body]


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@pytest.mark.parametrize(
    ("project", "name"), [(PYTEST, "tests/conftest.py"), (BEHAVE, "features/environment.py")]
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(source=sources())
def test_init_leaves_every_statement_and_remove_every_byte(project, name, source):
    try:
        before = statements(source)
    except SyntaxError:
        return  # refused; see test_init_refusals.py
    with tempfile.TemporaryDirectory() as folder:
        root = make(Path(folder), project | {name: source})
        at_first = tree(root)
        plan = plan_init(root, force=True)
        assert plan.refusals == []
        apply(plan.changes)
        merged = (root / name).read_bytes()
        assert merged.startswith(source)
        assert statements(merged)[: len(before)] == before
        assert len(statements(merged)) > len(before)
        assert plan_init(root, force=True).changes == []
        taken_out = plan_remove(root)
        assert taken_out.refusals == []
        apply(taken_out.changes)
        assert tree(root) == at_first


def test_names_used_before_init_are_no_reason_to_keep_an_import(tmp_path):
    # What they mean is bound where no syntax tree shows it, or inside a function.
    source = b"def f():\n    import pytest\n    return pytest\n\n\ndef g():\n    return pytest\n"
    make(tmp_path, PYTEST | {"tests/conftest.py": source})
    apply(plan_init(tmp_path).changes)
    apply(plan_remove(tmp_path).changes)
    assert (tmp_path / "tests/conftest.py").read_bytes() == source


def test_lines_behind_ours_are_read_in_the_encoding_of_the_file(tmp_path):
    source, behind = (
        "# coding: latin-1\nA = 'größe'\n".encode("latin-1"),
        "B = 'größe', pytest\n".encode("latin-1"),
    )
    make(tmp_path, PYTEST | {"tests/conftest.py": source})
    apply(plan_init(tmp_path).changes)
    conftest = tmp_path / "tests/conftest.py"
    conftest.write_bytes(conftest.read_bytes() + behind)
    plan = plan_remove(tmp_path)
    assert plan.refusals == []
    apply(plan.changes)
    assert conftest.read_bytes() == source + b"import pytest\n" + behind


@given(source=st.binary(max_size=40).filter(lambda source: b"crossbridge init" not in source))
@settings(max_examples=25, deadline=None)
def test_whatever_stands_in_the_text_files_comes_back(source):
    with tempfile.TemporaryDirectory() as folder:
        root = make(Path(folder), PYTEST | {".gitignore": source, ".env": source, ".env.example": source})
        at_first = tree(root)
        apply(plan_init(root).changes)
        assert plan_init(root).changes == []
        assert b".crossbridge/" in (root / ".gitignore").read_bytes()
        apply(plan_remove(root).changes)
        assert tree(root) == at_first
