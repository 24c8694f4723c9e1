"""Every way to switch behave's recording on, alone and together: each event once, and nothing while off."""

from __future__ import annotations

import pytest

from support.behave_runs import BEHAVE, INSTALL, RUNNER
from support.pytest_runs import broken

HOOKS = """
def before_all(context):
    context.seen = ["before_all"]

def after_scenario(context, scenario):
    context.seen.append("after " + scenario.name)

def after_all(context):
    with open("hooks.txt", "w") as file:
        file.write(" ".join(context.seen))
"""
FEATURE = "Feature: A\n  Scenario: One\n    Given it passes\n  Scenario: Two\n    Given it fails\n"
BOTH = {"features/a.feature::One": "passed", "features/a.feature::Two": "failed"}


@pytest.fixture
def two(suite):
    suite.write("features/a.feature", FEATURE)
    return suite


@pytest.mark.parametrize(
    ("environment", "command"),
    [
        ("", BEHAVE),
        (INSTALL, ("behave",)),
        (INSTALL + HOOKS, ("behave",)),
        (HOOKS + INSTALL, ("behave",)),
        (INSTALL + HOOKS + INSTALL, BEHAVE),
    ],
)
def test_scenarios_are_recorded_once_and_own_hooks_run(two, environment, command):
    two.write("features/environment.py", environment)
    run = two.run(*command)
    assert run.returncode == 1
    assert run.statuses == BOTH
    assert len(run.segments) == 1
    assert [start.get("attempt", 1) for start in run.of_type("test_start")] == [1, 1]
    assert len(run.of_type("step_end")) == 2
    if HOOKS in environment:
        assert (two.folder / "hooks.txt").read_text() == "before_all after One after Two"


def test_runner_in_a_config_file_records(two):
    two.write("behave.ini", f"[behave]\nrunner = {RUNNER}\n")
    assert two.run("behave").statuses == BOTH


def test_each_run_of_a_process_is_a_run(two):
    two.write(
        "program.py",
        f"from behave.__main__ import main\nfor _ in range(2):\n    main(['-r', '{RUNNER}'])\n",
    )
    run = two.run("program")
    assert len({header["run_id"] for header in run.headers}) == 2
    for segment in run.segments:
        ends = [event for event in segment if event["type"] == "test_end"]
        assert {end["test_id"]: end["status"] for end in ends} == BOTH


def test_behave_that_a_step_runs_in_its_own_process_is_part_of_that_step(two):
    two.write("inner/features/steps/s.py", "from behave import step\n@step('inner')\ndef s(context): pass\n")
    two.write("inner/features/b.feature", "Feature: B\n  Scenario: Inner\n    Given inner\n")
    two.write(
        "features/steps/nest.py",
        """
        from behave import step
        from behave.configuration import Configuration
        from crossbridge.integrations.behave import Runner

        @step("behave runs")
        def runs(context):
            assert Runner(Configuration(["inner/features", "-f", "plain"])).run() is False
        """,
    )
    two.write(
        "features/a.feature", "Feature: A\n  Scenario: Outer\n    Given behave runs\n    And it passes\n"
    )
    run = two.run("behave", "-r", RUNNER, "features")
    assert run.statuses == {"features/a.feature::Outer": "passed"}
    assert [step["step_name"] for step in run.of_type("step_end")] == ["Given behave runs", "And it passes"]


@pytest.mark.parametrize("settings", [{}, {"CROSSBRIDGE_PROFILING": "false"}])
@pytest.mark.parametrize(("environment", "command"), [("", BEHAVE), (INSTALL, ("behave",))])
def test_off_leaves_no_trace(two, environment, command, settings):
    two.write("features/environment.py", environment)
    run = two.run(*command, on=False, environ=settings)
    assert run.returncode == 1
    assert not (two.folder / ".crossbridge").exists()
    assert "crossbridge: " not in run.output


def test_off_wraps_nothing(two):
    two.write(
        "program.py",
        """
        import sys
        import behave.model, behave.runner, behave.step_registry
        methods = lambda: [behave.model.Scenario.run, behave.model.Step.run, behave.model.Feature.run,
                           behave.runner.ModelRunner.run_model, behave.step_registry.StepRegistry.find_match]
        before = methods()
        from crossbridge.integrations.behave import install
        install()
        print("wrapped", sum(a is not b for a, b in zip(before, methods())), "crossbridge.profiling" in sys.modules)
        """,
    )
    assert "wrapped 0 False" in two.run("program", on=False).stdout
    assert "wrapped 5 True" in two.run("program").stdout


def test_dotenv_alone_switches_on(two):
    (two.folder / ".env").write_text("CROSSBRIDGE_PROFILING=true\nCROSSBRIDGE_PROFILING_BACKEND=none\n")
    assert two.run(*BEHAVE, on=False).statuses == BOTH


def test_wrong_setting_gives_one_line_and_no_profiling(two):
    two.write("features/environment.py", INSTALL)
    run = two.run(*BEHAVE, environ={"CROSSBRIDGE_FLUSH_INTERVAL": "5s"})
    assert run.returncode == 1
    assert run.segments == []
    assert "CROSSBRIDGE_FLUSH_INTERVAL must be" in run.line


def test_environment_works_where_crossbridge_is_not_installed(two):
    two.write("features/environment.py", INSTALL)
    two.write("crossbridge.py", "raise ImportError('not here')\n")
    run = two.run("behave")
    assert run.returncode == 1
    assert "1 scenario passed, 1 failed" in run.stdout
    assert run.line == "crossbridge: profiling is off for this run: not here"
    assert run.segments == []


def test_broken_installation_gives_one_line_and_no_profiling(two):
    two.write("features/environment.py", broken("raise RuntimeError('broken')") + INSTALL)
    run = two.run("behave")
    assert run.returncode == 1
    assert run.segments == []
    assert run.line == "crossbridge: profiling is off for this run: RuntimeError: broken"


def test_ends_with_one_line_on_stderr(two):
    run = two.run(*BEHAVE)
    assert run.line in run.stderr
    assert run.headers[0]["run_id"] in run.line
