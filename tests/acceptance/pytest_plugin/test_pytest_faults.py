"""pytest's outcome, exit code, output and files are the same without us, and with us failing in any hook."""

from __future__ import annotations

import re

import pytest

from support.pytest_runs import Project

TESTS = {
    "test_outcomes.py": """
        import pytest

        @pytest.fixture
        def broken(): raise ValueError("x")
        @pytest.fixture
        def breaks_afterwards():
            yield
            raise ValueError("x")

        def test_passes(): print("to stdout")
        def test_fails(): assert 1 == 2
        def test_error(broken): pass
        def test_error_afterwards(breaks_afterwards): pass
        @pytest.mark.skip(reason="because")
        def test_skipped(): pass
        @pytest.mark.xfail(strict=False)
        def test_xfailed(): assert False
        @pytest.mark.flaky(reruns=1)
        def test_rerun(tries=[]):
            tries.append(1)
            assert len(tries) > 1
        def test_subtests(subtests):
            with subtests.test("good"): pass
            with subtests.test("bad"): assert False
        def test_calls():
            import urllib3
            with pytest.raises(urllib3.exceptions.HTTPError):
                urllib3.request("GET", "http://127.0.0.1:9/", retries=False, timeout=5)
    """,
    "test_not_collected.py": "import pytest\npytest.skip('not here', allow_module_level=True)\n",
}
# What the hooks are made of. A fault in one of these is a fault in each hook that comes by it.
PARTS = [
    "_pytest_session.load",
    "_pytest_session.MetricsCollector.get_instance",
    "_pytest_session.MetricsCollector.start",
    "_pytest_session._libraries.watch",
    "_pytest_session.Collection",
    "_pytest_recorder.Recorder._begin",
    "_pytest_recorder.Recorder._end",
    "_pytest_recorder.Recorder._record_subtest",
    "_pytest_recorder.Collection._record",
    "_pytest_recorder.phase_status",
    "_pytest_recorder.error_message",
    "_pytest_session.MetricsCollector.record",
    "_pytest_session.MetricsCollector.end_step",
    "_pytest_session.MetricsCollector.record_http_call",
    "_pytest_session.MetricsCollector.shutdown",
    "_pytest_session.MetricsCollector.get_stats",
    "_pytest_session._libraries.leave",
    "_pytest_session.summary",
]
PARTS_WITH_WORKERS = [
    "_pytest_session._register",
    "_pytest_xdist.to_environ",
    "_pytest_recorder.Recorder._begin",
    "_pytest_xdist.Controller._record",
    "_pytest_session.MetricsCollector.get_stats",
]
# After these nobody is left to say our line.
AT_THE_END = {
    "_pytest_session.MetricsCollector.shutdown",
    "_pytest_session.MetricsCollector.get_stats",
    "_pytest_session._libraries.leave",
    "_pytest_session.summary",
}
# As a plugin of the user's that is there before our hooks are called.
FAULTY = """
    from functools import reduce
    from crossbridge.integrations import _pytest_recorder, _pytest_session, _pytest_xdist

    def fault(*args, **kwargs):
        raise RuntimeError("injected")

    *owner, name = "{part}".split(".")
    setattr(reduce(getattr, owner[1:], globals()[owner[0]]), name, fault)
"""


def _result(run):
    """What the run showed and left behind, without our line and what differs between any two runs."""
    shown = "\n".join(line for line in run.output.splitlines() if not line.startswith("crossbridge: "))
    xml = (run.project / "junit.xml").read_text()
    return run.returncode, *(_comparable(text, run.project) for text in (shown, xml))


def _comparable(text, folder):
    text = re.sub(r' (?:time|timestamp|hostname)="[^"]*"|0x[0-9a-f]+|\d+\.\d+s\b|=', "", text)
    return re.sub(" +", " ", text.replace(str(folder), "PROJECT"))


def _project(folder, **more):
    project = Project(folder)
    for name, text in (TESTS | more).items():
        project.write(name, text)
    return project


def _run(project, *arguments, **options):
    plugins = ("-p", "crossbridge", "-p", "rerunfailures")
    environ = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "CROSSBRIDGE_STRICT": "0"}
    return project.pytest(*plugins, *arguments, "--junitxml=junit.xml", environ=environ, **options)


WITH_WORKERS = ("-p", "xdist", "-n", "1", "-q", "--tb=no", "-r", "N")
ZOMBIE = {"test_zombie.py": "import os\n\ndef test_dies(): os._exit(3)\n"}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """What the tests give without us."""
    return _result(_run(_project(tmp_path_factory.mktemp("plain")), on=False))


@pytest.fixture(scope="module")
def plain_with_workers(tmp_path_factory):
    """The same with pytest-xdist, and a test in which the worker dies."""
    return _result(_run(_project(tmp_path_factory.mktemp("plain"), **ZOMBIE), *WITH_WORKERS, on=False))


@pytest.mark.parametrize("part", PARTS)
def test_fault_in_a_part_of_ours_changes_nothing(tmp_path, plain, part):
    run = _run(_project(tmp_path, **{"conftest.py": FAULTY.format(part=part)}))
    assert _result(run) == plain
    if part not in AT_THE_END:
        assert "RuntimeError: injected" in run.line


@pytest.mark.parametrize("part", PARTS_WITH_WORKERS)
def test_fault_in_a_controller_or_worker_changes_nothing(tmp_path, plain_with_workers, part):
    run = _run(_project(tmp_path, **ZOMBIE, **{"conftest.py": FAULTY.format(part=part)}), *WITH_WORKERS)
    assert _result(run) == plain_with_workers
