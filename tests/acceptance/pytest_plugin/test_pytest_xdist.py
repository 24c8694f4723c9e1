"""pytest-xdist: one run, written by its workers."""

from __future__ import annotations

import re

import pytest

MANY = """
    import pytest

    @pytest.mark.parametrize("number", range(20))
    def test_many(number): pass
"""


def test_workers_join_one_run_and_the_controller_answers_for_it(project):
    project.write("test_many.py", MANY)
    run = project.pytest("-n", "2")
    (main,) = [header for header in run.headers if header["role"] == "main"]
    children = [header for header in run.headers if header["role"] == "child"]
    assert {header["run_id"] for header in run.headers} == {main["run_id"]}
    assert sorted(header["worker"] for header in children) == ["gw0", "gw1"]
    assert {header["parent"] for header in children} == {main["writer"]}
    assert len(run.statuses) == 20
    assert run.status == "passed"
    assert [segment[-1]["status"] for segment in run.segments if segment[0]["role"] == "child"] == [
        None,
        None,
    ]
    assert "40 events" in run.line
    assert main["run_id"] in run.line


def test_a_run_can_be_joined_by_its_id(project):
    project.write("test_many.py", MANY)
    run_id = "0192f0c4-7b1a-7c3e-8d2f-0123456789ab"
    run = project.pytest("-n", "2", environ={"CROSSBRIDGE_RUN_ID": run_id})
    assert {header["run_id"] for header in run.headers} == {run_id}


def test_settings_of_files_reach_the_workers(project):
    project.write("test_many.py", MANY)
    project.write(".env", "CROSSBRIDGE_PROFILING=true\nCROSSBRIDGE_PROFILING_BACKEND=none\n")
    project.write("crossbridge.yml", "profiling:\n  environment: staging\n  labels: team=shop\n")
    run = project.pytest("-n", "2", on=False)
    assert {header["environment"] for header in run.headers} == {"staging"}
    assert [header["labels"] for header in run.headers] == [{"team": "shop"}] * 3


def test_no_password_is_handed_to_a_worker(project):
    project.write(
        "test_password.py",
        """
        def test_password(pytestconfig):
            assert "s3cret" not in repr(pytestconfig.workerinput)
        """,
    )
    run = project.pytest("-n", "1", environ={"CROSSBRIDGE_DB_PASSWORD": "s3cret"})
    assert run.returncode == 0
    assert "s3cret" not in repr(run.segments)


@pytest.mark.parametrize("death", ["os._exit(3)", "os.kill(os.getpid(), signal.SIGSEGV)", "os.kill(os.getpid(), signal.SIGKILL)"])  # fmt: skip
def test_the_controller_writes_the_test_in_which_a_worker_died(project, death):
    project.write(
        "test_crash.py",
        f"""
        import os, signal, time

        def test_before(): pass
        def test_crash():
            time.sleep(0.3)
            {death}
        def test_after(): pass
        """,
    )
    run = project.pytest("-n", "1")
    assert run.returncode == 1
    assert run.statuses == {
        "test_crash.py::test_before": "passed",
        "test_crash.py::test_crash": "failed",
        "test_crash.py::test_after": "passed",
    }
    end = run.end_of("::test_crash")
    assert end["worker"] == "gw0"
    assert end["error_message"] == "worker 'gw0' crashed while running 'test_crash.py::test_crash'"
    assert 200_000 < end["duration_us"] < 10_000_000
    (controller,) = [segment for segment in run.segments if segment[0]["role"] == "main"]
    assert end in controller
    assert sorted(header["worker"] for header in run.headers if header["worker"]) == ["gw0", "gw1"]


def test_dist_each_runs_each_test_once_a_worker(project):
    project.write("test_many.py", MANY)
    run = project.pytest("--dist=each", "--tx", "2*popen")
    assert len(run.ends) == 40
    by_worker = [len([e for e in segment if e["type"] == "test_end"]) for segment in run.segments]
    assert sorted(by_worker) == [0, 20, 20]


@pytest.mark.parametrize("dist", ["load", "loadscope", "loadfile", "worksteal"])
def test_every_schedule_stores_each_test_once(project, dist):
    project.write("test_many.py", MANY)
    project.write("test_more.py", MANY)
    assert len(project.pytest("-n", "2", f"--dist={dist}").statuses) == 40


def test_a_group_is_no_part_of_a_name(project):
    project.write(
        "test_groups.py",
        """
        import pytest

        @pytest.mark.xdist_group("db")
        @pytest.mark.parametrize("value", ["a@b", "x]@y"])
        def test_grouped(value): pass

        @pytest.mark.xdist_group("db")
        def test_plain(): pass

        @pytest.mark.parametrize("value", ["a@b"])
        def test_free(value): pass
        """,
    )
    alone = project.pytest()
    grouped = project.pytest("-n", "2", "--dist=loadgroup")
    names = {end["test_id"] for end in alone.ends}
    assert {end["test_id"] for end in grouped.ends} == names
    assert len(grouped.ends) == 2 * len(names) == 8


def test_maxfail_stops_the_run_as_failed(project):
    project.write(
        "test_many.py", "import pytest\n@pytest.mark.parametrize('n', range(50))\ndef test(n): assert False"
    )
    run = project.pytest("-n", "2", "--maxfail=2")
    assert run.returncode != 0
    assert run.status == "failed"
    assert set(run.statuses.values()) == {"failed"}


def test_no_workers_means_the_process_itself(project):
    project.write("test_many.py", MANY)
    run = project.pytest("-n", "0")
    assert [header["role"] for header in run.headers] == ["main"]
    assert len(run.statuses) == 20


def test_workers_that_a_late_conftest_switches_on_share_a_run(project):
    project.write("deep/er/conftest.py", """
        import os
        os.environ["CROSSBRIDGE_PROFILING"] = "true"
        os.environ["CROSSBRIDGE_PROFILING_BACKEND"] = "none"
    """)  # fmt: skip
    project.write("deep/er/test_many.py", MANY)
    run = project.pytest("-n", "2", on=False)
    assert len({header["run_id"] for header in run.headers}) == 1
    assert len(run.statuses) == 20


def test_what_a_worker_could_not_write_is_told_by_the_controller(project):
    project.write(
        "conftest.py",
        """
        import os, pathlib, shutil

        if "PYTEST_XDIST_WORKER" in os.environ:
            spool = pathlib.Path(".crossbridge/spool")
            shutil.rmtree(spool)
            spool.write_text("in the way")
        """,
    )
    project.write("test_many.py", MANY)
    run = project.pytest("-n", "1")
    assert run.returncode == 0
    assert "40 dropped" in run.line


def test_what_a_full_spool_does_not_take_is_counted(project):
    project.write("test_many.py", MANY.replace("range(20)", "range(500)"))
    run = project.pytest("-n", "2", environ={"CROSSBRIDGE_SPOOL_MAX_BYTES": "64KiB"})
    assert run.returncode == 0
    kept, dropped = (
        int(number.replace(",", "")) for number in re.findall(r"([\d,]+) (?:events kept|dropped)", run.line)
    )
    assert kept == len(run.of_type("test_start")) + len(run.ends) > 0
    assert kept + dropped == 1000


def test_faults_in_a_worker_are_told_by_the_controller(project):
    project.write(
        "conftest.py",
        """
        import os

        if "PYTEST_XDIST_WORKER" in os.environ:
            from crossbridge.profiling.collector import MetricsCollector

            def record(*args): raise RuntimeError("ours")

            def pytest_collection_finish():
                MetricsCollector.record = record
        """,
    )
    project.write("test_many.py", MANY)
    run = project.pytest("-n", "1", environ={"CROSSBRIDGE_STRICT": "0"})
    assert run.returncode == 0
    assert (
        "40 faults of crossbridge's own, the first: pytest_runtest_logstart: RuntimeError: ours" in run.line
    )
