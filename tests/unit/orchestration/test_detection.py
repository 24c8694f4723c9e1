"""Frameworks by their files."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossbridge.orchestration import survey as survey_module
from crossbridge.orchestration import targets
from crossbridge.orchestration.detection import behave_folders, detect, robot_folders
from crossbridge.orchestration.survey import survey
from support.projects import BEHAVE, PYTEST, ROBOT, make

POM = "<project><dependencies><dependency><groupId>{}</groupId></dependency></dependencies></project>"


def found(root):
    return {one.framework: one.evidence.as_posix() for one in detect(survey(root))}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, {}),
        (PYTEST, {"pytest": "tests/test_a.py"}),
        ({"pytest.ini": ""}, {"pytest": "pytest.ini"}),
        ({"a/conftest.py": ""}, {"pytest": "a/conftest.py"}),
        ({"pyproject.toml": "[tool.pytest.ini_options]\n"}, {"pytest": "pyproject.toml"}),
        ({"pyproject.toml": '[project]\ndependencies = ["PyTest>=8"]\n'}, {"pytest": "pyproject.toml"}),
        ({"pyproject.toml": '[tool.poetry.dependencies]\npytest = "^8"\n'}, {"pytest": "pyproject.toml"}),
        ({"setup.cfg": "[tool:pytest]\n"}, {"pytest": "setup.cfg"}),
        ({"tox.ini": "[pytest]\n"}, {"pytest": "tox.ini"}),
        ({"tox.ini": "[tox]\nenvlist = py\n"}, {}),
        ({"requirements-dev.txt": "requests\npytest==9.0 ; python_version > '3'\n"}, {"pytest": "requirements-dev.txt"}),
        ({"requirements.txt": "pytest-cov-like\n"}, {}),
        ({"requirements.txt": "robotframework>=7\n"}, {"robot": "requirements.txt"}),
        (ROBOT, {"robot": "suites/a.robot"}),
        (BEHAVE, {"behave": "features/steps"}),
        (BEHAVE | {"features/environment.py": ""}, {"behave": "features/environment.py"}),
        ({"tests/a.feature": "", "tests/steps/s.py": "from pytest_bdd import given\n"}, {}),
        ({"environment.py": "", "features/a.feature": "", "features/step_definitions/s.js": ""}, {}),
        ({"pom.xml": POM.format("org.testng")}, {"testng": "pom.xml"}),
        ({"pom.xml": POM.format("org.junit.jupiter")}, {"junit": "pom.xml"}),
        ({"app/build.gradle.kts": 'testImplementation("io.cucumber:cucumber-java:7.1")'}, {"cucumber": "app/build.gradle.kts"}),
        ({"build.gradle": "testImplementation 'io.rest-assured:rest-assured:5'"}, {"restassured": "build.gradle"}),
        ({"pom.xml": POM.format("org.seleniumhq.selenium")}, {"selenium_java": "pom.xml"}),
        ({"package.json": '{"devDependencies": {"@playwright/test": "1"}}'}, {"playwright": "package.json"}),
        ({"package.json": '{"devDependencies": {"@cucumber/cucumber": "1"}}'}, {"cucumber": "package.json"}),
        ({"package.json": "not JSON"}, {}),
        ({"package.json": '["cypress"]'}, {}),
        ({"web/playwright.config.ts": ""}, {"playwright": "web/playwright.config.ts"}),
        ({"cypress.config.js": ""}, {"cypress": "cypress.config.js"}),
        ({"T.csproj": '<PackageReference Include="NUnit" />'}, {"nunit": "T.csproj"}),
        ({"T.csproj": '<PackageReference Include="Reqnroll.NUnit" />'}, {"nunit": "T.csproj", "specflow": "T.csproj"}),
    ],
)  # fmt: skip
def test_a_framework_is_known_by_its_files(tmp_path, files, expected):
    assert found(make(tmp_path, files)) == expected


@pytest.mark.parametrize(
    "folder", ["node_modules/x", ".venv", "build", "dist", "a/.hidden", "lib/site-packages/x"]
)
def test_what_is_installed_built_or_hidden_is_passed_over(tmp_path, folder):
    assert found(make(tmp_path, {f"{folder}/test_a.py": "def test_a(): pass\n"})) == {}


def test_a_virtual_environment_by_any_name_is_passed_over(tmp_path):
    assert found(make(tmp_path, {"my-env/pyvenv.cfg": "", "my-env/lib/conftest.py": ""})) == {}


def test_a_link_in_a_circle_ends(tmp_path):
    make(tmp_path, PYTEST)
    (tmp_path / "tests" / "again").symlink_to(tmp_path)
    assert found(tmp_path) == {"pytest": "tests/test_a.py"}


def test_a_huge_tree_is_not_walked_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(survey_module, "_MOST_ENTRIES", 10)
    make(tmp_path, PYTEST | {f"z/{number}.txt": "" for number in range(20)})
    files = survey(tmp_path)
    assert not files.complete
    assert [one.framework for one in detect(files)] == ["pytest"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"tests/test_a.py": "def test_a(): pass"}, "tests/conftest.py"),
        ({"test_a.py": "def test_a(): pass"}, "conftest.py"),
        ({"conftest.py": "", "tests/test_a.py": "def test_a(): pass"}, "conftest.py"),
        ({"conftest.py": "", "tests/conftest.py": "", "tests/test_a.py": "def test_a(): pass"}, "tests/conftest.py"),
        # A conftest.py in tests/ would put tests/ onto sys.path, and make `unit` importable.
        ({"tests/unit/test_a.py": "def test_a(): pass"}, "tests/unit/conftest.py"),
        ({"tests/unit/conftest.py": "", "tests/e2e/test_a.py": "def test_a(): pass"}, "tests/e2e/conftest.py"),
        ({"pytest.ini": "[pytest]\ntestpaths = src/spec more\n", "src/spec/test_a.py": "def test_a(): pass",
          "tests/test_b.py": "def test_b(): pass"}, "src/spec/conftest.py"),
        ({"setup.cfg": "[tool:pytest]\ntestpaths =\n    checks\n", "checks/test_a.py": "def test_a(): pass"}, "checks/conftest.py"),
        ({"pytest.ini": ""}, "conftest.py"),
    ],
)  # fmt: skip
def test_the_fixture_goes_to_the_conftest_nearest_the_tests(tmp_path, files, expected):
    assert targets.conftest(survey(make(tmp_path, files))) == Path(expected)


SUITE = "*** Test Cases ***\nOne\n    No Operation\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"a.robot": SUITE}, ["."]),
        ({"tests/a.robot": SUITE, "tests/b/c.robot": SUITE}, ["tests"]),
        ({"tests/robot/a/b.robot": SUITE, "tests/robot/c/d.robot": SUITE}, ["tests/robot"]),
        ({"x/a.robot": SUITE, "y/b.robot": "| *** Tasks *** |\n"}, ["x", "y"]),
        ({"r/a.robot": "*** Keywords ***\nA\n    No Operation\n", "r/__init__.robot": ""}, []),
        ({"fi/a.robot": "Language: fi\n\n*** Testit ***\nYksi\n    No Operation\n"}, ["fi"]),
    ],
)
def test_robot_is_started_on_the_folder_that_all_suites_are_below(tmp_path, files, expected):
    assert [folder.as_posix() for folder in robot_folders(survey(make(tmp_path, files)))] == expected


def test_every_folder_that_behave_starts_from_is_found(tmp_path):
    second = {name.replace("features", "api/features"): text for name, text in BEHAVE.items()}
    assert behave_folders(survey(make(tmp_path, BEHAVE | second))) == [Path("api/features"), Path("features")]
