"""Every kind of test and of end, on the oldest and the newest JUnit there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.junit_console import Console, compile_java, console_jar
from support.maven import jars

KINDS = Path(__file__).parent / "kinds"
JUNIT_4 = "junit:junit:4.13.2"
OLDEST, NEWEST = "1.9.0", "6.0.0"
PLATFORMS = (OLDEST, "1.13.4", NEWEST)
PARALLEL = (
    "--config=junit.jupiter.execution.parallel.enabled=true",
    "--config=junit.jupiter.execution.parallel.mode.default=concurrent",
    "--config=junit.jupiter.execution.parallel.config.strategy=fixed",
    "--config=junit.jupiter.execution.parallel.config.fixed.parallelism=4",
)
J, V = "kinds.JupiterKinds$", "kinds.VintageKinds$"
EXPECTED = {
    f"{J}Bodies#passes()": "passed",
    f"{J}Bodies#fails()": "failed",
    f"{J}Bodies#throwsSomething()": "failed",
    f"{J}Bodies#disabled()": "skipped",
    f"{J}Bodies#assumesInVain()": "skipped",
    f"{J}Bodies#injected(TestInfo)": "passed",
    f"{J}Bodies#unresolvable(int)": "failed",
    f"{J}Bodies#repeated(repetition 1 of 2)": "passed",
    f"{J}Bodies#repeated(repetition 2 of 2)": "passed",
    f"{J}Bodies#parameters(7)": "passed",
    f"{J}Bodies#parameters(8)": "failed",
    f"{J}Bodies#parameters(7) [2]": "passed",
    f"{J}Bodies#withoutParameters(int)": "error",
    f"{J}Dynamic#made(tea)": "passed",
    f"{J}Dynamic#made(hot › cocoa)": "failed",
    f"{J}Dynamic#notMade()": "error",
    f"{J}SetUp#neverBegins()": "error",
    f"{J}SetUpAssumes#skippedInSetUp()": "skipped",
    f"{J}Constructor#neverBegins()": "error",
    f"{J}TearDown#passesAtFirst()": "error",
    f"{J}TearDown#failsBefore()": "failed",
    f"{J}SetUpOfClass#neverBegins()": "error",
    f"{J}SetUpOfClass#neverExpanded(int)": "error",
    f"{J}SetUpOfClass$Inner#neverBeginsEither()": "error",
    f"{J}ClassAssumes#skippedWithItsClass()": "skipped",
    f"{J}DisabledClass#skippedWithItsClass()": "skipped",
    f"{J}TearDownOfClass#passes()": "passed",
    f"{J}TearDownOfClass": "error",
    f"{J}SoftAssertions#failsSoftly()": "failed",
    f"{J}Outer$Inner#nested()": "passed",
    f"{J}Keeps$Sums#adds()": "passed",
    f"{J}Keeps$Sums$Deep#passes()": "passed",
    f"{J}Breaks$Sums#adds()": "failed",
    f"{J}Breaks$Sums$Deep#passes()": "passed",
    f"{V}Old#passes()": "passed",
    f"{V}Old#fails()": "failed",
    f"{V}Old#ignored()": "skipped",
    f"{V}Old#assumesInVain()": "skipped",
    f"{V}Numbers#isSeven[0]": "passed",
    f"{V}Numbers#isSeven[1]": "failed",
    f"{V}SetUpOfClass#neverBegins()": "error",
}


@pytest.fixture(scope="module")
def classes(tmp_path_factory):
    """The kinds, compiled against the oldest JUnit."""
    folder = tmp_path_factory.mktemp("classes")
    compile_java(KINDS.glob("*.java"), folder, console_jar(OLDEST), f"{jars(JUNIT_4)}/*")
    return folder


def run_kinds(folder, platform, classes, *args, beside=(), **options):
    console = Console(folder, platform, classes, f"{jars(JUNIT_4)}/*", *beside)
    selected = [f"--select-class=kinds.{kind}" for kind in selected_classes(classes)]
    run = console.execute(*selected, *args, **options)
    assert "crossbridge" not in run.output
    return run


def selected_classes(classes):
    names = [path.stem for path in (classes / "kinds").glob("*Kinds$*.class")]
    return [name for name in names if not re.search(r"\$(\d|Soft$)", name) and name.count("$") == 1]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_kind_ends_as_it_should(platform, tmp_path, classes):
    run = run_kinds(tmp_path, platform, classes)
    assert run.statuses == EXPECTED
    assert run.status == "failed"


def test_parallel_tests_have_their_names_and_workers(tmp_path, classes):
    run = run_kinds(tmp_path, NEWEST, classes, *PARALLEL)
    assert run.statuses == EXPECTED
    workers = {end.get("worker") for end in run.ends if end["test_id"].startswith(f"{J}Bodies#p")}
    assert all(re.fullmatch(r"worker-\d+", worker) for worker in workers), workers


def test_phases_are_told_apart(tmp_path, classes):
    run = run_kinds(tmp_path, NEWEST, classes)
    nested = run.end_of("#nested()")
    body_us = nested["duration_us"] - nested["setup_us"] - nested["teardown_us"]
    assert nested["setup_us"] >= 20_000
    assert nested["teardown_us"] >= 10_000
    assert body_us >= 40_000
    assert run.end_of("Bodies#throwsSomething()")["error_type"] == "IllegalStateException"
    assert run.end_of("Bodies#throwsSomething()")["error_message"] == "broken"
    assert run.end_of("Bodies#disabled()")["error_message"] == "closed on Sundays"


def test_users_word_on_autodetection_stands(tmp_path, classes):
    (tmp_path / "own").mkdir()
    word = "junit.jupiter.extensions.autodetection.enabled=false"
    (tmp_path / "own" / "junit-platform.properties").write_text(word)
    run = run_kinds(tmp_path, NEWEST, classes, beside=[tmp_path / "own"])
    assert "setup_us" not in run.end_of("Bodies#passes()")
    assert run.statuses[f"{J}SetUp#neverBegins()"] == "failed", "what failed is not known then"


@pytest.mark.parametrize(("platform", "phased"), [(OLDEST, False), (NEWEST, True)])
def test_extensions_that_nobody_asked_for_stay_out(platform, phased, tmp_path, classes):
    services = tmp_path / "library" / "META-INF" / "services"
    services.mkdir(parents=True)
    (services / "org.junit.jupiter.api.extension.Extension").write_text("kinds.Uninvited  # a library's\n")
    run = run_kinds(tmp_path, platform, classes, beside=[tmp_path / "library"])
    assert run.statuses[f"{J}Bodies#passes()"] == "passed"
    assert ("setup_us" in run.end_of("Bodies#passes()")) == phased


def test_nothing_is_recorded_or_switched_on_while_profiling_is_off(tmp_path, classes):
    log = {"JAVA_TOOL_OPTIONS": "-Xlog:class+load:file=classes.log"}
    run = run_kinds(tmp_path, NEWEST, classes, environ={"CROSSBRIDGE_PROFILING": "false"} | log)
    assert run.segments == []
    assert not (tmp_path / ".crossbridge").exists()
    loaded = (tmp_path / "classes.log").read_text()
    assert "crossbridge.profiling.junit.PlatformListener" in loaded
    assert "crossbridge.profiling.junit.Phases" not in loaded
