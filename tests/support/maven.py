"""Maven as a user of the Java SDK runs it: projects of its own, one local repository shared by all tests."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.framework_runs import ON, Suite
from support.java import JAVA_SDK
from support.needs import need
from support.pytest_runs import clean_environ
from support.third_party import CACHE

if TYPE_CHECKING:
    from collections.abc import Iterator

# Not ~/.m2: a test may have a HOME of its own, and what one test has fetched another need not.
_REPOSITORY = CACHE / "m2"
JDBC = "org.postgresql:postgresql:42.7.4"
# Segments stay in the spool for the test to read.
LOCAL = ON | {"CROSSBRIDGE_PROFILING_BACKEND": "local"}


def maven_environ(**more: str) -> dict[str, str]:
    """The environment for `mvn`: its local repository, and a start-up in half the time."""
    options = f"-Dmaven.repo.local={_REPOSITORY} -XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    return clean_environ(MAVEN_OPTS=options, **more)


def fetch(folder: Path, *goals: str) -> None:
    """
    Have everything that a project's build downloads, tests' runners included; skips without Maven, fails so in CI.

    Maven's local repository is not safe for two who fetch the same thing first, so each pom is fetched for once,
    one at a time, in a copy, for Maven also tells what it has compiled. Surefire fetches the runner of tests only when it
    has a class to run: no method is left then.
    """
    need("mvn", "java", packages="maven openjdk-17-jdk-headless")
    poms = sorted(path for path in folder.rglob("pom.xml") if "target" not in path.parts)
    name = hashlib.sha256(
        b"\0".join([*(pom.read_bytes() for pom in poms), *map(os.fsencode, goals)])
    ).hexdigest()
    mark = CACHE / "m2-fetched" / name
    with _locked():
        if mark.exists():
            return
        lenient = ("-fae", "-Dmaven.test.failure.ignore", "-Dsurefire.failIfNoSpecifiedTests=false")
        with tempfile.TemporaryDirectory() as draft:
            copy = shutil.copytree(folder, Path(draft) / folder.name)
            _mvn(*lenient, *(goals or ("test", "-Dtest=*#noTestHasThisName")), cwd=copy)
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()


def agent_jar() -> Path:
    """The agent with every adapter, built once for the sources as they are, from a copy of them."""
    need("mvn", "java", packages="maven openjdk-17-jdk-headless")
    sources = sorted(path for path in JAVA_SDK.rglob("*") if path.is_file() and _is_source(path))
    digest = hashlib.sha256()
    for path in sources:
        digest.update(f"{path.relative_to(JAVA_SDK)}\0".encode() + path.read_bytes())
    jar = CACHE / f"agent-{digest.hexdigest()[:16]}" / "crossbridge-agent.jar"
    with _locked():
        if not jar.exists():
            with tempfile.TemporaryDirectory() as draft:
                for path in sources:
                    copy = draft / path.relative_to(JAVA_SDK)
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, copy)
                _mvn("package", "-Dmaven.test.skip", "-pl", "agent", "-am", cwd=Path(draft))
                jar.parent.mkdir(exist_ok=True)
                shutil.copyfile(Path(draft) / "agent" / "target" / jar.name, jar)
    return jar


def _is_source(path: Path) -> bool:
    parts = path.relative_to(JAVA_SDK).parts
    return "target" not in parts and ("main" in parts or path.name == "pom.xml")


def _mvn(*arguments: str, cwd: Path) -> None:
    command = ["mvn", "-q", "-B", *arguments]
    done = subprocess.run(command, cwd=cwd, env=maven_environ(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


class MavenSuite(Suite):
    """
    A Maven project whose tests see the SDK on their class path, as if `crossbridge init` had brought it.

    `driver` puts PostgreSQL's beside it. `there` False leaves the SDK out.
    """

    on = LOCAL

    def __init__(self, folder: Path, *, driver: bool = False, **options: Any) -> None:
        super().__init__(folder, **options)
        self.there = True
        self._driver = driver

    def _class_path(self) -> list[str]:
        found = [str(agent_jar())] if self.there else []
        if self._driver:
            found += map(str, jars(JDBC).glob("postgresql-*.jar"))
        return [f"-Dmaven.test.additionalClasspath={','.join(found)}"] if found else []

    def command(self, *args: object) -> list[str]:
        """Return `mvn ARGS`; what it downloads is there before."""
        class_path = self._class_path()
        fetch(self.folder)
        return ["mvn", "-B", *class_path, *map(str, args)]

    def environ(self) -> dict[str, str]:
        return maven_environ()


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "m2.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def jars(*coordinates: str) -> Path:
    """A folder with these artifacts, `group:artifact:version[:classifier]`, and all that they need to run."""
    need("mvn", "java", packages="maven openjdk-17-jdk-headless")
    name = hashlib.sha256("\n".join(coordinates).encode()).hexdigest()[:16]
    folder = CACHE / f"jars-{name}"
    with _locked():
        if not folder.exists():
            with tempfile.TemporaryDirectory() as draft:
                Path(draft, "pom.xml").write_text(_pom(coordinates))
                copied = Path(draft, "jars")
                _mvn("dependency:copy-dependencies", f"-DoutputDirectory={copied}", cwd=Path(draft))
                shutil.copytree(copied, folder)
    return folder


def _pom(coordinates: tuple[str, ...]) -> str:
    tags = ("groupId", "artifactId", "version", "classifier")
    dependencies = "".join(
        "<dependency>"
        + "".join(f"<{tag}>{value}</{tag}>" for tag, value in zip(tags, coordinate.split(":"), strict=False))
        + "</dependency>"
        for coordinate in coordinates
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>jars</groupId><artifactId>jars</artifactId><version>1</version>"
        f"<dependencies>{dependencies}</dependencies></project>"
    )
