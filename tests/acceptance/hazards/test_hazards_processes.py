"""Tests that fork, start others, or end their own process."""

from __future__ import annotations

import pytest

from support.children import run_in_child
from support.hazards import python_of
from support.segments import read_spool
from support.third_party import python_with

FORKS = """
    import multiprocessing, os, subprocess, sys, threading
    import pytest
    import crossbridge

    def test_before(): pass

    def test_fork():
        with crossbridge.step("around the fork"):
            pid = os.fork()
            if pid == 0:
                with crossbridge.step("in the child"): pass
                os._exit(0)
            assert os.waitpid(pid, 0)[1] == 0

    def work(number):
        with crossbridge.step(f"worker {number}"): pass
        return number

    def test_multiprocessing_fork(recwarn):
        with multiprocessing.get_context("fork").Pool(2) as pool:
            assert pool.map(work, range(4), chunksize=1) == [0, 1, 2, 3]
        assert not [warning for warning in recwarn if "fork" in str(warning.message)]

    def test_multiprocessing_spawn():
        process = multiprocessing.get_context("spawn").Process(target=print)
        process.start()
        process.join()
        assert process.exitcode == 0

    def test_subprocess():
        code = "import crossbridge\\nwith crossbridge.step('elsewhere'): pass"
        subprocess.run([sys.executable, "-c", code], check=True)

    def test_pytest_in_a_test(tmp_path):
        (tmp_path / "test_inner.py").write_text("def test_inner(): pass")
        subprocess.run([sys.executable, "-m", "pytest", "-q", str(tmp_path)], check=True)

    def test_popen_with_a_function_before_exec():
        subprocess.run([sys.executable, "-c", ""], check=True, preexec_fn=lambda: None)

    def test_daemonize(tmp_path):
        if os.fork() == 0:
            os.setsid()
            if os.fork():
                os._exit(0)
            os.closerange(0, 4096)
            (tmp_path / "log").write_text("daemon")
            with crossbridge.step("in the daemon"): pass
            os.rename(tmp_path / "log", tmp_path / "done")
            os._exit(0)
        os.wait()
        while not (tmp_path / "done").exists(): pass
        assert (tmp_path / "done").read_text() == "daemon"

    def test_after(): pass
"""
NAMES = (
    "test_before", "test_fork", "test_multiprocessing_fork", "test_multiprocessing_spawn", "test_subprocess",
    "test_pytest_in_a_test", "test_popen_with_a_function_before_exec", "test_daemonize", "test_after",
)  # fmt: skip


@pytest.mark.parametrize("version", ["3.10", "3.11", "3.12", "3.13"])
def test_forks_and_other_processes(hazard, version):
    python = python_with("pytest", base=python_of(version))
    hazard.write("test_f.py", FORKS)
    recorded = hazard.run("-W", "error", python=python)
    assert recorded.tests == dict.fromkeys(NAMES, "passed")
    steps = recorded.steps()
    assert sorted(steps) == sorted(
        ["around the fork", "in the child", "in the daemon", *(f"worker {number}" for number in range(4))]
    )
    headers = recorded.run.headers
    (main,) = [header for header in headers if header["role"] == "main"]
    assert {header["parent"] for header in headers if header is not main} == {main["writer"]}
    assert {header["run_id"] for header in headers} == {main["run_id"]}
    (own,) = [segment for segment in recorded.run.segments if segment[0] is main]
    assert [event["step_name"] for event in own if event["type"] == "step_end"] == ["around the fork"]


SUBINTERPRETERS = """
    import pytest
    try:
        import _interpreters as interpreters
    except ImportError:
        import _xxsubinterpreters as interpreters
    import crossbridge

    CODE = \"\"\"if True:
        import crossbridge
        with crossbridge.step("in a subinterpreter"): pass
    \"\"\"

    def test_steps_do_nothing_there():
        with crossbridge.step("outside"):
            number = interpreters.create()
            failure = interpreters.run_string(number, CODE)
            assert failure is None, failure
            interpreters.destroy(number)

    def test_after(): pass
"""


@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_subinterpreters(hazard, version):
    hazard.write("test_s.py", SUBINTERPRETERS)
    recorded = hazard.run(python=python_with("pytest", base=python_of(version)))
    assert recorded.tests == dict.fromkeys(["test_steps_do_nothing_there", "test_after"], "passed")
    assert recorded.steps() == ["outside"]


GEVENT = """
    PLACE
    import threading, time
    import gevent
    import crossbridge

    def test_greenlets():
        def work(number):
            with crossbridge.step(f"greenlet {number}"):
                gevent.sleep(0.001)
        with crossbridge.step("all"):
            gevent.joinall([gevent.spawn(work, number) for number in range(3)])

    def test_threads():
        thread = threading.Thread(target=lambda: crossbridge.step("thread").__enter__())
        thread.start()
        thread.join()
        time.sleep(0)
"""


@pytest.mark.parametrize("place", ["test module", "conftest"])
def test_gevent(hazard, place):
    patch = "from gevent import monkey; monkey.patch_all()"
    if place == "conftest":
        hazard.write("conftest.py", patch)
    hazard.write("test_g.py", GEVENT.replace("PLACE", patch if place == "test module" else ""))
    recorded = hazard.run()
    assert recorded.tests == dict.fromkeys(["test_greenlets", "test_threads"], "passed")
    assert sorted(recorded.steps()) == ["all", "greenlet 0", "greenlet 1", "greenlet 2"]


DEATH = """
    import ctypes, os, signal, sys, time
    import pytest
    import crossbridge

    def test_one(): pass

    def test_two(): assert False

    def test_the_last():
        with crossbridge.step("its last"): pass
        DEATH

    def test_never(): pass
"""


@pytest.mark.parametrize(
    ("death", "returncode"),
    [
        ("os._exit(0)", 0),
        ("os._exit(7)", 7),
        ("os.kill(os.getpid(), signal.SIGKILL)", -9),
        ("os.kill(os.getpid(), signal.SIGTERM)", -15),
        ("ctypes.string_at(0)", -11),
        ("os.abort()", -6),
    ],
)
def test_the_end_of_the_process(hazard, death, returncode):
    hazard.write("test_d.py", DEATH.replace("DEATH", death))
    recorded = hazard.run()
    assert recorded.returncode == returncode
    assert recorded.tests == {"test_one": "passed", "test_two": "failed"}
    assert recorded.running == {"test_the_last"}
    assert recorded.steps() == ["its last"]


SLOW = "until = time.monotonic() + 30\n        while time.monotonic() < until: pass"


def test_a_time_out_by_a_thread_that_ends_the_process(hazard):
    hazard.write("test_d.py", DEATH.replace("DEATH", SLOW))
    recorded = hazard.run("--timeout=0.5", "--timeout-method=thread", plugins=("timeout",))
    assert recorded.returncode == 1
    assert (recorded.tests, recorded.running) == (
        {"test_one": "passed", "test_two": "failed"},
        {"test_the_last"},
    )


def test_a_time_out_by_a_signal(hazard):
    hazard.write("test_d.py", DEATH.replace("DEATH", SLOW))
    recorded = hazard.run("--timeout=0.5", "--timeout-method=signal", plugins=("timeout",))
    assert recorded.tests == {
        "test_one": "passed", "test_two": "failed", "test_the_last": "failed", "test_never": "passed",
    }  # fmt: skip


def test_a_time_out_by_faulthandler_that_ends_the_process(hazard):
    hazard.write("test_d.py", DEATH.replace("DEATH", SLOW))
    hazard.write("pytest.ini", "[pytest]\nfaulthandler_timeout = 0.5\nfaulthandler_exit_on_timeout = true\n")
    recorded = hazard.run()
    assert recorded.returncode == 1
    assert (recorded.tests, recorded.running) == (
        {"test_one": "passed", "test_two": "failed"},
        {"test_the_last"},
    )


@pytest.mark.parametrize("error", ["TimeoutError", "ValueError", "KeyboardInterrupt"])
def test_alarms_that_land_in_our_code_are_the_users(hazard, error):
    hazard.write(
        "test_a.py",
        f"""
        import signal
        import pytest
        import crossbridge

        @pytest.mark.parametrize("microseconds", range(20, 420, 4))
        def test_alarm(microseconds):
            def alarm(*_):
                raise {error}
            signal.signal(signal.SIGALRM, alarm)
            with pytest.raises({error}):
                signal.setitimer(signal.ITIMER_REAL, microseconds / 1e6)
                while True:
                    with crossbridge.step("s"): pass
        """,
    )
    recorded = hazard.run()
    assert set(recorded.tests.values()) == {"passed"}
    assert len(recorded.tests) == 100


def test_an_exit_without_shutdown_loses_nothing(tmp_path):
    run_in_child(
        """
        from crossbridge.profiling.collector import MetricsCollector
        from crossbridge.profiling.models import ProfileConfig
        collector = MetricsCollector.get_instance(ProfileConfig(enabled=True, backend="none", project_root=spool))
        collector.start()
        for number in range(200):
            collector.record_test_end(f"test {number}")
        sys.exit(0)
        """,
        tmp_path,
    )
    assert [event["test_id"] for event in read_spool(tmp_path)] == [f"test {number}" for number in range(200)]
