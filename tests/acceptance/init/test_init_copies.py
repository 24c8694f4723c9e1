"""`crossbridge init` on the examples of the JVM and of Node: the tested sources come, and go to the byte."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from support.cli import run_cli
from support.framework_runs import Suite
from support.java import JAVA_SDK
from support.maven import jars
from support.projects import tree
from support.pytest_runs import REPO, clean_environ

# A file of each example's adapter, by where it is to be found.
JAVA = "src/test/java/crossbridge/profiling"
COPIED = {
    "junit": f"{JAVA}/junit/PlatformListener.java",
    "testng": f"{JAVA}/testng/TestNgListener.java",
    "cucumber-jvm": f"{JAVA}/cucumber/CucumberPlugin.java",
    "restassured": f"{JAVA}/restassured/HttpCalls.java",
    "selenium-java": f"{JAVA}/selenium/DriverCommands.java",
    "playwright": "crossbridge/playwright/config.cjs",
    "cypress": "crossbridge/cypress/config.cjs",
}
# The oldest of each that an adapter is made for, as in the SDK's own build.
JAVA_LIBRARIES = (
    "io.cucumber:cucumber-plugin:7.0.0",
    "io.rest-assured:rest-assured:4.0.0",
    "org.junit.jupiter:junit-jupiter-api:5.9.0",
    "org.junit.platform:junit-platform-launcher:1.9.0",
    "org.seleniumhq.selenium:selenium-support:4.10.0",
    "org.testng:testng:7.0.0",
)
COMMANDS = {"playwright": "npx playwright test", "cypress": "npx cypress run"}  # of the others: mvn test


@pytest.fixture
def project(request, tmp_path):
    folder = Suite(tmp_path / "shop", example=request.param).folder
    (folder / ".env").unlink()
    return folder


every_example = pytest.mark.parametrize(
    ("project", "copied"), COPIED.items(), indirect=["project"], ids=list(COPIED)
)


@every_example
def test_the_sources_come_once_and_go_to_the_byte(project, copied, init):
    before = tree(project)
    done = init(project)
    assert done.returncode == 0, done.stderr
    command = COMMANDS.get(copied.split("/")[1], "mvn test")
    assert done.stderr.endswith(f"Run your tests as ever ({command}), then: crossbridge report\n")
    content = (project / copied).read_bytes().partition(b"\n")[2]
    assert content in [path.read_bytes() for path in (REPO / "sdk").rglob(Path(copied).name)]
    assert "Nothing to do." in init(project).stdout
    assert init(project, "--remove").returncode == 0
    assert tree(project) == before


@pytest.mark.parametrize("project", ["junit"], indirect=True)
def test_a_copy_that_somebody_edited_is_neither_overwritten_nor_taken_away(project, init):
    before = tree(project)
    assert init(project).returncode == 0
    path = project / COPIED["junit"]
    with path.open("a") as file:
        file.write("// theirs\n")
    edited = path.read_bytes()
    for args in ((), ("--remove",)):
        refused = init(project, *args)
        assert refused.returncode == 1
        assert f"{COPIED['junit']} was edited" in refused.stderr
        assert path.read_bytes() == edited
    assert init(project, "--remove", "--force").returncode == 0
    assert tree(project) == before


@pytest.mark.parametrize("project", ["junit"], indirect=True)
def test_a_copy_with_other_line_ends_is_ours(project, init):
    before = tree(project)
    assert init(project).returncode == 0
    path = project / COPIED["junit"]
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert "Nothing to do." in init(project).stdout
    assert init(project, "--remove").returncode == 0
    assert tree(project) == before


@pytest.mark.parametrize("project", ["selenium-java"], indirect=True)
def test_the_driver_of_postgresql_comes_when_asked_for(project, init):
    before = tree(project)
    assert "--with-postgres" in init(project).stderr
    assert "<artifactId>postgresql</artifactId>" not in (project / "pom.xml").read_text()
    assert init(project, "--with-postgres").returncode == 0
    assert "<artifactId>postgresql</artifactId>" in (project / "pom.xml").read_text()
    assert init(project, "--remove").returncode == 0
    assert tree(project) == before


@pytest.mark.parametrize("project", ["junit"], indirect=True)
def test_java_that_is_too_old_is_refused_with_the_mend(project, init):
    pom = project / "pom.xml"
    pom.write_text(pom.read_text().replace("release>11<", "release>8<"))
    before = tree(project)
    refused = init(project)
    assert refused.returncode == 1
    assert "<maven.compiler.testRelease>11" in refused.stderr
    assert tree(project) == before


def test_a_build_that_takes_no_warning_takes_the_sources(tmp_path):
    sources = JAVA_SDK.glob("*/src/main/**/*.java")
    lint = ["-Werror", "-Xlint:all,-options,-path"]  # without what is said of the JDK and of jars
    class_path = ["-proc:none", "-cp", f"{jars(*JAVA_LIBRARIES)}/*"]
    command = ["javac", "-d", tmp_path, "--release", "11", *lint, *class_path, *sources]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_wheel_makes_the_same_copies_as_the_source_tree(init, tmp_path):
    folder = tmp_path / "wheel"
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=REPO, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder)
    by_wheel, by_source = (tmp_path / name / "shop" for name in ("by_wheel", "by_source"))
    for example in COPIED:
        for top in (by_wheel, by_source):
            (Suite(top / example, example=example).folder / ".env").unlink()
    assert init(by_source).returncode == 0
    done = run_cli("init", by_wheel, cwd=tmp_path, env=clean_environ(PYTHONPATH=os.fspath(folder)))
    assert done.returncode == 0, done.stderr
    copied = tree(by_wheel)
    assert copied == tree(by_source)
    assert copied.keys() >= {f"{example}/{path}" for example, path in COPIED.items()}
    removed = run_cli(
        "init", "--remove", by_wheel, cwd=tmp_path, env=clean_environ(PYTHONPATH=os.fspath(folder))
    )
    assert removed.returncode == 0, removed.stderr
    assert init(by_source, "--remove").returncode == 0
    assert tree(by_wheel) == tree(by_source)
