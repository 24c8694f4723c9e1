"""Tests that change or count what surrounds them: warnings, logs, threads, descriptors, folders, limits."""

from __future__ import annotations

import subprocess
import textwrap

import pytest

from support.hazards import Hazard
from support.pytest_runs import read_segments


def test_warnings_as_errors_with_garbage_collected(hazard):
    hazard.write(
        "test_w.py",
        """
        import gc
        import pytest
        import crossbridge

        @pytest.mark.parametrize("n", range(5))
        def test_collect(n):
            with crossbridge.step("s"): pass
            gc.collect()

        def test_recwarn(recwarn):
            with crossbridge.step("s"): pass
            gc.collect()
            assert not recwarn.list
        """,
    )
    recorded = hazard.run("-W", "error", environ={"PYTHONDEVMODE": "1", "PYTHONWARNINGS": "error"})
    assert set(recorded.tests.values()) == {"passed"}
    assert len(recorded.tests) == 6


COUNTS = """
    import logging, os, signal, subprocess, sys, threading
    import pytest
    import crossbridge

    def test_logs(caplog):
        with caplog.at_level(0):
            with crossbridge.step("s"): pass
        assert caplog.records == []

    def test_no_loggers():
        assert not [name for name in logging.Logger.manager.loggerDict if "crossbridge" in name]

    def test_threads():
        assert threading.active_count() == 1
        with crossbridge.step("s"): pass
        assert threading.enumerate() == [threading.main_thread()]
        assert len(os.listdir("/proc/self/task")) == 1

    def test_output(capfd):
        with crossbridge.step("s"): pass
        assert capfd.readouterr() == ("", "")

    def test_descriptors():
        before = os.listdir("/proc/self/fd")
        with crossbridge.step("s"): pass
        first_free = os.open("/dev/null", os.O_RDONLY)
        os.close(first_free)
        assert os.listdir("/proc/self/fd") == before
        assert first_free < 50

    def test_sockets():
        links = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if os.path.lexists(f"/proc/self/fd/{fd}")]
        assert not [link for link in links if link.startswith("socket:")]

    def test_children():
        with pytest.raises(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)

    def test_signals():
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert signal.getsignal(signal.SIGCHLD) is signal.SIG_DFL

    def test_hooks_of_the_interpreter():
        assert sys.excepthook is sys.__excepthook__
        assert sys.gettrace() is None and sys.getprofile() is None

    def test_environment():
        assert not [name for name in os.environ if name.startswith("CROSSBRIDGE_") and name not in ON]
        out = subprocess.run([sys.executable, "-c", "import sys; print(sorted(sys.modules))"], capture_output=True, text=True)
        assert "crossbridge" not in out.stdout
"""


def test_nothing_of_ours_is_counted(hazard):
    known = {
        "CROSSBRIDGE_PROFILING",
        "CROSSBRIDGE_PROFILING_BACKEND",
        "CROSSBRIDGE_STRICT",
        "CROSSBRIDGE_DATA_DIR",
    }
    hazard.write("test_c.py", COUNTS.replace("ON]", f"{known}]"))
    recorded = hazard.run("-s")
    assert set(recorded.tests.values()) == {"passed"}
    assert len(recorded.tests) == 10


SURROUNDINGS = {
    "environment_cleared": """
        def test_it(monkeypatch):
            for name in list(os.environ):
                monkeypatch.delenv(name)
            with crossbridge.step("s"): pass
        """,
    "environment_cleared_for_good": """
        def test_it():
            os.environ.clear()
            with crossbridge.step("s"): pass
        """,
    "working_folder_removed": """
        def test_it(tmp_path):
            gone = tmp_path / "gone"
            gone.mkdir()
            os.chdir(gone)
            gone.rmdir()
            with crossbridge.step("s"): pass
        """,
    "descriptors_closed": """
        def test_it(tmp_path):
            os.closerange(3, 4096)
            with crossbridge.step("s"): pass
            files = [open(tmp_path / str(n), "w+") for n in range(450)]
            assert files[-1].fileno() > 400
            with crossbridge.step("s2"): pass
            os.closerange(3, 4096)
            numbers = [os.open(tmp_path / str(n), os.O_RDWR | os.O_APPEND) for n in range(450)]
            assert max(numbers) > 400
            with crossbridge.step("s3"): pass
            for number in numbers:
                assert os.pread(number, 100, 0) == b""
                os.close(number)
            for file in files:
                with pytest.raises(OSError): file.close()
        """,
    "output_closed": """
        def test_it():
            sys.stdout.flush(), sys.stderr.flush()
            saved = os.dup(1), os.dup(2)
            os.close(1), os.close(2)
            with crossbridge.step("s"): pass
            os.dup2(saved[0], 1), os.dup2(saved[1], 2)
        """,
    "no_descriptor_left": """
        def test_it():
            limits = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/proc/self/fd")[:-1])) + 40, limits[1]))
            taken = []
            with pytest.raises(OSError):
                while True: taken.append(os.open("/dev/null", os.O_RDONLY))
            with crossbridge.step("s"): pass
            for number in taken: os.close(number)
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        """,
    "a_low_limit_of_descriptors": """
        def test_it():
            limits = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, limits[1]))
            with crossbridge.step("s"): pass
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        """,
    "little_memory": """
        def test_it():
            limits = resource.getrlimit(resource.RLIMIT_AS)
            used = int(open("/proc/self/statm").read().split()[0]) * 4096
            resource.setrlimit(resource.RLIMIT_AS, (used + (8 << 20), limits[1]))
            with pytest.raises(MemoryError): bytearray(64 << 20)
            with crossbridge.step("s"): pass
            resource.setrlimit(resource.RLIMIT_AS, limits)
        """,
    "files_may_not_grow": """
        def test_it(tmp_path):
            limits = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limits[1]))
            with pytest.raises(OSError): (tmp_path / "big").write_bytes(bytes(2 << 20))
            with crossbridge.step("s"): pass
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        """,
    "the_spool_is_removed": """
        def test_it(pytestconfig):
            shutil.rmtree(pytestconfig.rootpath / ".crossbridge", ignore_errors=True)
            with crossbridge.step("s"): pass
        """,
    "a_umask": """
        def test_it():
            os.umask(0o777)
            with crossbridge.step("s"): pass
            os.umask(0o022)
        """,
    "signals_blocked": """
        def test_it():
            signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
            with crossbridge.step("s"): pass
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
        """,
    "garbage_collection_off": """
        def test_it():
            gc.disable()
            before = len(gc.get_objects())
            for _ in range(1000):
                with crossbridge.step("s"): pass
            assert len(gc.get_objects()) - before < 200
            gc.enable()
        """,
    "modules_removed": """
        def test_it():
            for name in [name for name in sys.modules if name.split(".")[0] in ("crossbridge", "json")]:
                del sys.modules[name]
            with crossbridge.step("s"): pass
        """,
}


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_surroundings(hazard, name):
    imports = "import gc, os, resource, shutil, signal, sys\nimport pytest\nimport crossbridge\n"
    hazard.write("test_a.py", "def test_before(): pass\n")
    hazard.write("test_b.py", imports + textwrap.dedent(SURROUNDINGS[name]))
    hazard.write("test_c.py", "def test_after(): pass\n")
    recorded = hazard.run("-s", "-p", "no:faulthandler")
    assert recorded.tests == dict.fromkeys(["test_before", "test_it", "test_after"], "passed")
    assert recorded.steps()[:1] == ["s"]


DISK = """
    import os
    from pathlib import Path
    import pytest
    import crossbridge

    DISK = Path(DISK)

    def test_before(): pass

    def test_full():
        with open(DISK / "filler", "wb", buffering=0) as filler, pytest.raises(OSError):
            while True: filler.write(bytes(512))
        for _ in range(100):
            with crossbridge.step("x" * 500): pass

    def test_while_full(): pass

    def test_room_again():
        os.unlink(DISK / "filler")
        import time
        until = time.monotonic() + 1.2
        while time.monotonic() < until: pass

    def test_after(): pass
"""


def test_a_full_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k", "x", disk], check=False, capture_output=True
    ).returncode:
        pytest.skip("may not mount here")
    try:
        (tmp_path / "project").mkdir()
        hazard = Hazard(tmp_path / "project")
        hazard.write("test_d.py", DISK.replace("DISK)", f"{str(disk)!r})", 1))
        options = {"environ": {"CROSSBRIDGE_SPOOL_DIR": str(disk / "spool")}}
        without = hazard.pytest("-p", "crossbridge", on=False, **options)
        run = hazard.pytest("-p", "crossbridge", **options)
        assert run.returncode == without.returncode == 0, run.output
        run.segments = read_segments(disk / "spool")
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
    ended = {name.partition("::")[2] for name in run.statuses}
    assert {"test_before", "test_room_again", "test_after"} <= ended
    (segment,) = run.segments
    dropped = segment[0]["dropped"]
    assert dropped > 100
    assert f"{dropped} dropped" in run.line
    assert segment[-1]["type"] == "segment_end"
    assert segment[-1]["collected"] == len(segment) - 2 + dropped
