"""Tests that put fakes in the place of files, sockets and built-in functions."""

from __future__ import annotations


def test_pyfakefs(hazard):
    hazard.write(
        "test_p.py",
        """
        import os
        from pathlib import Path
        from pyfakefs.fake_filesystem_unittest import Patcher, TestCase
        import pytest
        import crossbridge

        def test_fixture(fs):
            with crossbridge.step("in a fake file system"):
                Path("/a").write_text("x")
            assert not Path(__file__).exists()
            assert set(os.listdir("/")) <= {"a", "tmp"}

        def test_patcher():
            with Patcher() as patcher:
                patcher.fs.create_file("/b")
                with crossbridge.step("in a patcher"): pass

        @pytest.mark.parametrize("fs", [[None, None, None]], indirect=True)
        def test_full_disk(fs):
            fs.set_disk_usage(100)
            with crossbridge.step("on a full fake disk"): pass
            with pytest.raises(OSError): Path("/c").write_bytes(bytes(101))

        class TestUnit(TestCase):
            def setUp(self):
                self.setUpPyfakefs()
            def test_unit(self):
                with crossbridge.step("in a TestCase"): pass
        """,
    )
    recorded = hazard.run(plugins=("fakefs",))
    assert recorded.tests == dict.fromkeys(
        ["test_fixture", "test_patcher", "test_full_disk[fs0]", "TestUnit::test_unit"], "passed"
    )
    assert recorded.steps() == [
        "in a fake file system", "in a patcher", "on a full fake disk", "in a TestCase",
    ]  # fmt: skip


def test_a_first_import_of_ours_inside_pyfakefs(hazard):
    hazard.write(
        "test_p.py",
        """
        def test_first(fs):
            import crossbridge
            with crossbridge.step("first"): pass
        """,
    )
    recorded = hazard.run(plugins=("fakefs",))
    assert (recorded.tests, recorded.steps()) == ({"test_first": "passed"}, ["first"])


def test_disabled_sockets(hazard):
    hazard.write(
        "test_s.py",
        """
        import socket
        import pytest
        import crossbridge

        def test_sockets_are_off():
            with crossbridge.step("without sockets"): pass
            with pytest.raises(RuntimeError):
                socket.socket(socket.AF_INET, socket.SOCK_STREAM)

        def test_it_warns_of_nothing(recwarn):
            with crossbridge.step("silent"): pass
            assert not recwarn.list
        """,
    )
    for options in (["--disable-socket"], ["--allow-hosts=127.0.0.9"]):
        recorded = hazard.run(*options, "-k", "warns" if "allow" in options[0] else "", plugins=("socket",))
        assert set(recorded.tests.values()) == {"passed"}


MOCKS = """
    import builtins, json, os, tempfile
    from unittest import mock
    import pytest
    import crossbridge

    TARGETS = [
        "builtins.open", "os.open", "os.write", "os.close", "os.fstat", "os.stat", "os.getpid",
        "os.pread", "os.pwrite", "os.mkdir", "os.makedirs", "os.replace", "os.unlink", "os.listdir", "os.dup2", "os.path.exists",
        "os.path.join", "os.urandom", "os.environ", "fcntl.fcntl", "json.dumps", "json.loads", "hashlib.sha256", "io.open",
        "sys.stderr", "signal.getsignal", "inspect.iscoroutinefunction", "functools.wraps",
    ]

    @pytest.mark.parametrize("target", TARGETS)
    def test_mock(target):
        with mock.patch(target) as double:
            with crossbridge.step(target):
                pass
            touched = double.called or double.method_calls
        assert not touched

    def test_mock_open():
        with mock.patch("builtins.open", mock.mock_open(read_data="theirs")) as double:
            with crossbridge.step("mock_open"): pass
            assert open("x").read() == "theirs"
            assert double.call_count == 1

    def test_json_is_theirs_and_ours_is_ours():
        with mock.patch("json.dumps", return_value="MOCKED"), mock.patch("json.encoder.encode_basestring", return_value="MOCKED"):
            with crossbridge.step("json"): pass

    def test_a_long_and_odd_name_under_mocks():
        with mock.patch("hashlib.sha256") as sha, mock.patch("os.write") as write:
            with crossbridge.step("\\0" + "x" * 3000): pass
            assert not sha.called and not write.called

    @pytest.fixture
    def left_behind():
        with mock.patch("os.write", side_effect=OSError), mock.patch("builtins.open", side_effect=OSError):
            yield

    def test_mocks_that_last_into_the_teardown(left_behind):
        with crossbridge.step("long mocks"): pass
"""


def test_mocks_of_built_in_functions(hazard):
    hazard.write("test_m.py", MOCKS)
    recorded = hazard.run()
    assert set(recorded.tests.values()) == {"passed"}
    names = recorded.steps()
    targets = [name for name in recorded.tests if name.startswith("test_mock[")]
    assert len(targets) > 25
    assert len(names) == len(recorded.tests)
    assert [f"test_mock[{name}]" for name in names[: len(targets)]] == targets
    (long,) = [name for name in names if name.startswith("�")]
    assert len(long.encode()) == 1000
