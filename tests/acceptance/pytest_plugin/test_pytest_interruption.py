"""A run that does not come to its end: what had ended is stored, what was running is known."""

from __future__ import annotations

import os
import signal

import pytest

RUNNING = """
    import os, signal, time

    def test_before(): pass
    def test_running():
        time.sleep(60)
    def test_after(): pass
"""


def _interrupt(project, number, *args, group=False):
    process = project.start(*args)
    project.wait_for("::test_before", "test_end")  # by another worker, it may not have ended
    project.wait_for("::test_running")
    (os.killpg if group else os.kill)(process.pid, number)
    stdout, stderr = process.communicate(timeout=30)
    return project.run_of(process.returncode, stdout, stderr)


@pytest.mark.parametrize("group", [False, True], ids=["process", "group"])
def test_ctrl_c_leaves_the_running_test_interrupted(project, group):
    project.write("test_a.py", RUNNING)
    run = _interrupt(project, signal.SIGINT, group=group)
    assert run.returncode == pytest.ExitCode.INTERRUPTED
    assert run.statuses == {"test_a.py::test_before": "passed", "test_a.py::test_running": "interrupted"}
    assert run.end_of("::test_running")["duration_us"] > 0
    assert run.status == "interrupted"
    assert "4 events" in run.line


def test_ctrl_c_with_workers_ends_the_run_as_interrupted(project):
    project.write("test_a.py", RUNNING)
    run = _interrupt(project, signal.SIGINT, "-n", "2", group=True)
    assert run.returncode == pytest.ExitCode.INTERRUPTED
    assert run.status == "interrupted"
    assert run.statuses["test_a.py::test_before"] == "passed"
    # The worker may be killed by its controller before it can say so; then the database does.
    assert run.statuses.get("test_a.py::test_running", "interrupted") == "interrupted"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV])
def test_a_killed_process_has_stored_what_had_ended(project, number):
    project.write("test_a.py", RUNNING)
    run = _interrupt(project, number)
    assert run.returncode == -number
    assert run.statuses == {"test_a.py::test_before": "passed"}
    assert [event["test_id"] for event in run.of_type("test_start")][-1] == "test_a.py::test_running"
    assert not run.of_type("segment_end")


@pytest.mark.parametrize("death", ["os._exit(0)", "os.kill(os.getpid(), signal.SIGSEGV)", "os.abort()"])
def test_a_test_that_ends_its_process_loses_nothing_before_it(project, death):
    project.write("test_a.py", RUNNING.replace("time.sleep(60)", death))
    run = project.pytest()
    assert run.statuses == {"test_a.py::test_before": "passed"}
    assert len(run.of_type("test_start")) == 2


def test_timeout_by_thread_ends_the_process(project):
    project.write("test_a.py", RUNNING)
    run = project.pytest("--timeout=0.5", "--timeout-method=thread")
    assert run.returncode == 1
    assert run.statuses == {"test_a.py::test_before": "passed"}
    assert len(run.of_type("test_start")) == 2


def test_timeout_by_signal_fails_the_test(project):
    project.write("test_a.py", RUNNING)
    run = project.pytest("--timeout=0.5", "--timeout-method=signal")
    assert run.returncode == 1
    assert run.statuses == {
        "test_a.py::test_before": "passed",
        "test_a.py::test_running": "failed",
        "test_a.py::test_after": "passed",
    }
    assert "Timeout" in run.end_of("::test_running")["error_message"]
    assert run.end_of("::test_running")["duration_us"] >= 400_000


@pytest.mark.parametrize(
    ("where", "last"),
    [
        ("def test_b(): pytest.exit('enough', returncode=7)", "interrupted"),
        ("def test_b(ends): pass", "interrupted"),
        ("def test_b(ends_afterwards): pass", "interrupted"),
        ("def test_b(ends_afterwards): assert False", "failed"),
    ],
)
def test_pytest_exit_interrupts_the_run(project, where, last):
    project.write(
        "test_a.py",
        f"""
        import pytest

        @pytest.fixture
        def ends(): pytest.exit("enough", returncode=7)

        @pytest.fixture
        def ends_afterwards():
            yield
            pytest.exit("enough", returncode=7)

        def test_a(): pass
        {where}
        def test_c(): pass
        """,
    )
    run = project.pytest()
    assert run.returncode == 7
    assert run.status == "interrupted"
    assert run.statuses == {"test_a.py::test_a": "passed", "test_a.py::test_b": last}


@pytest.mark.parametrize("stop", ["-x", "--maxfail=1", "--stepwise"])
def test_the_first_failure_can_end_the_run_as_failed(project, stop):
    project.write("test_a.py", "def test_a(): pass\ndef test_b(): assert False\ndef test_c(): pass")
    run = project.pytest(stop)
    assert run.status == "failed"
    assert run.statuses == {"test_a.py::test_a": "passed", "test_a.py::test_b": "failed"}


def test_collection_errors_end_the_run_as_failed(project):
    project.write("test_a.py", "def test_a(): pass")
    project.write("test_b.py", "import no_such_module_anywhere")
    run = project.pytest()
    assert run.returncode == pytest.ExitCode.INTERRUPTED
    assert run.status == "failed"
    assert run.statuses == {"test_b.py": "error"}


def test_a_plugin_that_stops_a_good_run_interrupts_it(project):
    project.write("conftest.py", "def pytest_runtest_teardown(item): item.session.shouldstop = 'enough'")  # fmt: skip
    project.write("test_a.py", "def test_a(): pass\ndef test_b(): pass")
    run = project.pytest()
    assert run.status == "interrupted"
    assert run.statuses == {"test_a.py::test_a": "passed"}


def test_an_internal_error_of_pytest_fails_the_run_and_interrupts_the_test(project):
    project.write("conftest.py", "def pytest_runtest_logreport(report):\n    if report.when == 'call': raise ValueError('bad plugin')")  # fmt: skip
    project.write("test_a.py", "def test_a(): pass")
    run = project.pytest()
    assert run.returncode == pytest.ExitCode.INTERNAL_ERROR
    assert run.status == "failed"
    assert run.statuses == {"test_a.py::test_a": "interrupted"}


def test_a_run_without_tests_is_recorded_as_one(project):
    run = project.pytest()
    assert run.returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    assert run.status == "failed"
    assert run.ends == []
