"""When pytest is recorded, and that nothing of ours is there when it is not."""

from __future__ import annotations

import sys

import pytest

from support.pytest_runs import broken

ONE = "def test_one(): pass"
PROBE = """
    import sys

    def test_nothing_of_ours_is_here(pytestconfig):
        loaded = sorted(name for name in sys.modules if name.split(".")[0] == "crossbridge")
        assert loaded == LOADED
        hooks = [
            caller.name
            for caller, plugins in (
                (caller, [impl.plugin_name for impl in caller.get_hookimpls()])
                for caller in vars(pytestconfig.hook).values()
                if hasattr(caller, "get_hookimpls")
            )
            if any("crossbridge" in str(name) for name in plugins)
        ]
        assert sorted(hooks) == HOOKS
"""
LOADED = [
    "crossbridge",
    "crossbridge._version",
    "crossbridge.integrations",
    "crossbridge.integrations.pytest",
    "crossbridge.steps",
    "crossbridge.switch",
]
HOOKS = ["pytest_collection_finish", "pytest_sessionstart"]


def _probe(loaded, hooks):
    return PROBE.replace("LOADED", repr(loaded)).replace("HOOKS", repr(hooks))


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"CROSSBRIDGE_PROFILING": "false"},
        {"CROSSBRIDGE_PROFILING": ""},
        {"CROSSBRIDGE_PROFILING": "true", "CROSSBRIDGE_PROFILING_ENABLED": "0"},
        {"CROSSBRIDGE_DB_HOST": "db", "CROSSBRIDGE_RUN_ID": "nonsense"},
    ],
    ids=repr,
)
def test_off_means_off(project, environ):
    project.write("test_probe.py", _probe(LOADED, HOOKS))
    run = project.pytest(on=False, environ=environ)
    assert run.returncode == 0, run.output
    assert not (project.folder / ".crossbridge").exists()
    assert "crossbridge: " not in run.output


def test_no_plugin_means_nothing_at_all(project):
    project.write("test_probe.py", _probe([], []))
    run = project.pytest("-p", "no:crossbridge")
    assert run.returncode == 0, run.output
    assert not (project.folder / ".crossbridge").exists()


@pytest.mark.parametrize(
    "environ",
    [
        {"CROSSBRIDGE_PROFILING": "true"},
        {"CROSSBRIDGE_PROFILING_ENABLED": "1"},
        {"CROSSBRIDGE_PROFILING": "YES", "CROSSBRIDGE_PROFILING_ENABLED": "on"},
    ],
    ids=repr,
)
def test_the_environment_switches_on(project, environ):
    project.write("test_a.py", ONE)
    run = project.pytest(on=False, environ={"CROSSBRIDGE_PROFILING_BACKEND": "none"} | environ)
    assert run.statuses == {"test_a.py::test_one": "passed"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".env", "CROSSBRIDGE_PROFILING=true\nCROSSBRIDGE_PROFILING_BACKEND=none"),
        ("crossbridge.yml", "profiling:\n  enabled: true\n  backend: none"),
        ("crossbridge.yml", "crossbridge:\n  profiling:\n    enabled: true\n    backend: none"),
    ],
)
def test_files_of_the_project_switch_on(project, name, text):
    project.write(name, text)
    project.write("test_a.py", ONE)
    assert project.pytest(on=False).statuses == {"test_a.py::test_one": "passed"}
    off = project.pytest(on=False, environ={"CROSSBRIDGE_PROFILING": "false"})
    assert len(off.ends) == 1, "the environment counts more than a file"


def test_the_project_root_may_lie_above_the_rootdir(project):
    project.write(".env", "CROSSBRIDGE_PROFILING=true\nCROSSBRIDGE_PROFILING_BACKEND=none")
    project.write("service/pytest.ini", "[pytest]")
    project.write("service/tests/test_a.py", ONE)
    run = project.pytest(on=False, cwd=project.folder / "service" / "tests")
    assert run.statuses == {"tests/test_a.py::test_one": "passed"}


def test_names_do_not_depend_on_the_working_directory(project):
    project.write("tests/unit/test_a.py", ONE)
    project.pytest()
    project.pytest("test_a.py", cwd=project.folder / "tests" / "unit")
    run = project.pytest(f"--rootdir={project.folder}", project.folder / "tests", cwd=project.folder.parent)
    assert [end["test_id"] for end in run.ends] == ["tests/unit/test_a.py::test_one"] * 3


@pytest.mark.parametrize("extra", [(), ("-n", "2"), ("-n", "2", "-s"), ("-q", "-q"), ("-W", "error"), ("-p", "no:terminal"), ("-s", "-p", "no:terminal")], ids=str)  # fmt: skip
def test_a_bad_setting_is_told_in_one_line_and_the_tests_run(project, extra):
    project.write("test_a.py", "def test_a(): pass\ndef test_b(): assert False")
    project.write("test_probe.py", "def test_c():\n    from crossbridge.profiling.context import Active\n    assert Active.collector is None")  # fmt: skip
    run = project.pytest(*extra, environ={"CROSSBRIDGE_FLUSH_INTERVAL": "5s"})
    assert run.returncode == pytest.ExitCode.TESTS_FAILED
    assert run.line == (
        "crossbridge: CROSSBRIDGE_FLUSH_INTERVAL must be a number of seconds from 0.01 to 60, got '5s'. "
        "Unset it to use the default. Profiling is off for this run."
    )
    assert not (project.folder / ".crossbridge").exists()


def test_a_settings_file_that_cannot_be_read_is_told(project):
    project.write("test_a.py", ONE)
    (project.folder / ".env").write_bytes(b"CROSSBRIDGE_PROFILING=true # \xff")
    run = project.pytest(on=False)
    assert run.returncode == 0
    assert run.line.startswith("crossbridge: .env cannot be read (")


def test_a_folder_called_like_a_settings_file_is_none(project):
    project.write("test_a.py", ONE)
    (project.folder / ".env").mkdir()  # a virtual environment, perhaps
    run = project.pytest(on=False)
    assert (run.returncode, run.stderr) == (0, "")


def test_a_broken_installation_is_told_and_the_tests_run(project):
    project.write("test_a.py", ONE)
    project.write("conftest.py", broken("raise ImportError('built for another Python')"))
    run = project.pytest()
    assert run.returncode == 0
    assert run.line == (
        "crossbridge: cannot be imported (built for another Python). "
        "Mend it with: pip install --force-reinstall crossbridge. Profiling is off for this run."
    )


@pytest.mark.parametrize(
    "environ",
    [
        {"PYTEST_ADDOPTS": "-p crossbridge"},
        {"PYTEST_ADDOPTS": "-p crossbridge", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    ],
    ids=repr,
)
def test_the_plugin_can_be_named_beside_its_entry_point_or_instead(project, environ):
    project.write("pytest.ini", "[pytest]")
    project.write("test_a.py", ONE)
    run = project.pytest(environ=environ)
    assert run.returncode == 0
    assert run.statuses == {"test_a.py::test_one": "passed"}


def test_without_autoload_there_is_no_plugin(project):
    project.write("pytest.ini", "[pytest]")
    project.write("test_a.py", ONE)
    run = project.pytest(environ={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
    assert run.returncode == 0
    assert run.segments == []


@pytest.mark.parametrize("script", [False, True], ids=["python -m pytest", "pytest"])
def test_both_ways_to_call_pytest_are_recorded(project, script):
    project.write("test_a.py", ONE)
    command = (sys.executable.replace("/python", "/pytest"),) if script else (sys.executable, "-m", "pytest")
    assert project.pytest(command=command).statuses == {"test_a.py::test_one": "passed"}


@pytest.mark.parametrize(
    "option",
    ["--collect-only", "--co", "--setup-plan", "--setup-only", "--fixtures", "--fixtures-per-test", "--markers", "--cache-show", "--help", "--version"],
)  # fmt: skip
def test_what_runs_no_test_records_nothing(project, option):
    project.write("test_a.py", ONE)
    run = project.pytest(option)
    assert run.returncode == 0
    assert run.segments == []
    assert "crossbridge: " not in run.output.replace("crossbridge-", "")


def test_sessions_that_a_test_starts_are_not_recorded(project):
    project.write("conftest.py", "pytest_plugins = 'pytester'")
    project.write(
        "test_nested.py",
        """
        import pytest

        @pytest.mark.parametrize("how", ["runpytest_inprocess", "runpytest_subprocess"])
        def test_inner(pytester, how):
            pytester.makepyfile("def test_innermost(): assert False")
            for _ in range(2):
                getattr(pytester, how)("-p", "no:asyncio").assert_outcomes(failed=1)

        def test_after(): pass
        """,
    )
    # The inner ones would write here, and into this run, if they did.
    spool = {"CROSSBRIDGE_SPOOL_DIR": str(project.folder / ".crossbridge" / "spool")}
    run = project.pytest("-p", "no:asyncio", environ=spool)
    assert run.returncode == 0, run.output
    assert run.statuses == {
        "test_nested.py::test_inner[runpytest_inprocess]": "passed",
        "test_nested.py::test_inner[runpytest_subprocess]": "passed",
        "test_nested.py::test_after": "passed",
    }
    assert len(run.segments) == 1


LATE = """
    import os
    os.environ["CROSSBRIDGE_PROFILING"] = "true"
    os.environ["CROSSBRIDGE_PROFILING_BACKEND"] = "none"
"""


def test_a_conftest_can_switch_on_when_it_is_imported_late(project):
    project.write("deep/er/conftest.py", LATE)
    project.write("deep/er/test_a.py", ONE)
    project.write("deep/er/test_broken.py", "import no_such_module_anywhere")
    project.write("deep/er/test_whole.py", "import pytest\npytest.skip('x', allow_module_level=True)")
    run = project.pytest("--continue-on-collection-errors", on=False)
    assert run.statuses == {
        "deep/er/test_a.py::test_one": "passed",
        "deep/er/test_broken.py": "error",
        "deep/er/test_whole.py": "skipped",
    }


def test_a_late_conftest_overrides_a_file_that_switches_off(project):
    project.write(".env", "CROSSBRIDGE_PROFILING=false")
    project.write("deep/er/conftest.py", LATE)
    project.write("deep/er/test_a.py", ONE)
    assert project.pytest(on=False).statuses == {"deep/er/test_a.py::test_one": "passed"}


def test_a_late_conftest_does_not_record_what_is_not_run(project):
    project.write("deep/er/conftest.py", LATE)
    project.write("deep/er/test_a.py", ONE)
    assert project.pytest("--collect-only", on=False).segments == []


def test_sessions_one_after_the_other_are_runs_of_their_own(project):
    project.write("test_a.py", ONE)
    project.write("twice.py", "import pytest\nassert pytest.main([]) == 0\nassert pytest.main([]) == 0")
    run = project.pytest(command=(sys.executable, "twice.py"))
    assert run.returncode == 0
    assert len({header["run_id"] for header in run.headers}) == 2
    assert len(run.ends) == 2


def test_a_program_that_records_keeps_its_run_when_it_calls_pytest(project):
    project.write("test_a.py", ONE)
    project.write(
        "program.py",
        """
        import pytest
        from crossbridge.profiling.collector import MetricsCollector

        collector = MetricsCollector.get_instance()
        collector.start(framework="mine")
        assert pytest.main([]) == 0
        assert collector.running
        collector.record_test_start("mine")
        collector.record_test_end("mine")
        collector.shutdown(status="passed")
        """,
    )
    run = project.pytest(command=(sys.executable, "program.py"))
    assert run.returncode == 0, run.output
    assert [header["framework"] for header in run.headers] == ["mine"]
    assert [(end["test_id"], end.get("framework")) for end in run.ends] == [
        ("test_a.py::test_one", "pytest"),
        ("mine", None),
    ]
