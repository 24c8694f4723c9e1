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
# Some of them fail here, in a JVM newer than they are: as good for the purpose. The rest would take half a minute more.
PACKAGES = "builder|event|exception|function|math|mutable|reflect|stream|text|tuple"


@pytest.fixture(scope="module")
def folder_of_jars():
    return jars(*TESTS)


def execute(folder, folder_of_jars, *, on):
    console = Console(folder, "1.13.4", f"{folder_of_jars}/*")
    (tests,) = folder_of_jars.glob("*-tests.jar")
    run = console.execute(
        f"--scan-classpath={tests}", f"--include-classname=org.apache.commons.lang3.({PACKAGES}).*", on=on
    )
    return console, run


def told(run):
    """What it said, but for times and for what differs from JVM to JVM."""
    return re.sub(r"\d+ ms|@[0-9a-f]+", "", run.stdout)


def test_every_test_is_recorded_with_its_status_and_none_is_changed(tmp_path, folder_of_jars):
    console, run = execute(tmp_path / "on", folder_of_jars, on=True)
    reported = console.reported()
    assert recorded(run) == reported
    assert reported.total() > 1500
    assert {status for _, _, status in reported} >= {"passed", "failing"}
    plain_console, plain = execute(tmp_path / "off", folder_of_jars, on=False)
    assert plain_console.reported() == reported
    assert (plain.returncode, told(plain), plain.stderr) == (run.returncode, told(run), run.stderr)
