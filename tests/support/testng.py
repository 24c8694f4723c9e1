"""TestNG's own main, with and without our listener on the class path, and what its report says."""

from __future__ import annotations

import subprocess
from collections import Counter
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from support.framework_runs import STRICT, Suite
from support.junit_console import joined
from support.maven import LOCAL, agent_jar
from support.pytest_runs import clean_environ

if TYPE_CHECKING:
    from pathlib import Path

    from support.pytest_runs import Run

_FAST = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
# Class, method and TestNG's word for its end, of every attempt.
Reported = Counter[tuple[str, str, str]]


class TestNg(Suite):
    """A folder in which TestNG is run; what it reports lies in `out`."""

    __test__ = False

    def __init__(self, folder: Path, *class_path: Path | str) -> None:
        super().__init__(folder)
        self._class_path = class_path

    def execute(
        self,
        *args: str,
        on: bool = True,
        environ: dict[str, str] | None = None,
        main: str = "org.testng.TestNG",
    ) -> Run:
        """Run what the arguments select to its end; without `on` our jar is not there at all."""
        agent = (agent_jar(),) if on else ()
        path = joined((*agent, *self._class_path))
        done = subprocess.run(
            ["java", *_FAST, "-cp", path, main, "-d", "out", *args],
            cwd=self.folder,
            env=clean_environ(**(LOCAL | STRICT | (environ or {}))),
            capture_output=True,
            text=True,
            check=False,
        )
        return self.run_of(done.returncode, done.stdout, done.stderr)

    def reported(self, *, configuration: bool = False) -> Reported:
        """What testng-results.xml says of tests, or of configuration methods."""
        found: Reported = Counter()
        for each in ET.parse(self.folder / "out" / "testng-results.xml").iter("class"):
            for method in each.iter("test-method"):
                if (method.get("is-config") == "true") == configuration:
                    found[each.get("name", ""), method.get("name", ""), method.get("status", "")] += 1
        return found


def recorded(run: Run) -> Reported:
    """
    The same of what we recorded, without rows of configuration methods.

    TestNG calls an attempt that is followed by another SKIP, and so a test whose set-up broke; one whose tear-down
    broke has passed.
    """
    attempts = Counter(end["test_id"] for end in run.ends)
    found: Reported = Counter()
    for end in run.ends:
        class_name, _, rest = end["test_id"].partition("#")
        method = rest.partition("[")[0].partition(" (")[0].strip()
        if end.get("attempt", 1) < attempts[end["test_id"]]:
            word = "SKIP"
        elif end["status"] == "error":
            word = "PASS" if "teardown_us" in end else "SKIP"
        else:
            word = _WORDS[end["status"]]
        if not (end["status"] == "error" and _is_configuration(end)):
            found[class_name, method, word] += 1
    return found


def _is_configuration(end: dict[str, object]) -> bool:
    """Whether the row is that of a method of a class, suite or group: all of it is set-up or tear-down."""
    return end.get("setup_us") == end["duration_us"] or ("setup_us" not in end and "teardown_us" not in end)


_WORDS = {"passed": "PASS", "failed": "FAIL", "skipped": "SKIP", "xfailed": "SUCCESS_PERCENTAGE_FAILURE"}
