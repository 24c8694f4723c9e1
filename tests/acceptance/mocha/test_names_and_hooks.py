"""Tests of one name, what `--forbid-pending` and `--fail-hook-affected-tests` fail, and hooks behind a test: each test is one row."""

from __future__ import annotations

import pytest

from support.node import MOCHAS, SDK, run_tool
from support.segments import read_spool
from support.third_party import node_modules

REGISTER = ("--require", str(SDK / "src" / "mocha" / "register.js"))
TWINS = """
describe('shop', () => {
  it('opens', () => {});
  it.skip('opens', () => {});
  it('closes', () => { throw new Error('locked'); });
  it('closes');
});
"""
BEFORE_ALL = """
describe('shop', () => {
  it('opens', () => {});
  describe('cart', () => {
    before(() => { throw new Error('no cart'); });
    it('adds', () => {});
    it('removes', () => {});
  });
});
"""
BEFORE_EACH = """
describe('shop', () => {
  beforeEach(() => { throw new Error('no shop'); });
  it('opens', () => {});
  it('closes', () => {});
});
"""
HOOKS_AROUND = """
describe('shop', () => {
  beforeEach(() => { throw new Error('no shop'); });
  afterEach(() => { throw new Error('nothing to close'); });
  it('opens', () => {});
  it('closes', () => {});
});
"""
PARALLEL = pytest.mark.parametrize("ways", [(), ("--parallel",)])
# The option is one of version 12.
SINCE_12 = pytest.mark.parametrize("project", MOCHAS[:1], indirect=True)


@pytest.fixture(params=MOCHAS)
def project(tmp_path, request):
    (tmp_path / "node_modules").symlink_to(node_modules(request.param))
    (tmp_path / ".crossbridge").mkdir()
    (tmp_path / "test").mkdir()
    return tmp_path


def rows(project, code, *ways):
    """What is recorded of one file, as Mocha has it: name and status."""
    (project / "test" / "shop.js").write_text(code)
    plain = run_tool(project, "mocha", *ways, "--reporter", "tap")
    ours = run_tool(project, "mocha", *ways, *REGISTER, "--reporter", "tap", CROSSBRIDGE_PROFILING="1")
    assert (ours.returncode, ours.stdout, ours.stderr) == (plain.returncode, plain.stdout, plain.stderr)
    ends = [event for event in read_spool(project / ".crossbridge" / "spool") if event["type"] == "test_end"]
    return {event["test_id"].removeprefix("test/shop.js › shop › "): event["status"] for event in ends}


@PARALLEL
def test_a_skipped_test_leaves_its_namesake_before_it_alone(project, ways):
    assert rows(project, TWINS, *ways) == {
        "opens": "passed", "opens [2]": "skipped", "closes": "failed", "closes [2]": "skipped",
    }  # fmt: skip


@PARALLEL
def test_forbidden_pending_tests_are_failed(project, ways):
    assert rows(project, TWINS, *ways, "--forbid-pending") == {
        "opens": "passed", "opens [2]": "failed", "closes": "failed", "closes [2]": "failed",
    }  # fmt: skip


@PARALLEL
def test_a_broken_suite_within_leaves_the_test_before_it_alone(project, ways):
    assert rows(project, BEFORE_ALL, *ways) == {"opens": "passed", "cart › adds": "error"}


@PARALLEL
def test_hooks_that_both_break_around_a_test_are_its_row(project, ways):
    assert rows(project, HOOKS_AROUND, *ways) == {"opens": "error"}


@SINCE_12
@PARALLEL
def test_tests_that_fail_with_their_hook_are_one_row(project, ways):
    fail = (*ways, "--fail-hook-affected-tests")
    assert rows(project, BEFORE_ALL, *fail) == {
        "opens": "passed", "cart › adds": "error", "cart › removes": "failed",
    }  # fmt: skip


@SINCE_12
@PARALLEL
def test_tests_that_fail_with_the_hook_of_the_one_before_are_one_row(project, ways):
    fail = (*ways, "--fail-hook-affected-tests")
    assert rows(project, BEFORE_EACH, *fail) == {"opens": "error", "closes": "failed"}
