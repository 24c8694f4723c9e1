"""Which test frameworks a project uses, by its files."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from crossbridge.orchestration.copies import sdk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from crossbridge.orchestration.survey import Survey

# As they are called in the database, with the name people know them by.
FRAMEWORKS = {
    "pytest": "pytest",
    "robot": "Robot Framework",
    "behave": "Behave",
    "selenium_python": "Selenium (Python)",
    "testng": "TestNG",
    "junit": "JUnit",
    "cucumber": "Cucumber",
    "restassured": "RestAssured",
    "selenium_java": "Selenium (Java)",
    "playwright": "Playwright",
    "cypress": "Cypress",
    "nunit": "NUnit",
    "specflow": "SpecFlow/Reqnroll",
}
SUITE_FILE = "__init__.robot"

# Those that `init` writes hooks for: into Python sources, or by copies of folders of sdk/.
_PYTHON = ("pytest", "robot", "behave")
JVM = {
    "testng": "java/testng",
    "junit": "java/junit",
    "cucumber": "java/cucumber",
    "restassured": "java/restassured",
    "selenium_java": "java/selenium",
}
NODE = {"playwright": "js/src/playwright", "cypress": "js/src/cypress"}
_NODE_COMMANDS = {"playwright": "npx playwright test", "cypress": "npx cypress run"}

# What stands in the build files of the JVM and .NET, and in package.json's dependencies.
_JVM_SIGNS = {
    "testng": ("org.testng",),
    "junit": (
        "org.junit",
        "<artifactId>junit<",
        "junit:junit",
        "useJUnitPlatform",
        "spring-boot-starter-test",
        "quarkus-junit",
    ),
    "cucumber": ("io.cucumber",),
    "restassured": ("io.rest-assured",),
    "selenium_java": ("org.seleniumhq.selenium",),
}
_DOTNET = {"nunit": ("nunit",), "specflow": ("specflow", "reqnroll")}
_NODE_SIGNS = {
    "playwright": ("@playwright/test",),
    "cypress": ("cypress",),
    "cucumber": ("@cucumber/cucumber", "cucumber"),
}

_REQUIREMENT = re.compile(r"^[\s\"']*([A-Za-z0-9][A-Za-z0-9._-]*)", re.MULTILINE)
_QUOTED = re.compile(r"[\"']\s*([A-Za-z0-9][A-Za-z0-9._-]*)[^\"'\n]*[\"']")
_DISTRIBUTIONS = {
    "pytest": "pytest",
    "robotframework": "robot",
    "behave": "behave",
    "selenium": "selenium_python",
}


@dataclass(frozen=True)
class Found:
    """A framework, and the file that tells of it."""

    framework: str
    evidence: Path

    @property
    def name(self) -> str:
        return FRAMEWORKS[self.framework]

    @property
    def supported(self) -> bool:
        """Whether `init` makes it recorded, or finds it so."""
        if self.framework == "selenium_python":
            return find_spec("crossbridge.integrations.selenium") is not None
        return self.is_written

    @property
    def instead(self) -> str:
        """What to know of one that `init` does not support."""
        if self.framework == "cucumber":
            return "recorded by --format @crossbridge/profiling/cucumber:/dev/null"
        return "its hook is not in this release"

    @property
    def is_written(self) -> bool:
        """Whether `init` writes a hook for it."""
        folder = (
            None if self.framework == "cucumber" and not self.is_jvm else (JVM | NODE).get(self.framework)
        )
        return self.framework in _PYTHON or (folder is not None and (sdk() / folder).is_dir())

    @property
    def command(self) -> str:
        """What commonly starts its tests."""
        if self.is_jvm:
            return "mvn test" if self.evidence.name == "pom.xml" else "gradle test"
        return _NODE_COMMANDS.get(self.framework, self.framework)

    @property
    def is_jvm(self) -> bool:
        return self.framework in JVM and self.evidence.name != "package.json"


def detect(files: Survey) -> list[Found]:
    """Return the frameworks in use, each once, in the order of `FRAMEWORKS`."""
    first: dict[str, Path] = {}
    for framework, evidence in _signs(files):
        first.setdefault(framework, evidence)
    return [Found(framework, first[framework]) for framework in FRAMEWORKS if framework in first]


def _signs(files: Survey) -> Iterator[tuple[str, Path]]:
    for path in pytest_settings(files) + files.named("conftest.py") + pytest_files(files):
        yield "pytest", path
    for path in files.named("*.robot"):
        if path.name != SUITE_FILE:  # it may be ours
            yield "robot", path
    for folder in behave_folders(files):
        yield "behave", folder / ("environment.py" if files.holds(folder, "environment.py") else "steps")
    yield from _python_requirements(files)
    for path in files.named("pom.xml", "*.gradle", "*.gradle.kts", "libs.versions.toml"):
        yield from ((framework, path) for framework in _mentioned(files.text(path), _JVM_SIGNS))
    for path in files.named("package.json"):
        yield from ((framework, path) for framework in _node_packages(files.text(path)))
    for framework, patterns in (
        ("playwright", ("playwright.config.*",)),
        ("cypress", ("cypress.config.*", "cypress.json")),
    ):
        yield from ((framework, path) for path in files.named(*patterns))
    for path in files.named("*.csproj", "Directory.Packages.props"):
        yield from ((framework, path) for framework in _mentioned(files.text(path).lower(), _DOTNET))


def pytest_settings(files: Survey) -> list[Path]:
    """Return the files in which pytest is configured."""
    marks = {
        "pytest.ini": "",
        ".pytest.ini": "",
        "pyproject.toml": "[tool.pytest",
        "setup.cfg": "[tool:pytest]",
        "tox.ini": "[pytest]",
    }
    return [path for path in files.named(*marks) if marks[path.name] in files.text(path)]


def pytest_files(files: Survey) -> list[Path]:
    """Return the files pytest collects by its own rule of names."""
    return [path for path in files.named("test_*.py", "*_test.py") if "def test" in files.text(path)]


def behave_folders(files: Survey) -> list[Path]:
    """Return the folders behave starts from: those with `steps/` or environment.py, and features in them."""
    features = files.named("*.feature")
    return [
        folder
        for folder in files.folders
        if any(path.is_relative_to(folder) for path in features)
        and (_has_behave_steps(files, folder / "steps") or _has_environment(files, folder))
    ]


def _has_behave_steps(files: Survey, steps: Path) -> bool:
    """Tell steps of behave from those of pytest-bdd."""
    names = (name for name in files.folders.get(steps, ()) if name.endswith(".py"))
    return any("behave" in files.text(steps / name) for name in names)


def _has_environment(files: Survey, folder: Path) -> bool:
    return files.holds(folder, "environment.py") and files.holds(folder, "*.feature")


def robot_folders(files: Survey) -> list[Path]:
    """Return the folders `robot` is started on: for each part of the project, the one that all its suites are below."""
    parts: dict[str, list[Path]] = {}
    for path in files.named("*.robot"):
        if path.name != SUITE_FILE and _has_tests(files.text(path)):
            parts.setdefault(path.parts[0] if len(path.parts) > 1 else "", []).append(path.parent)
    return sorted(_common(folders) for folders in parts.values())


def _has_tests(text: str) -> bool:
    """Tell whether a suite file has tests; a header in a language other than English counts as one."""
    headers = [
        line.strip("|* \t").lower() for line in text.splitlines() if line.lstrip("| \t").startswith("*")
    ]
    others = {"settings", "setting", "variables", "variable", "keywords", "keyword", "comments", "comment"}
    return any(header not in others for header in headers)


def _common(folders: list[Path]) -> Path:
    common = folders[0]
    while not all(folder.is_relative_to(common) for folder in folders):
        common = common.parent
    return common


def _python_requirements(files: Survey) -> Iterator[tuple[str, Path]]:
    for path in files.named(
        "requirements*.txt", "requirements*.in", "pyproject.toml", "setup.cfg", "setup.py", "tox.ini"
    ):
        text = files.text(path)
        names = {
            name.lower().replace("_", "-") for name in _REQUIREMENT.findall(text) + _QUOTED.findall(text)
        }
        yield from ((framework, path) for name, framework in _DISTRIBUTIONS.items() if name in names)


def _mentioned(text: str, words: dict[str, tuple[str, ...]]) -> Iterator[str]:
    return (framework for framework, marks in words.items() if any(mark in text for mark in marks))


def _node_packages(text: str) -> Iterator[str]:
    try:
        package = json.loads(text)
    except (ValueError, RecursionError):
        return
    if not isinstance(package, dict):
        return
    names: set[str] = set()
    for key in ("dependencies", "devDependencies", "peerDependencies"):
        if isinstance(package.get(key), dict):
            names.update(package[key])
    yield from (framework for framework, packages in _NODE_SIGNS.items() if names.intersection(packages))
