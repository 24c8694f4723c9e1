"""How the shipper lives beside others: whom it makes way for, what it holds, when it leaves."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from crossbridge.profiling.models import ProfileConfig, StorageBackendType
from crossbridge.profiling.spawn import start_shipper
from support.cli import as_user
from support.git import untracked
from support.segment_file import SegmentFile
from support.shipping import (
    PROGRAM,
    read_status,
    shipper,
    shipper_environment,
    stored_tests,
    wait_until,
)


def test_a_second_shipper_with_the_same_settings_leaves(spool, migrated):
    SegmentFile(spool)
    with shipper(spool, migrated) as first:
        first.wait_for_state("delivering")
        with shipper(spool, migrated) as second:
            assert second.wait() == 0
        assert first.returncode is None
        assert read_status(spool)["pid"] == first.pid


def test_hands_over_to_a_shipper_with_another_target(spool, database, migrated):
    segment = SegmentFile(spool)
    with shipper(spool, database) as first:
        wait_until(segment.ack_path.exists, "the header delivered")
        with shipper(spool, migrated) as second:
            assert first.wait() == 0
            segment.test("a::one")
            segment.end()
            second.wait()
    assert stored_tests(migrated) == {"a::one": "passed"}
    assert not (spool / "shipper.takeover").exists()


def test_a_shipper_with_a_wrong_password_hands_over_to_one_with_the_right_one(spool, migrated):
    segment = SegmentFile(spool)
    with shipper(spool, replace(migrated, password="wrong")) as first:
        first.wait_for_state("retrying")
        with shipper(spool, migrated) as second:
            assert first.wait() == 0
            segment.test("a::one")
            segment.end()
            second.wait()
    assert stored_tests(migrated) == {"a::one": "passed"}


def test_a_shipper_that_cannot_reach_the_database_either_does_not_take_over(spool, migrated):
    SegmentFile(spool)
    nobody = replace(migrated, host="127.0.0.1", port=1)
    with shipper(spool, nobody) as first:
        first.wait_for_state("retrying")
        with shipper(spool, nobody) as second:
            assert second.wait() == 0
        assert first.returncode is None


def test_sigterm_ends_it_after_the_batch_and_loses_nothing(spool, migrated):
    segment = SegmentFile(spool)
    segment.test("a::one")
    with shipper(spool, migrated) as process:
        wait_until(segment.ack_path.exists, "something delivered")
        segment.test("a::two")
        process.terminate()
        assert process.wait() == 0
    assert read_status(spool)["state"] == "ended"
    segment.end()
    with shipper(spool, migrated) as process:
        process.wait()
    assert stored_tests(migrated) == {"a::one": "passed", "a::two": "passed"}


def test_ignores_ctrl_c_and_the_closing_of_the_terminal(spool, migrated):
    segment = SegmentFile(spool)
    # Not as this process has it: one that runs under nohup hands down that it is ignored.
    heed = "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL); "
    with shipper(spool, migrated, program=heed + PROGRAM) as process:
        wait_until(segment.ack_path.exists, "something delivered")
        os.kill(process.pid, signal.SIGINT)
        os.kill(process.pid, signal.SIGHUP)
        segment.test("a::one")
        segment.end()
        assert process.wait() == 0
    assert stored_tests(migrated) == {"a::one": "passed"}


def test_holds_no_descriptor_of_the_process_that_started_it(spool, migrated):
    """A CI step whose output is a pipe ends when the tests do, not when the shipper does."""
    segment = SegmentFile(spool)
    read_end, write_end = os.pipe()
    os.set_inheritable(write_end, True)
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env=shipper_environment(spool, migrated),
        stdin=subprocess.DEVNULL,
        stdout=write_end,
        stderr=write_end,
        pass_fds=[write_end],
    )
    try:
        os.close(write_end)
        assert select.select([read_end], [], [], 10)[0], "somebody holds the other end of the pipe"
        assert os.read(read_end, 1) == b""
        assert process.poll() is None
        wait_until(segment.ack_path.exists, "something delivered")
        held = {fd.readlink() for fd in Path(f"/proc/{process.pid}/fd").iterdir()}
        files = {path for path in held if path.is_absolute()}
        assert files == {Path("/dev/null"), spool / "shipper.lock", spool / "shipper.log"}
    finally:
        os.close(read_end)
        process.kill()
        process.wait()


def test_is_nobodys_child_and_in_a_session_of_its_own(spool, migrated, monkeypatch):
    segment = SegmentFile(spool)
    config = ProfileConfig(
        enabled=True,
        backend=StorageBackendType.POSTGRES,
        postgres_host=migrated.host,
        postgres_port=migrated.port,
        postgres_database=migrated.dbname,
        postgres_user=migrated.user,
        postgres_password=migrated.password,
        postgres_sslmode=migrated.sslmode,
        spool_dir=spool,
        project_root=spool.parent,
    )
    assert start_shipper(config, os.environ)
    status = wait_until(lambda: read_status(spool), "the shipper began")
    pid = status["pid"]
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        assert int(fields[1]) != os.getpid()
        assert os.getsid(pid) != os.getsid(0)
        assert os.getpriority(os.PRIO_PROCESS, pid) >= 10
        assert migrated.password not in Path(f"/proc/{pid}/cmdline").read_text()
    finally:
        segment.end()
        wait_until(lambda: read_status(spool)["state"] == "ended", "the shipper ended")


def test_writes_no_file_others_can_read_and_no_secret(spool, migrated):
    segment = SegmentFile(spool)
    segment.raw(b"nonsense\n")
    segment.end()
    with shipper(spool, migrated) as process:
        process.wait()
    for path in [*spool.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path
        assert path.is_dir() or migrated.password not in path.read_text()


def test_the_folder_that_is_ours_keeps_itself_out_of_git(tmp_path, migrated):
    for spool in (tmp_path / ".crossbridge" / "spool", tmp_path / "chosen" / "spool"):
        SegmentFile(spool).end()
        with shipper(spool, migrated) as ours:
            ours.wait()
    assert untracked(tmp_path) == ["chosen/"]


@pytest.fixture
def of_nobody(scratch, tmp_path_factory, monkeypatch):
    """A spool, and options that make a process its owner's, whom a closed folder keeps out, as it does not root."""
    place = scratch / tmp_path_factory.mktemp("of-nobody").name
    place.mkdir(mode=0o755)
    options = as_user("nobody") if os.geteuid() == 0 else {}
    for name, value in options.pop("env", {}).items():
        monkeypatch.setenv(name, value)
    if command := options.pop("command", None):
        options["executable"] = command[0]
    return place / "spool", options


def test_a_folder_that_is_closed_to_it_keeps_nothing_else_back(of_nobody, migrated):
    spool, options = of_nobody
    other, shut, ours = (SegmentFile(spool) for _ in range(3))
    for path in (spool, *spool.rglob("*")):
        os.chown(path, options.get("user", -1), -1)
    other.folder.chmod(0o000)
    with shipper(spool, migrated, options=options) as process:
        wait_until(shut.ack_path.exists, "the header delivered")
        shut.folder.chmod(0o000)
        ours.test("a::ours")
        ours.end()
        shut.test("a::shut")
        wait_until(lambda: stored_tests(migrated), "what is open delivered")
        shut.folder.chmod(0o700)
        shut.end()
        assert process.wait() == 0
    other.folder.chmod(0o700)
    assert other.path.exists()
    assert stored_tests(migrated) == {"a::ours": "passed", "a::shut": "passed"}


def test_its_log_does_not_grow_without_end(spool, migrated):
    program = (
        "from crossbridge.profiling import shipper; shipper.LOG_MAX_BYTES = 2000;"
        f"from pathlib import Path; shipper.start_log(Path({str(spool)!r}));"
        "[shipper.log.info('x' * 100) for _ in range(500)]"
    )
    spool.mkdir()
    subprocess.run([sys.executable, "-c", program], check=True)
    logs = list(spool.glob("shipper.log*"))
    assert 0 < sum(path.stat().st_size for path in logs) <= 4000


def test_with_the_local_backend_it_delivers_to_the_running_embedded_server(spool, server):
    segment = SegmentFile(spool)
    segment.test("a::local")
    segment.end()
    target = server.start()
    with shipper(spool, None, data_dir=server.status().data_dir) as process:
        process.wait()
    assert not segment.path.exists()
    assert "embedded" in read_status(spool)["target"]
    assert stored_tests(target)["a::local"] == "passed"


def test_with_the_local_backend_and_no_server_it_leaves_when_nobody_writes(spool, tmp_path):
    segment = SegmentFile(spool)
    segment.end()
    with shipper(spool, None, data_dir=tmp_path / "nowhere") as process:
        assert process.wait() == 0
    status = read_status(spool)
    assert status["state"] == "ended"
    assert "crossbridge up" in status["error"]
    assert segment.path.exists()


def test_without_a_backend_it_leaves_at_once(spool):
    segment = SegmentFile(spool)
    with shipper(spool, None, profiling_backend="none") as process:
        assert process.wait() == 0
    assert segment.path.exists()
    assert read_status(spool) is None
