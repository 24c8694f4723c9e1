"""The tests of Apache jclouds as their authors published them: recorded are exactly those of TestNG's own report."""

from __future__ import annotations

import zipfile

from support.maven import jars
from support.testng import TestNg, recorded

VERSION = "2.5.0"
CORE = f"org.apache.jclouds:jclouds-core:{VERSION}"
TESTS = (CORE, f"{CORE}:tests", "org.testng:testng:7.5.1", "org.easymock:easymock:3.6")
PACKAGES = (
    "apis",
    "collect",
    "date",
    "domain",
    "fallbacks",
    "functions",
    "http/functions",
    "http/options",
    "http/utils",
    "io",
    "json",
    "location",
    "predicates",
    "reflect",
    "rest/annotationparsing",
    "rest/binders",
    "rest/functions",
    "util",
)
SLOW = "org.jclouds.util.Predicates2Test"


def classes_of(jar):
    """The tests in these packages."""
    roots = tuple(f"org/jclouds/{package}/" for package in PACKAGES)
    names = [name for name in zipfile.ZipFile(jar).namelist() if name.startswith(roots)]
    found = {name[: -len(".class")].replace("/", ".") for name in names if name.endswith("Test.class")}
    return sorted(found - {SLOW})


def test_every_test_is_recorded_with_its_status_and_none_is_changed(tmp_path):
    folder = jars(*TESTS)
    (jar,) = folder.glob("*-tests.jar")
    with_us, side_by_side, without = (
        TestNg(tmp_path / name, f"{folder}/*") for name in ("with", "side_by_side", "without")
    )
    arguments = ("-testclass", ",".join(classes_of(jar)))
    run = with_us.execute(*arguments)
    reported = with_us.reported()
    assert recorded(run) == reported, run.output
    assert reported.total() > 350
    assert {word for _, _, word in reported} == {"PASS", "FAIL"}  # what is not there in a jar of tests fails
    plain = without.execute(*arguments, on=False)
    assert (plain.returncode, without.reported()) == (run.returncode, reported)
    run = side_by_side.execute(*arguments, "-parallel", "methods", "-threadcount", "4")
    assert recorded(run) == side_by_side.reported()
    assert {end["worker"] for end in run.ends} <= {f"worker-{number}" for number in range(1, 5)}
