"""One more plugin in a properties file as Java reads it, and out to the byte."""

from __future__ import annotations

import pytest

from crossbridge.orchestration import properties
from crossbridge.orchestration.files import apply
from crossbridge.orchestration.plan import Plan
from support.projects import make, tree

KEY, OURS = "cucumber.plugin", "a.B"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("cucumber.plugin=pretty\n", "cucumber.plugin=pretty,a.B\n"),
        (
            "x=1\ncucumber.plugin = pretty, html:a.html  \ny=2",
            "x=1\ncucumber.plugin = pretty, html:a.html,a.B  \ny=2",
        ),
        ("cucumber.plugin:pretty", "cucumber.plugin:pretty,a.B"),
        ("cucumber.plugin pretty\r\nx=1\r\n", "cucumber.plugin pretty,a.B\r\nx=1\r\n"),
        ("cucumber.plugin=pretty,\\\n  json:a\nx=1\n", "cucumber.plugin=pretty,\\\n  json:a,a.B\nx=1\n"),
        ("cucumber.plugin=\n", "cucumber.plugin=a.B\n"),
        ("cucumber.plugin=one\ncucumber.plugin=two\n", "cucumber.plugin=one\ncucumber.plugin=two,a.B\n"),
    ],
)
def test_a_list_that_is_there_grows(tmp_path, before, after):
    path = tmp_path / "cucumber.properties"
    make(tmp_path, {path.name: before.encode()})
    plan = Plan(tmp_path)
    properties.add(plan, path, KEY, OURS, "a test")
    apply(plan.changes)
    assert path.read_bytes() == after.encode()
    _assert_settled_and_removed(tmp_path, path, before)


@pytest.mark.parametrize(
    "before",
    ["", "x=1", "# cucumber.plugin=no\n", "cucumber.plugins=1\n", "x=\\\ncucumber.plugin=no\n", "größe=1\n"],
)
def test_where_there_is_no_list_a_line_comes_behind(tmp_path, before):
    path = tmp_path / "cucumber.properties"
    make(tmp_path, {path.name: before.encode("latin-1")})
    at_first = path.read_bytes()
    plan = Plan(tmp_path)
    properties.add(plan, path, KEY, OURS, "a test")
    apply(plan.changes)
    assert path.read_bytes().startswith(at_first)
    assert b"cucumber.plugin=a.B" in path.read_bytes().splitlines()
    _assert_settled_and_removed(tmp_path, path, at_first)


def test_the_file_comes_and_goes_with_its_folders(tmp_path):
    path = tmp_path / "src" / "test" / "resources" / "cucumber.properties"
    plan = Plan(tmp_path)
    properties.add(plan, path, KEY, OURS, "a test")
    apply(plan.changes)
    assert b"cucumber.plugin=a.B" in path.read_bytes().splitlines()
    plan = Plan(tmp_path)
    properties.take_out(plan, path, KEY, OURS, "a test")
    apply(plan.changes)
    assert tree(tmp_path) == {}


def _assert_settled_and_removed(root, path, before):
    plan = Plan(root)
    properties.add(plan, path, KEY, OURS, "a test")
    assert plan.changes == []
    properties.take_out(plan, path, KEY, OURS, "a test")
    apply(plan.changes)
    assert path.read_bytes() == (before if isinstance(before, bytes) else before.encode())
