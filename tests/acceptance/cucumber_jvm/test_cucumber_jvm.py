"""The example's scenarios by every runner of Cucumber-JVM's: its own command line, TestNG's and the JUnit Platform's."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter

import pytest

from support.framework_runs import STRICT, Suite, step_tree
from support.junit_console import Console, compile_java, joined
from support.maven import LOCAL, agent_jar, jars
from support.pytest_runs import REPO, clean_environ

OLDEST, NEWEST = "7.0.0", "7.20.1"
EXAMPLE = REPO / "examples" / "cucumber-jvm" / "src"
PLUGIN = "cucumber.plugin=crossbridge.profiling.cucumber.CucumberPlugin\n"
OUTCOMES, RULES = "src/test/resources/shop/outcomes.feature", "src/test/resources/shop/rules.feature"
PARAMETRISED = f"{OUTCOMES}::Parametrised \"größe\" 1/2 'ünï' <item>"
EXPECTED = Counter(
    {
        (f"{OUTCOMES}::Passes", "passed"): 1,
        (f"{OUTCOMES}::Fails", "failed"): 1,
        (f"{OUTCOMES}::Errors In Setup", "error"): 1,
        (f"{OUTCOMES}::Errors In Teardown", "error"): 1,
        (f"{OUTCOMES}::Skipped", "skipped"): 1,
        (f"{OUTCOMES}::Undefined", "error"): 1,
        (f"{OUTCOMES}::Pending", "error"): 1,
        (f"{OUTCOMES}::Flaky", "failed"): 1,
        (f"{PARAMETRISED} [1]", "passed"): 1,
        (f"{PARAMETRISED} [2]", "failed"): 1,
        (f"{PARAMETRISED} [2.1]", "passed"): 1,
        (f"{RULES}::Slow", "passed"): 1,
        (f"{RULES}::The same names mean other scenarios here::Slow", "passed"): 1,
    }
)
# What Cucumber says of a scenario, by the first of its steps and hooks that did not pass.
WORDS = {"passed": {"passed"}, "skipped": {"skipped"}, "failed": {"failed", "error"}}
PARALLEL = """
    cucumber.glue=shop
    cucumber.publish.quiet=true
    cucumber.execution.parallel.enabled=true
    cucumber.execution.parallel.config.strategy=fixed
    cucumber.execution.parallel.config.fixed.parallelism=3
    """
JUNIT_4 = """
    package shop;

    import io.cucumber.junit.Cucumber;
    import io.cucumber.junit.CucumberOptions;
    import org.junit.runner.RunWith;

    @RunWith(Cucumber.class)
    @CucumberOptions(features = "classpath:shop", glue = "shop")
    public class RunByJUnit4 {}
    """
BROKEN = """
    package shop;

    import io.cucumber.java.BeforeAll;

    public class Opening {
        @BeforeAll
        public static void open() {
            throw new IllegalStateException("the key is lost");
        }
    }
    """


class Cucumber(Suite):
    """A copy of the example, compiled, with our plugin registered as `crossbridge init` does."""

    def __init__(self, folder, version):
        super().__init__(folder)
        names = ("cucumber-java", "cucumber-testng", "cucumber-junit-platform-engine")
        coordinates = [f"io.cucumber:{name}:{version}" for name in names]
        if version == NEWEST:
            coordinates.append(f"io.cucumber:cucumber-junit:{version}")
        self.library = f"{jars(*coordinates)}/*"
        shutil.copytree(EXAMPLE, folder / "src")
        self.classes = folder / "classes"
        shutil.copytree(EXAMPLE / "test" / "resources", self.classes)
        self.write("classes/cucumber.properties", PLUGIN)

    def compile(self):
        compile_java(self.folder.rglob("*.java"), self.classes, self.library)

    def execute(self, *args, on=True, environ=None):
        """Run Cucumber's own command line; without `on` our jar and our line are not there at all."""
        self.compile()
        if not on:
            (self.classes / "cucumber.properties").unlink()
        path = joined((*((agent_jar(),) if on else ()), self.classes, self.library))
        fixed = ("--plugin", "json:report.json", "--plugin", "summary", "--glue", "shop")
        done = subprocess.run(
            ["java", "-XX:TieredStopAtLevel=1", "-cp", path, "io.cucumber.core.cli.Main", *fixed, *args, "classpath:shop"],
            cwd=self.folder,
            env=clean_environ(**(LOCAL | STRICT | {"CUCUMBER_PUBLISH_QUIET": "true"} | (environ or {}))),
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        return self.run_of(done.returncode, done.stdout, done.stderr)

    def reported(self):
        """Name and end of every scenario in Cucumber's own report."""
        found = Counter()
        for feature in json.loads((self.folder / "report.json").read_text()):
            before = []
            for element in feature["elements"]:
                parts = element.get("before", []) + element["steps"] + element.get("after", [])
                ends = [part["result"]["status"] for part in parts]
                if element["type"] == "background":
                    before = ends
                    continue
                others = [end for end in [*before, *ends] if end != "passed"]
                before = []
                word = "passed" if not others else "skipped" if set(others) == {"skipped"} else "failed"
                found[element["name"], word] += 1
        return found


def ends(run):
    return Counter((end["test_id"], end["status"]) for end in run.ends)


def same_words(run, reported):
    """Whether as many ended in each way as Cucumber says."""
    ours = Counter(end["status"] for end in run.ends)
    theirs = Counter(word for _, word in reported.elements())
    return (
        all(sum(ours[status] for status in statuses) == theirs[word] for word, statuses in WORDS.items())
        and len(run.ends) == reported.total()
    )


def timeless(run):
    return re.sub(r"\d+m[\d.]+s", "", run.output)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_scenario_ends_as_cucumber_says(version, tmp_path):
    cucumber = Cucumber(tmp_path / "shop", version)
    run = cucumber.execute()
    assert ends(run) == EXPECTED
    assert same_words(run, cucumber.reported())
    assert run.status == "failed"
    assert {segment[0]["framework"] for segment in run.segments} == {"cucumber"}
    assert step_tree(run, f"{OUTCOMES}::Errors In Teardown") == [
        "Given an open shop [step] passed",
        "When I add {string} [step] passed",
        "After shop.Steps.sweep [hook] failed",
    ]
    assert step_tree(run, f"{OUTCOMES}::Errors In Setup") == ["Before shop.Steps.connect [hook] failed"]
    assert step_tree(run, f"{OUTCOMES}::Undefined")[-1] == 'When I whisper "…" [step] failed'
    assert "s3cret" not in json.dumps(run.events)


def test_scenarios_side_by_side_have_workers(tmp_path):
    run = Cucumber(tmp_path / "shop", NEWEST).execute("--threads", "3")
    assert ends(run) == EXPECTED
    workers = {end["worker"] for end in run.ends}
    assert workers <= {"worker-1", "worker-2", "worker-3"}
    assert len(workers) > 1


def test_the_junit_platform_records_each_once(tmp_path):
    cucumber = Cucumber(tmp_path / "shop", NEWEST)
    cucumber.compile()
    cucumber.write("classes/junit-platform.properties", PARALLEL + "    " + PLUGIN)
    console = Console(cucumber.folder, "1.13.4", cucumber.classes, cucumber.library)
    run = console.execute("--include-engine=cucumber", "--select-package=shop")
    assert ends(run) == EXPECTED, run.output
    assert {segment[0]["framework"] for segment in run.segments} == {"cucumber"}


def test_junit_4s_runner_records_each_once(tmp_path):
    cucumber = Cucumber(tmp_path / "shop", NEWEST)
    cucumber.write("src/test/java/shop/RunByJUnit4.java", JUNIT_4)
    cucumber.compile()
    console = Console(cucumber.folder, "1.13.4", cucumber.classes, cucumber.library)
    run = console.execute("--include-engine=junit-vintage", "--select-class=shop.RunByJUnit4")
    assert ends(run) == EXPECTED, run.output
    assert run.status == "failed"


def test_a_suite_that_names_its_own_plugins_is_recorded_by_junits_listener(tmp_path):
    cucumber = Cucumber(tmp_path / "shop", NEWEST)
    (cucumber.classes / "cucumber.properties").unlink()
    cucumber.compile()
    console = Console(cucumber.folder, "1.13.4", cucumber.classes, cucumber.library)
    others = ("--config=cucumber.plugin=summary", "--config=cucumber.glue=shop")
    run = console.execute("--include-engine=cucumber", "--select-package=shop", *others)
    assert len(run.ends) == EXPECTED.total()
    assert {segment[0]["framework"] for segment in run.segments} == {"junit"}


def test_a_broken_before_all_fails_the_run(tmp_path):
    cucumber = Cucumber(tmp_path / "shop", NEWEST)
    cucumber.write("src/test/java/shop/Opening.java", BROKEN)
    run = cucumber.execute("--name", "Passes")
    assert run.returncode != 0
    assert run.status == "failed"


def test_output_and_exit_code_are_as_without_us(tmp_path):
    with_us, without = (Cucumber(tmp_path / name, NEWEST) for name in ("with", "without"))
    run, plain = with_us.execute(), without.execute(on=False)
    assert plain.segments == []
    assert run.returncode == plain.returncode != 0
    assert timeless(run) == timeless(plain)
    assert with_us.reported() == without.reported()
    off = Cucumber(tmp_path / "off", NEWEST)
    assert off.execute(environ={"CROSSBRIDGE_PROFILING": "false"}).segments == []
