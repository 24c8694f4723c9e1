"""JUnit's console launcher, with and without our listener on the class path."""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from support.framework_runs import STRICT, Suite
from support.maven import LOCAL, agent_jar, jars
from support.pytest_runs import clean_environ

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from support.pytest_runs import Run

_FAST = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


def console_jar(platform: str) -> Path:
    """The console launcher of this version of the platform, with its engines."""
    name = f"junit-platform-console-standalone:{platform}"
    (jar,) = jars(f"org.junit.platform:{name}").glob("junit-platform-console-standalone-*.jar")
    return jar


def compile_java(sources: Iterable[Path], classes: Path, *class_path: Path | str) -> None:
    """Compile as for Java 17; an error of javac's is the caller's."""
    command = ["javac", "-d", classes, "--release", "17", "-cp", joined(class_path), *sources]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def joined(class_path: Iterable[Path | str]) -> str:
    return os.pathsep.join(map(str, class_path))


class Console(Suite):
    """A folder in which the launcher is run; what it reports lies in `reports`."""

    def __init__(self, folder: Path, platform: str, *class_path: Path | str) -> None:
        super().__init__(folder)
        self._launcher = console_jar(platform)
        self._class_path = class_path
        # The word came with 1.10, and became the only way later.
        self._verb = () if platform.startswith("1.9.") else ("execute",)

    def execute(self, *args: str, on: bool = True, environ: dict[str, str] | None = None) -> Run:
        """Run what the arguments select to its end; without `on` our jar is not there at all."""
        agent = (agent_jar(),) if on else ()
        path = joined((self._launcher, *agent, *self._class_path))
        fixed = ("--details=summary", "--disable-banner", "--reports-dir=reports")
        done = subprocess.run(
            ["java", *_FAST, "-cp", path, "org.junit.platform.console.ConsoleLauncher", *self._verb, *fixed, *args],
            cwd=self.folder,
            env=clean_environ(**(LOCAL | STRICT | (environ or {}))),
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        return self.run_of(done.returncode, done.stdout, done.stderr)

    def reported(self) -> Counter[tuple[str, str, str]]:
        """Class, method and status of every test in JUnit's own reports."""
        found: Counter[tuple[str, str, str]] = Counter()
        for report in (self.folder / "reports").glob("TEST-*.xml"):
            for case in ET.parse(report).iter("testcase"):
                tags = {child.tag for child in case}
                status = (
                    "skipped" if "skipped" in tags else "failing" if tags & {"failure", "error"} else "passed"
                )
                found[case.get("classname", ""), bare(case.get("name", "")), status] += 1
        return found


def recorded(run: Run) -> Counter[tuple[str, str, str]]:
    """The same of what we recorded; tests that failed and tests with errors are one in JUnit's report."""
    found: Counter[tuple[str, str, str]] = Counter()
    for end in run.ends:
        class_name, _, method = end["test_id"].partition("#")
        status = "failing" if end["status"] in {"failed", "error"} else end["status"]
        found[class_name, bare(method), status] += 1
    return found


def bare(method: str) -> str:
    """A method's name without parameters or index."""
    return method.partition("(")[0].partition("[")[0]
