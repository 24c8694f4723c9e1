"""A guest in somebody's test run: what that run looks like and does is its own, but for one line."""

from __future__ import annotations

import json
import os
import re
import sys
import time

import pytest

MIXED = """
    import pytest

    def test_passes(): print("to stdout")
    def test_fails(): assert 1 == 2
    @pytest.fixture
    def broken(): raise ValueError("x")
    def test_error(broken): pass
    @pytest.mark.skip(reason="because")
    def test_skipped(): pass
    @pytest.mark.xfail(strict=False)
    def test_xfailed(): assert False
    @pytest.mark.parametrize("v", ["a/b", "é"])
    def test_parameters(v): pass
"""
PEOPLE_SEE = [(), ("-q",), ("-vv",), ("-rA", "--tb=short"), ("-s",), ("--durations=0", "-vv"), ("--no-header", "--no-summary")]  # fmt: skip
EXITS = {
    "passed": ("def test(): pass", (), 0),
    "failed": ("def test(): assert False", (), 1),
    "error": ("def test(no_such_fixture): pass", (), 1),
    "not collected": ("import no_such_module_anywhere", (), 2),
    "interrupted": ("def test(): raise KeyboardInterrupt", (), 2),
    "exited": ("import pytest\ndef test(): pytest.exit('x', returncode=42)", (), 42),
    "internal error": ("import sys\nsys.modules[__name__]", ("-p", "breaks"), 3),
    "wrong use": ("", ("--no-such-option",), 4),
    "wrong path": ("", ("no_such_file.py",), 4),
    "no tests": ("", (), 5),
    "warning": ("import warnings\ndef test(): warnings.warn('x')", ("-W", "error"), 1),
}


def _seen(run):
    """The output without what differs between any two runs, and without our line."""
    lines = [line for line in run.stdout.splitlines() if not line.startswith("crossbridge: ")]
    text = re.sub(r"\d+\.\d+s\b", "TIME", "\n".join(lines))
    return re.sub(r"=+ (.*) =+", r"\1", text)


@pytest.mark.parametrize("arguments", [(), ("--assert=plain",)], ids=str)
def test_modules_are_found_in_the_same_order(project, arguments):
    # While ours are imported, pytest's finder stands aside. Ours has the others find the libraries it watches.
    project.write("test_a.py", "import sys\n\ndef test():\n    print('FINDERS', sys.meta_path)\n")
    off, on = (
        re.sub(
            "0x[0-9a-f]+", "", re.search("FINDERS.*", project.pytest("-s", *arguments, on=is_on).stdout)[0]
        )
        for is_on in (False, True)
    )
    assert on.replace("<crossbridge.integrations._patching.Finder object at >, ", "", 1) == off


@pytest.mark.parametrize("arguments", PEOPLE_SEE, ids=str)
def test_the_output_is_the_same_but_for_one_line(project, arguments):
    project.write("test_mixed.py", MIXED)
    off = project.pytest(*arguments, on=False)
    on = project.pytest(*arguments)
    assert on.line
    assert sorted(_seen(on).splitlines()) == sorted(_seen(off).splitlines())
    if "--durations=0" not in arguments:  # sorted by what was measured
        assert _seen(on) == _seen(off)
    assert (on.returncode, on.stderr) == (off.returncode, off.stderr)


@pytest.mark.parametrize(
    ("case", "workers"),
    [(case, "0") for case in EXITS]
    + [(case, "1") for case in ("failed", "not collected", "exited", "no tests")],
)
def test_the_exit_code_is_pytests(project, case, workers):
    text, arguments, expected = EXITS[case]
    project.write("test_a.py", text)
    project.write("breaks.py", "def pytest_collection_modifyitems(): raise RuntimeError('theirs')")
    environ = {"PYTHONPATH": f"{project.folder}:{os.environ.get('PYTHONPATH', '')}"}
    off = project.pytest("-n", workers, *arguments, on=False, environ=environ)
    on = project.pytest("-n", workers, *arguments, environ=environ)
    assert on.returncode == off.returncode
    if workers == "0":
        assert on.returncode == expected


LOOK = """
    import json, os, sys, threading

    def test_look():
        links = [os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")]
        with open("seen.json", "w") as file:
            json.dump({
                "modules": sorted(sys.modules),
                "threads": [thread.name for thread in threading.enumerate()],
                "tasks": len(os.listdir("/proc/self/task")),
                "sockets": sum("socket:" in link for link in links),
                "children": open("/proc/self/task/%d/children" % os.getpid()).read(),
                "handlers": [str(__import__("signal").getsignal(n)) for n in range(1, 32)],
                "environ": sorted(os.environ),
            }, file)
"""


@pytest.mark.parametrize("backend", ["none", "local", "postgres"])
def test_nothing_is_added_to_the_process_but_ourselves(project, backend):
    project.write("test_look.py", LOOK)
    seen = []
    environ = {"CROSSBRIDGE_PROFILING_BACKEND": backend, "CROSSBRIDGE_DRAIN_TIMEOUT": "0", "CROSSBRIDGE_DB_HOST": "127.0.0.1", "CROSSBRIDGE_DB_PORT": "1"}  # fmt: skip
    for on in (False, True):
        environ["CROSSBRIDGE_PROFILING"] = str(on)
        assert project.pytest("-p", "no:rerunfailures", environ=environ, on=False).returncode == 0
        seen.append(json.loads((project.folder / "seen.json").read_text()))
    off, on = seen
    added = {name.split(".")[0] for name in set(on["modules"]) - set(off["modules"])}
    assert added - set(sys.stdlib_module_names) == {"crossbridge"}
    heavy = {"asyncio", "concurrent", "http", "logging", "multiprocessing", "socket", "sqlite3", "ssl", "subprocess", "urllib"}  # fmt: skip
    assert not added & heavy
    assert on["threads"] == ["MainThread"]
    assert on["tasks"] == 1
    assert on["sockets"] == 0
    assert on["children"] == ""
    assert on["handlers"] == off["handlers"]
    assert on["environ"] == off["environ"]


def test_very_quiet_means_no_line_unless_something_is_wrong(project):
    project.write("test_a.py", "def test_a(): pass")
    assert "crossbridge: " not in project.pytest("-q", "-q").output
    project.write(".crossbridge/full/in_the_way", "x")
    run = project.pytest("-q", "-q", environ={"CROSSBRIDGE_SPOOL_DIR": ".crossbridge/full/in_the_way"})
    assert run.returncode == 0
    assert "2 dropped" in run.line


@pytest.mark.parametrize("arguments", [(), ("-p", "no:terminal"), ("-n", "2")], ids=str)
def test_a_spool_that_cannot_be_written_loses_events_not_tests(project, arguments):
    project.write("test_a.py", "def test_a(): pass\ndef test_b(): pass")
    project.write("in_the_way", "x")
    run = project.pytest(*arguments, environ={"CROSSBRIDGE_SPOOL_DIR": "in_the_way"})
    assert run.returncode == 0
    assert run.line.endswith(". 4 dropped: the spool, its disk or the database did not take them.")


def test_faults_of_ours_are_counted_and_change_nothing(project):
    project.write(
        "conftest.py",
        """
        from crossbridge.profiling.collector import MetricsCollector

        def record(*args): raise RuntimeError("ours")

        MetricsCollector.record = record
        """,
    )
    project.write("test_mixed.py", MIXED)
    off = project.pytest(on=False)
    on = project.pytest(environ={"CROSSBRIDGE_STRICT": "0"})
    assert (on.returncode, _seen(on)) == (off.returncode, _seen(off))
    assert re.search(
        r"\d+ faults of crossbridge's own, the first: pytest_runtest_logstart: RuntimeError: ours", on.line
    )


def test_warnings_may_be_errors(project):
    project.write("test_a.py", "import gc\ndef test_a(): gc.collect()\ndef test_b(recwarn): gc.collect(); assert not recwarn.list")  # fmt: skip
    run = project.pytest("-W", "error", "-n", "0")
    assert run.returncode == 0, run.output


def test_a_stopped_clock_stops_no_measurement(project):
    project.write(
        "test_frozen.py",
        """
        import time

        import freezegun, pytest, time_machine

        sleep = time.sleep

        @pytest.fixture
        def frozen():
            with freezegun.freeze_time("2012-01-14"): yield

        @pytest.fixture
        def travelled():
            with time_machine.travel("2012-01-14"): yield

        def test_freezegun(frozen): sleep(0.2)
        def test_time_machine(travelled): sleep(0.2)
        """,
    )
    before_us = time.time() * 1e6
    run = project.pytest()
    assert len(run.ends) == 2
    for end in run.ends:
        assert end["status"] == "passed"
        assert 200_000 <= end["duration_us"] < 5_000_000
        assert before_us < end["at_us"] < time.time() * 1e6


def test_a_forked_child_that_goes_on_with_the_suite_doubles_nothing(project):
    project.write(
        "test_fork.py",
        """
        import os

        def test_fork():
            global child
            child = os.fork()

        def test_after(): pass

        def test_wait():
            if child: os.waitpid(child, 0)
        """,
    )
    run = project.pytest("-W", "ignore", "-s")
    assert len(run.of_type("test_start")) == len(run.ends) == len(run.statuses) == 3


def test_a_recording_that_a_fixture_began_and_did_not_end_is_closed(project):
    project.write(
        "test_a.py",
        """
        import pytest
        from crossbridge.profiling.collector import MetricsCollector

        @pytest.fixture(scope="session", autouse=True)
        def recording():
            collector = MetricsCollector.get_instance()
            collector.start()
            yield collector
            raise RuntimeError("and never ends")

        def test_a(): pass
        """,
    )
    run = project.pytest()
    assert run.status == "failed"
    assert run.events[-1]["type"] == "segment_end"


def test_steps_and_calls_belong_to_the_running_test(project):
    project.write(
        "test_steps.py",
        """
        import crossbridge, pytest

        @pytest.fixture
        def prepared():
            with crossbridge.step("prepare"): yield
            with crossbridge.step("clean up"): pass

        @pytest.fixture(scope="module", autouse=True)
        def module():
            yield
            with crossbridge.step("at the end"): pass

        def test_steps(prepared):
            with crossbridge.step("outer"):
                with crossbridge.step("inner"): pass

        @crossbridge.step("decorated")
        def helper(): raise ValueError

        def test_fails(): helper()
        """,
    )
    run = project.pytest()
    steps = [
        (end["test_id"].rpartition("::")[2], end["step_name"], end.get("depth", 0), end["status"])
        for end in run.of_type("step_end")
    ]
    assert steps == [
        ("test_steps", "inner", 2, "passed"),
        ("test_steps", "outer", 1, "passed"),
        ("test_steps", "prepare", 0, "passed"),
        ("test_steps", "clean up", 0, "passed"),
        ("test_fails", "decorated", 0, "failed"),
        ("test_fails", "at the end", 0, "passed"),
    ]
