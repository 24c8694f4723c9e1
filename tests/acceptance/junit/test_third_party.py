"""The tests of commons-lang3 as their authors published them: recorded are exactly those of JUnit's own report."""

from __future__ import annotations

import re

import pytest

from support.junit_console import Console, recorded
from support.maven import jars

LANG = "org.apache.commons:commons-lang3:3.12.0"
TESTS = (
    LANG,
    f"{LANG}:tests",
    "org.easymock:easymock:5.4.0",
    "org.hamcrest:hamcrest:3.0",
    "org.junit-pioneer:junit-pioneer:1.9.1",
    "org.openjdk.jmh:jmh-core:1.37",
)
# Without those that take long, and those that end differently from run to run: they compare identity hash codes.
# One that fails here, where its data is not, is as good for the purpose.
CLASSES = r"org\.apache\.commons\.lang3\.(?!builder|concurrent|time|text\.Extended).*"


@pytest.fixture(scope="module")
def folder_of_jars():
    return jars(*TESTS)


def execute(folder, folder_of_jars, *, on):
    console = Console(folder, "1.13.4", f"{folder_of_jars}/*")
    (tests,) = folder_of_jars.glob("*-tests.jar")
    run = console.execute(f"--scan-classpath={tests}", f"--include-classname={CLASSES}", on=on)
    return console, run


def told(run):
    """What it said, but for times and for what differs from JVM to JVM."""
    return re.sub(r"\d+ ms|@[0-9a-f]+|\w+ \d+, \d+ [\d:]+ [AP]M", "", run.output)


def test_every_test_is_recorded_with_its_status_and_none_is_changed(tmp_path, folder_of_jars):
    console, run = execute(tmp_path / "on", folder_of_jars, on=True)
    reported = console.reported()
    assert recorded(run) == reported
    assert reported.total() > 4000
    assert {status for _, _, status in reported} >= {"passed", "failing"}
    plain_console, plain = execute(tmp_path / "off", folder_of_jars, on=False)
    assert plain_console.reported() == reported
    assert (plain.returncode, told(plain)) == (run.returncode, told(run))
