"""What scenarios are called: the same whatever is around them, and free of values."""

from __future__ import annotations

from support.behave_runs import BEHAVE

FEATURE = """
Feature: A
  Scenario: Twin
    Given it passes
  Scenario: Twin
    Given it passes

  Scenario Outline: It <does>
    Given it <does>
    Examples: first
      | does   |
      | passes |
      | fails  |
    Examples: second
      | does   |
      | raises |
"""

NAMES = {
    "features/a.feature::Twin": "passed",
    "features/a.feature::Twin #2": "passed",
    "features/a.feature::It <does> [1]": "passed",
    "features/a.feature::It <does> [2]": "failed",
    "features/a.feature::It <does> [2.1]": "error",
}


def test_rows_are_numbered_and_twins_told_apart(suite):
    suite.write("features/a.feature", FEATURE)
    assert suite.run(*BEHAVE).statuses == NAMES


def test_names_do_not_move_with_the_lines_or_with_the_folder_it_is_run_from(suite):
    suite.write("features/a.feature", "# a\n# b\n\n" + FEATURE)
    assert suite.run(*BEHAVE, cwd=suite.folder / "features").statuses == NAMES


def test_selected_twin_keeps_its_name(suite):
    path = suite.write("features/a.feature", FEATURE)
    line = path.read_text().splitlines().index("  Scenario: Twin", 2) + 1
    run = suite.run(*BEHAVE, "--no-skipped", f"features/a.feature:{line}")
    assert run.statuses == {"features/a.feature::Twin #2": "passed"}


def test_step_that_changes_the_working_folder_does_not_change_names(suite):
    suite.write(
        "features/environment.py",
        "import os, tempfile\ndef before_all(context):\n    os.chdir(tempfile.gettempdir())\n",
    )
    suite.write("features/a.feature", FEATURE)
    assert suite.run(*BEHAVE).statuses == NAMES


def test_rows_that_a_hook_adds_are_named_too(suite):
    suite.write(
        "features/environment.py",
        """
        def before_feature(context, feature):
            for scenario in feature.scenarios:
                for example in getattr(scenario, "examples", ()):
                    example.table.add_row(["passes"])
        """,
    )
    suite.write("features/a.feature", FEATURE)
    assert suite.run(*BEHAVE).statuses == NAMES | {
        "features/a.feature::It <does> [3]": "passed",
        "features/a.feature::It <does> [2.2]": "passed",
    }


def test_feature_outside_the_project_has_no_absolute_path(suite, tmp_path):
    other = tmp_path / "elsewhere" / "features"
    (other / "steps").mkdir(parents=True)
    (other / "a.feature").write_text(FEATURE)
    (other / "steps" / "s.py").write_text((suite.folder / "features/steps/steps.py").read_text())
    run = suite.run(*BEHAVE, str(other))
    assert {end["file"] for end in run.ends} == {"../elsewhere/features/a.feature"}
