"""Every kind of test and of end, on the oldest and the newest TestNG 7."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from support.junit_console import Console, compile_java
from support.maven import agent_jar, jars
from support.testng import TestNg, recorded

KINDS = Path(__file__).parent / "kinds"
OLDEST, NEWEST = "7.0.0", "7.12.0"
K, D = "kinds.Kinds$", "kinds.Dependent#"
# Statuses of each test's attempts.
EXPECTED = {
    f"{K}Bodies#passes": ["passed"],
    f"{K}Bodies#fails": ["failed"],
    f"{K}Bodies#throwsSomething": ["failed"],
    f"{K}Bodies#skips": ["skipped"],
    f"{K}Bodies#throwsAsExpected": ["passed"],
    f"{K}Bodies#doesNotThrow": ["failed"],
    f"{K}Bodies#takesTooLong": ["failed"],
    f"{K}Bodies#isInTime": ["passed"],
    f"{K}Bodies#repeated": ["passed"],
    f"{K}Bodies#repeated [2]": ["passed"],
    f"{K}Bodies#repeated [3]": ["passed"],
    f"{K}Bodies#mostlyPasses": ["xfailed"],
    f"{K}Bodies#mostlyPasses [2]": ["passed"],
    f"{K}Bodies#mostlyPasses [3]": ["passed"],
    f"{K}Bodies#mostlyPasses [4]": ["passed"],
    f"{D}fails": ["failed"],
    f"{D}dependsOnIt": ["skipped"],
    f"{D}runsAllTheSame": ["passed"],
    f"{K}Data#sized[größe 🎉, 1]": ["passed"],
    f"{K}Data#sized[1/2, 2]": ["passed"],
    f"{K}Data#sized[1/2, 2] [2]": ["passed"],
    f"{K}Data#sized[null, 3]": ["failed"],
    f"{K}Data#injected[größe 🎉, 1]": ["passed"],
    f"{K}Data#injected[1/2, 2]": ["passed"],
    f"{K}Data#injected[1/2, 2] [2]": ["passed"],
    f"{K}Data#injected[null, 3]": ["passed"],
    f"{K}Data#shown[[1, 2]]": ["passed"],
    f"{K}Data#shown[java.lang.Object@]": ["passed"],
    f"{K}Data#sideBySide[1]": ["passed"],
    f"{K}Data#sideBySide[2]": ["passed"],
    f"{K}Data#sideBySide[3]": ["passed"],
    f"{K}Data#sideBySide[4]": ["passed"],
    f"{K}Flaky#passesThen": ["failed", "passed"],
    f"{K}Flaky#failsTwice": ["failed", "failed"],
    f"{K}Flaky#rows[a]": ["failed", "passed"],
    f"{K}Flaky#rows[b]": ["passed"],
    f"{K}SetUp#isSetUp": ["passed"],
    f"{K}SetUp#neverBegins": ["error"],
    f"{K}SetUp#skippedAfterIt": ["skipped"],
    f"{K}SetUpSkips#skippedInSetUp": ["skipped"],
    f"{K}SetUpOfClass#open": ["error"],
    f"{K}SetUpOfClass#skippedWithItsClass": ["skipped"],
    f"{K}SetUpOfClass#close": ["error"],
    f"{K}TearDown#passesAtFirst": ["error"],
    f"{K}TearDownOfFailed#failsBefore": ["failed"],
    f"{K}Phases#slow": ["passed"],
    f"{K}Made#fits (1)": ["passed"],
    f"{K}Made#fits (2)": ["failed"],
    f"{K}MadeFromData#fits (small)": ["passed"],
    f"{K}MadeFromData#fits (large)": ["failed"],
    f"{K}Derived#inherited": ["passed"],
}
CLASSES = sorted({test_id.partition("#")[0] for test_id in EXPECTED})
# TestNG 7 skipped a test whose data broke, and fails it since 7.6.
WITHOUT_DATA = f"{K}Data#withoutData"
SUITE = """
    <suite name="shop" parallel="{parallel}" thread-count="3">
      <test name="one"><classes>{classes}</classes></test>
      <test name="two"><classes><class name="kinds.Kinds$Phases"/></classes></test>
    </suite>
    """


def compiled(folder, version):
    classes = folder / "classes"
    classes.mkdir(parents=True)
    library = f"{jars(f'org.testng:testng:{version}')}/*"
    compile_java(KINDS.glob("*.java"), classes, library)
    return TestNg(folder, classes, library)


def statuses(run):
    found = {}
    for end in sorted(run.ends, key=lambda end: end.get("attempt", 1)):
        found.setdefault(end["test_id"], []).append(end["status"])
    return found


@pytest.mark.parametrize("version", [OLDEST, "7.5.1", NEWEST])
def test_every_kind_ends_as_it_should(version, tmp_path):
    testng = compiled(tmp_path, version)
    run = testng.execute("-testclass", ",".join(CLASSES))
    broken = "error" if version == NEWEST else "skipped"
    assert statuses(run) == EXPECTED | {WITHOUT_DATA: [broken]}
    assert run.status == "failed"
    reported, ours = testng.reported(), recorded(run)
    data = (f"{K}Data", "withoutData", "FAIL" if version == NEWEST else "SKIP")
    assert reported.pop(data) == 1
    ours.pop((*data[:2], "SKIP"), None)
    assert ours == reported
    failures = Counter(word for _, _, word in testng.reported(configuration=True).elements())["FAIL"]
    errors = [end for end in run.ends if end["status"] == "error" and end["test_id"] != WITHOUT_DATA]
    assert failures == len(errors) + 1, "a test whose body failed hides what its tear-down did"


def test_phases_are_told_apart(tmp_path):
    run = compiled(tmp_path, NEWEST).execute("-testclass", f"{K}Phases,{K}SetUpSkips,{K}SetUp,{K}Bodies")
    slow = run.end_of("#slow")
    assert slow["setup_us"] >= 40_000
    assert slow["teardown_us"] >= 20_000
    assert slow["duration_us"] - slow["setup_us"] - slow["teardown_us"] >= 40_000
    assert "setup_us" not in run.end_of("Bodies#passes")
    assert run.end_of("#skippedInSetUp")["error_message"] == "closed on Sundays"
    broken = run.end_of("#neverBegins")
    assert (broken["error_type"], broken["error_message"]) == ("IllegalStateException", "no connection")
    assert run.end_of("#takesTooLong")["error_type"] == "ThreadTimeoutException"


def test_tear_down_that_breaks_is_an_error_of_a_skipped_test_too(tmp_path):
    # As with pytest; only a body that failed outranks it.
    run = compiled(tmp_path, NEWEST).execute("-testclass", f"{K}TearDownOfSkipped")
    assert statuses(run) == {f"{K}TearDownOfSkipped#skipsBefore": ["error"]}
    end = run.end_of("#skipsBefore")
    assert (end["error_type"], end["error_message"]) == ("IllegalStateException", "no broom")


@pytest.mark.parametrize("parallel", ["methods", "classes", "tests", "instances"])
def test_parallel_tests_have_their_names_and_workers(parallel, tmp_path):
    testng = compiled(tmp_path, NEWEST)
    classes = "".join(f'<class name="{name}"/>' for name in CLASSES)
    testng.write("testng.xml", SUITE.format(parallel=parallel, classes=classes))
    run = testng.execute("testng.xml")
    expected = dict(EXPECTED)
    for test in ("one", "two"):
        expected[f"{K}Phases#slow ({test})"] = expected[f"{K}Phases#slow"]
    del expected[f"{K}Phases#slow"]
    # What has a number in it comes in any order.
    assert same_but_for_order(statuses(run)) == same_but_for_order(expected | {WITHOUT_DATA: ["error"]})
    workers = {end.get("worker") for end in run.ends if "Phases" in end["test_id"]}
    assert all(re.fullmatch(r"worker-\d", worker or "") for worker in workers), workers
    assert run.status == "failed"


def same_but_for_order(found):
    return Counter(
        (re.sub(r" \[\d\]$", "", test_id), status)
        for test_id, attempts in found.items()
        for status in attempts
        if "Flaky#rows" not in test_id and "SetUp#" not in test_id
    )


def test_several_suites_are_one_run(tmp_path):
    testng = compiled(tmp_path, NEWEST)
    for name in ("first", "second"):
        testng.write(
            f"{name}.xml",
            f'<suite name="{name}"><test name="{name}"><classes>'
            f'<class name="kinds.Kinds$Phases"/></classes></test></suite>',
        )
    run = testng.execute("first.xml", "second.xml")
    assert statuses(run) == {f"{K}Phases#slow": ["passed"], f"{K}Phases#slow (second)": ["passed"]}
    assert run.status == "passed"


def test_two_runs_in_one_jvm_are_one_run(tmp_path):
    run = compiled(tmp_path, NEWEST).execute("-testclass", f"{K}Phases", main="kinds.Twice")
    assert statuses(run) == {f"{K}Phases#slow": ["passed"], f"{K}Phases#slow [2]": ["passed"]}
    assert len({header["run_id"] for header in run.headers}) == 1


def test_a_dry_run_is_not_recorded(tmp_path):
    dry = {"JAVA_TOOL_OPTIONS": "-Dtestng.mode.dryrun=true"}
    testng = compiled(tmp_path, OLDEST)
    run = testng.execute("-testclass", f"{K}Bodies", environ=dry)
    assert testng.reported()[f"{K}Bodies", "fails", "PASS"] == 1, "as it is not called"
    assert run.segments == []


def test_junits_engine_for_testng_records_what_runs_and_not_what_it_discovers(tmp_path):
    classes = tmp_path / "classes"
    classes.mkdir()
    library = f"{jars(f'org.testng:testng:{NEWEST}', 'org.junit.support:testng-engine:1.0.5')}/*"
    compile_java(KINDS.glob("*.java"), classes, library)
    run = Console(tmp_path, "1.13.4", classes, library).execute(f"--select-class={K}Bodies")
    assert statuses(run) == {name: ends for name, ends in EXPECTED.items() if name.startswith(f"{K}Bodies#")}


def test_output_and_exit_code_are_as_without_us(tmp_path):
    with_us, without = (compiled(tmp_path / name, NEWEST) for name in ("with", "without"))
    arguments = ("-testclass", ",".join(CLASSES))
    run, plain = with_us.execute(*arguments), without.execute(*arguments, on=False)
    assert run.returncode == plain.returncode != 0
    assert run.output == plain.output
    assert with_us.reported() == without.reported()
    off = without.execute(*arguments, environ={"CROSSBRIDGE_PROFILING": "false"})
    assert off.output == plain.output
    assert off.segments == []


def test_calls_in_set_up_and_tear_down_are_the_tests(tmp_path):
    testng = compiled(tmp_path, NEWEST)
    library = f"{jars(f'org.testng:testng:{NEWEST}')}/*"
    compile_java([KINDS.parent / "calls" / "Calls.java"], tmp_path / "classes", library, agent_jar())
    run = testng.execute("-testclass", "calls.Calls")
    found = [
        (call.get("test_id"), call.get("attempt", 1), call["endpoint"]) for call in run.of_type("http_call")
    ]
    ours = [
        (f"calls.Calls#orders[{user}]", attempt, f"shop/{path}")
        for user, attempt in (("ann", 1), ("ann", 2), ("bob", 1))
        for path in ("login", "orders", "logout")
    ]
    assert found == [(None, 1, "shop/open"), *ours]
