"""Spec files that Mocha cannot load: each is an error under its name, and Mocha says what it says without us."""

from __future__ import annotations

import pytest

from support.node import MOCHAS, SDK, run_tool
from support.pytest_runs import ON, Run, read_segments
from support.third_party import node_modules

REGISTER = ("--require", str(SDK / "src" / "mocha" / "register.js"))
# TAP tells no times.
TAP = ("--reporter", "tap")
WORKS = "describe('shop', () => { it('works', () => {}); });\n"
BROKEN = {
    "throws": ("b.spec.js", "throw new TypeError('no butter');", ("TypeError", "no butter")),
    "throws in a helper": ("b.spec.js", "require('../helper.js');", ("RangeError", "no bread")),
    "throws text": ("b.spec.js", "throw 'text';", ("string", "text")),
    "is no JavaScript, and first": ("Broken.spec.js", "it('works' () => {});", ("SyntaxError", None)),
    "imports what is not there": ("b.spec.mjs", "import './nowhere.mjs';", ("Error", None)),
}


@pytest.fixture(params=MOCHAS)
def project(tmp_path, request):
    (tmp_path / "node_modules").symlink_to(node_modules(request.param))
    (tmp_path / ".crossbridge").mkdir()
    (tmp_path / "test").mkdir()
    for name in ("a", "c"):
        (tmp_path / "test" / f"{name}.spec.js").write_text(WORKS)
    (tmp_path / "helper.js").write_text("throw new RangeError('no bread');\n")
    return tmp_path


def mocha(project, *args, strict=True, **settings):
    """Run Mocha, with us where settings are given, and read what was recorded."""
    done = run_tool(project, "mocha", *TAP, *args, strict=strict, **settings)
    segments = read_segments(project / ".crossbridge" / "spool")
    return Run(project, done.returncode, done.stdout, done.stderr, segments)


def told(run):
    return run.returncode, run.stdout, run.stderr


@pytest.mark.parametrize("case", BROKEN)
def test_file_that_does_not_load_is_an_error(project, case):
    name, code, (error_type, message) = BROKEN[case]
    (project / "test" / name).write_text(code + "\n")
    plain = mocha(project)
    run = mocha(project, *REGISTER, **ON)
    assert told(run) == told(plain)
    assert plain.returncode == 1
    # Mocha runs none of the files then.
    assert run.statuses == {f"test/{name}": "error"}
    (end,) = run.ends
    assert (end["suite"], end["file"]) == (f"test/{name}", f"test/{name}")
    assert end["error_type"] == error_type
    assert message is None or end["error_message"] == message
    assert run.status == "failed"


def test_stack_of_what_mocha_forbids_has_no_line_of_ours(project):
    (project / "test" / "a.spec.js").write_text("describe.only('shop', () => {});\n")
    plain = mocha(project, "--forbid-only")
    run = mocha(project, "--forbid-only", *REGISTER, **ON)
    assert "forbidden by --forbid-only" in plain.stderr
    assert told(run) == told(plain)
    assert run.statuses == {"test/a.spec.js": "error"}


def test_files_that_do_not_load_stand_beside_the_tests_of_parallel_workers(project):
    for name in ("b", "d"):
        (project / "test" / f"{name}.spec.js").write_text("throw new TypeError('no butter');\n")
    ways = ("--parallel", "--jobs", "2")
    plain = mocha(project, *ways)
    run = mocha(project, *ways, *REGISTER, **ON)
    assert (run.returncode, run.stderr) == (plain.returncode, plain.stderr)
    assert sorted(run.stdout.splitlines()) == sorted(plain.stdout.splitlines())  # whichever file comes first
    assert run.statuses == {
        "test/a.spec.js › shop › works": "passed",
        "test/b.spec.js": "error",
        "test/c.spec.js › shop › works": "passed",
        "test/d.spec.js": "error",
    }
    assert run.status == "failed"


def test_file_whose_parallel_worker_dies_is_an_error(project):
    (project / "test" / "b.spec.js").write_text("it('dies', () => process.exit(3));\n")
    run = mocha(project, "--parallel", "--jobs", "2", *REGISTER, **ON)
    assert run.returncode == 1
    assert run.end_of("b.spec.js")["status"] == "error"
    assert run.end_of("b.spec.js")["error_message"].startswith("Workerpool Worker terminated Unexpectedly")
    assert run.status == "failed"


def test_switched_off_a_file_that_does_not_load_is_not_recorded(project):
    (project / "test" / "b.spec.js").write_text("throw new TypeError('no butter');\n")
    plain = mocha(project)
    run = mocha(project, *REGISTER)
    assert told(run) == told(plain)
    assert run.segments == []


def test_a_spool_that_cannot_be_made_leaves_a_load_error_as_it_is(project):
    (project / "test" / "b.spec.js").write_text("throw new TypeError('no butter');\n")
    run = mocha(project, *REGISTER, strict=False, **ON, CROSSBRIDGE_SPOOL_DIR="/proc/crossbridge")
    assert told(run) == told(mocha(project))
