"""`crossbridge init`, then the framework's usual command: every test is recorded, once, with no other edit."""

from __future__ import annotations

import json
from dataclasses import replace

import psycopg
import pytest

from support.behave_runs import RUNNER
from support.cli import run_cli
from support.framework_runs import Suite
from support.postgres import db_environment
from support.projects import ROBOT, make, tree
from support.pytest_runs import clean_environ
from support.robot_runs import LISTENER, QUIET

# What people type, by example, and what records it where nothing was written into the project.
USUAL = {
    "pytest": ("pytest",),
    "robot": ("robot", *QUIET, "tests"),
    "behave": ("behave",),
}
NO_EDIT = {
    "pytest": ((), {"PYTEST_ADDOPTS": "-p crossbridge"}),
    "robot": ((), {"ROBOT_OPTIONS": f"--listener {LISTENER}"}),
    "behave": (("-r", RUNNER), {}),
}
OLD_ROBOT = ("robotframework==6.1.1", "robotframework-retryfailed==0.2.0", "requests")


def run_usual(project, framework, *args, **environ):
    return project.run(*USUAL[framework], *args, on=False, environ=environ)


@pytest.fixture(scope="module", params=USUAL)
def framework(request):
    pytest.importorskip(request.param)
    return request.param


@pytest.fixture(scope="module")
def recorded_without_an_edit(framework, tmp_path_factory):
    """What the no-edit route records of an example: attempts, number of steps, exit code."""
    example = Suite(tmp_path_factory.mktemp("no-edit") / "shop", example=framework)
    args, environ = NO_EDIT[framework]
    run = example.run(*USUAL[framework], *args, environ=environ)
    assert run.attempts
    return run.attempts, len(run.of_type("step_end")), run.returncode


def initialised(folder, init, example=None, **options):
    """A project that `crossbridge init` has been called in."""
    project = Suite(folder, example=example, **options)
    (folder / ".env").unlink()
    if example is None:
        return project
    assert init(folder).returncode == 0
    return project


def what(run):
    return run.attempts, len(run.of_type("step_end")), run.returncode


def test_the_usual_command_stores_every_test_on_this_machine(
    framework, tmp_path, init, server, recorded_without_an_edit
):
    project = initialised(tmp_path / "shop", init, framework)
    run = run_usual(project, framework)
    assert what(run) == recorded_without_an_edit
    assert len({header["run_id"] for header in run.headers}) == 1
    target = server.start()
    environ = clean_environ(CROSSBRIDGE_DATA_DIR=str(server._home.path))
    report = run_cli("report", "--json", cwd=project.folder, env=environ)
    assert report.returncode == 0, report.stderr
    with psycopg.connect(**replace(target, dbname="crossbridge").parameters()) as connection:
        rows = connection.execute(
            "SELECT test_id, attempt, status FROM crossbridge.tests WHERE run_id = %s",
            [run.headers[0]["run_id"]],
        ).fetchall()
    assert sorted(rows) == sorted(recorded_without_an_edit[0].elements())


def test_a_server_named_in_dotenv_gets_every_test(
    framework, tmp_path, init, migrated, recorded_without_an_edit
):
    project = initialised(tmp_path / "shop", init, framework)
    settings = db_environment(migrated) | {"CROSSBRIDGE_DRAIN_TIMEOUT": "60"}
    with (project.folder / ".env").open("a") as dotenv:
        dotenv.writelines(f"{name}='{value}'\n" for name, value in settings.items())
    run = run_usual(project, framework)
    assert "delivered to" in run.line
    with psycopg.connect(**migrated.parameters()) as connection:
        rows = connection.execute("SELECT test_id, attempt, status FROM crossbridge.tests").fetchall()
        assert connection.execute("SELECT count(*) FROM crossbridge.runs").fetchone() == (1,)
    assert sorted(rows) == sorted(recorded_without_an_edit[0].elements())


def test_the_no_edit_route_beside_the_written_one_records_once(
    framework, tmp_path, init, recorded_without_an_edit
):
    project = initialised(tmp_path / "shop", init, framework)
    args, environ = NO_EDIT[framework]
    run = run_usual(project, framework, *args, **environ)
    assert what(run) == recorded_without_an_edit
    assert len(run.segments) == 1


def test_removed_the_project_is_as_it_was_and_nothing_is_recorded(framework, tmp_path, init):
    project = Suite(tmp_path / "shop", example=framework)
    (project.folder / ".env").unlink()
    before = tree(project.folder)
    init(project.folder)
    assert tree(project.folder) != before
    assert init(project.folder, "--remove").returncode == 0
    assert tree(project.folder) == before


def test_switched_off_the_written_hooks_record_nothing(framework, tmp_path, init, recorded_without_an_edit):
    project = initialised(tmp_path / "shop", init, framework)
    run = run_usual(project, framework, CROSSBRIDGE_PROFILING="false")
    assert run.returncode == recorded_without_an_edit[2]
    assert run.segments == []
    assert "crossbridge: " not in run.output
    assert "WARN" not in run.output


@pytest.mark.parametrize("split", [(), ("--testlevelsplit",)])
def test_pabot_is_one_run(tmp_path, init, split):
    pytest.importorskip("pabot")
    project = initialised(tmp_path / "shop", init, "robot")
    options = {"on": False, "environ": {"CROSSBRIDGE_PROFILING_BACKEND": "none"}}
    alone = project.run(*USUAL["robot"], **options)
    run = project.run("pabot.pabot", "--processes", "2", "--outputdir", "results", *split, "tests", **options)
    own = [segment for segment in run.segments if segment[0] not in alone.headers]
    ends = sorted(event["test_id"] for segment in own for event in segment if event["type"] == "test_end")
    assert ends == sorted(alone.statuses)
    assert len({segment[0]["run_id"] for segment in own}) == 1


@pytest.fixture
def robot_project(tmp_path, init):
    pytest.importorskip("robot")
    folder = tmp_path / "project"
    project = initialised(folder, init)
    make(folder, ROBOT | {"suites/below/deep/b.robot": "*** Test Cases ***\nTwo\n    Fail    no\n"})
    return project


def test_robot_started_above_the_written_file_is_recorded_from_there_on(robot_project, init):
    assert init(robot_project.folder).returncode == 0
    run = robot_project.run("robot", *QUIET, ".", on=False)
    assert run.statuses == {"Project.Suites.A.One": "passed", "Project.Suites.Below.Deep.B.Two": "failed"}
    assert run.status == "failed"
    assert len(run.segments) == 1


def test_settings_in_an_existing_suite_file_stay(robot_project, init):
    text = "*** Settings ***\nSuite Setup    Greet\n\n*** Keywords ***\nGreet\n    Log To Console    hello"
    make(robot_project.folder, {"suites/__init__.robot": text})
    assert init(robot_project.folder).returncode == 0
    run = robot_project.run("robot", *QUIET, "suites", on=False)
    assert run.statuses == {"Suites.A.One": "passed", "Suites.Below.Deep.B.Two": "failed"}
    assert "hello" in run.stdout
    assert "ERROR" not in run.output
    assert "WARN" not in run.output
    assert init(robot_project.folder, "--remove").returncode == 0
    assert (robot_project.folder / "suites/__init__.robot").read_text() == text


def test_robot_goes_on_where_crossbridge_is_not_installed(robot_project, init):
    assert init(robot_project.folder).returncode == 0
    robot_project.write("crossbridge.py", "raise ImportError('not here')\n")
    run = robot_project.run("robot", *QUIET, "suites", on=False)
    assert "2 tests, 1 passed, 1 failed" in run.stdout
    assert run.line == "crossbridge: profiling is off for this run: not here"
    assert "WARN" not in run.output


def test_robot_framework_6_is_recorded_too(tmp_path, init):
    import sys

    from support.third_party import python_with

    if sys.version_info >= (3, 13):
        pytest.skip("Robot Framework 6.1 is for older Pythons")
    project = initialised(tmp_path / "shop", init, "robot", python=python_with(*OLD_ROBOT))
    run = run_usual(project, "robot", CROSSBRIDGE_PROFILING_BACKEND="none")
    reference = project.run(
        *USUAL["robot"], environ=NO_EDIT["robot"][1] | {"CROSSBRIDGE_PROFILING_BACKEND": "none"}
    )
    assert run.headers[0]["framework_version"] == "6.1.1"
    assert 2 * len(run.statuses) == len(reference.ends)


@pytest.fixture
def pytest_project(tmp_path, init):
    project = initialised(tmp_path / "project", init)
    project.write(
        "pytest.ini", "[pytest]\nfilterwarnings = error\nasyncio_default_fixture_loop_scope = function\n"
    )
    return project


def test_a_test_can_use_the_fixture(pytest_project, init):
    pytest_project.write(
        "tests/test_a.py",
        """
        def test_a(crossbridge_profiling):
            assert crossbridge_profiling.get_stats()["running"]
        """,
    )
    assert init(pytest_project.folder).returncode == 0
    run = pytest_project.run("pytest", on=False)
    assert run.returncode == 0, run.output
    assert run.statuses == {"tests/test_a.py::test_a": "passed"}


@pytest.mark.parametrize(
    "broken", ["raise ImportError('not here')", "raise RuntimeError('broken')"], ids=["missing", "broken"]
)
def test_pytest_goes_on_where_crossbridge_is_not_installed(pytest_project, init, broken):
    pytest_project.write(
        "tests/test_a.py", "def test_a(crossbridge_profiling): assert crossbridge_profiling is None\n"
    )
    assert init(pytest_project.folder).returncode == 0
    pytest_project.write("tests/crossbridge/__init__.py", f"{broken}\n")
    run = pytest_project.run("pytest", "-p", "no:crossbridge", "--import-mode=prepend", on=False)
    assert run.returncode == 0, run.output


def test_a_wrong_setting_is_told_once(pytest_project, init):
    pytest_project.write("tests/test_a.py", "def test_a(): pass\n")
    assert init(pytest_project.folder).returncode == 0
    run = pytest_project.run("pytest", on=False, environ={"CROSSBRIDGE_FLUSH_INTERVAL": "5s"})
    assert run.returncode == 0, run.output
    assert "CROSSBRIDGE_FLUSH_INTERVAL must be" in run.line


def test_workers_of_xdist_are_one_run(pytest_project, init):
    pytest.importorskip("xdist")
    pytest_project.write(
        "tests/test_a.py", "import pytest\n@pytest.mark.parametrize('n', range(4))\ndef test_a(n): pass\n"
    )
    assert init(pytest_project.folder).returncode == 0
    run = pytest_project.run("pytest", "-n", "2", on=False)
    assert len(run.statuses) == 4
    assert len({header["run_id"] for header in run.headers}) == 1


def test_the_report_of_the_first_run_is_reached_by_the_commands_that_init_names(pytest_project, init, server):
    pytest_project.write("tests/test_a.py", "def test_a(): pass\n")
    assert "crossbridge report" in init(pytest_project.folder).stderr
    pytest_project.run("pytest", on=False)
    environ = clean_environ(CROSSBRIDGE_DATA_DIR=str(server._home.path))
    report = run_cli("report", "--json", cwd=pytest_project.folder, env=environ)
    assert json.loads(report.stdout)["run"]["framework"] == "pytest"
