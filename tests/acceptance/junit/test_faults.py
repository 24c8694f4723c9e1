"""What goes wrong around a Maven build: it ends as without us, and no result is lost or doubled."""

from __future__ import annotations

import os
import re
import signal
from collections import Counter

import pytest

from support.cli import run_cli
from support.maven import MavenSuite
from support.postgres import db_environment
from support.pytest_runs import clean_environ
from support.shipping import rows

AWAY = {
    "CROSSBRIDGE_DB_HOST": "127.0.0.1",
    "CROSSBRIDGE_DB_PORT": "1",
    "CROSSBRIDGE_DB_USER": "nobody",
    "CROSSBRIDGE_DRAIN_TIMEOUT": "0.2",
}
SOME = ("test", "-Dtest=OutcomesTest,Errors*,FlakyTest", "-Dsurefire.failIfNoSpecifiedTests=false")
TESTS = Counter(
    {
        ("shop.OutcomesTest#passes()", 1, "passed"): 1,
        ("shop.OutcomesTest#fails()", 1, "failed"): 1,
        ("shop.OutcomesTest#skipped()", 1, "skipped"): 1,
        ("shop.OutcomesTest#skippedByAssumption()", 1, "skipped"): 1,
        ("shop.ErrorsInSetupTest#errorsInSetup()", 1, "error"): 1,
        ("shop.ErrorsInSetupOfClassTest#errorsInSetup()", 1, "error"): 1,
        ("shop.ErrorsInSetupOfClassTest#errorsInSetupToo()", 1, "error"): 1,
        ("shop.ErrorsInTeardownTest#errorsInTeardown()", 1, "error"): 1,
        ("shop.FlakyTest#flaky()", 1, "failed"): 1,
        ("shop.FlakyTest#flaky()", 2, "passed"): 1,
    }
)
MODULE = """
    <project xmlns="http://maven.apache.org/POM/4.0.0">
      <modelVersion>4.0.0</modelVersion>
      <parent><groupId>many</groupId><artifactId>many</artifactId><version>1</version></parent>
      <artifactId>{name}</artifactId>
    </project>
    """
PARENT = """
    <project xmlns="http://maven.apache.org/POM/4.0.0">
      <modelVersion>4.0.0</modelVersion>
      <groupId>many</groupId><artifactId>many</artifactId><version>1</version>
      <packaging>pom</packaging>
      <modules>{modules}</modules>
      <properties>
        <maven.compiler.release>11</maven.compiler.release>
        <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
      </properties>
      <dependencies>
        <dependency>
          <groupId>org.junit.jupiter</groupId><artifactId>junit-jupiter</artifactId><version>5.13.4</version>
          <scope>test</scope>
        </dependency>
      </dependencies>
      <build><pluginManagement><plugins>
        <plugin><artifactId>maven-compiler-plugin</artifactId><version>3.13.0</version></plugin>
        <plugin><artifactId>maven-surefire-plugin</artifactId><version>3.5.2</version></plugin>
      </plugins></pluginManagement></build>
    </project>
    """
TEST = """
    package many;

    import org.junit.jupiter.api.Test;

    class {name}Test {{
        @Test
        void one() throws InterruptedException {{
            Thread.sleep(300);
        }}

        @Test
        void two() {{}}
    }}
    """


def told(run):
    """All that Maven said, but for times."""
    timeless = re.sub(r"(Time elapsed|Total time): +[\d.]+ s|Finished at: \S+", "", run.output)
    return sorted(timeless.replace("\x1b[0m", "").splitlines())  # tests of a class have no fixed order


def stored(target):
    return Counter(rows(target, "SELECT test_id, attempt, status FROM crossbridge.tests"))


def ingest(folder, target):
    done = run_cli("ingest", cwd=folder, env=clean_environ(**db_environment(target)))
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The build without us."""
    suite = MavenSuite(tmp_path_factory.mktemp("plain") / "shop", example="junit")
    suite.there = False
    return suite.run(*SOME)


@pytest.mark.parametrize("trouble", ["no database", "no driver", "no spool", "a bad setting"])
def test_the_build_is_as_without_us(trouble, plain, tmp_path, migrated):
    suite = MavenSuite(tmp_path / "shop", example="junit", driver=trouble != "no driver")
    environ = {
        "no database": AWAY | {"CROSSBRIDGE_PROFILING_BACKEND": "postgres"},
        "no driver": db_environment(migrated) | {"CROSSBRIDGE_PROFILING_BACKEND": "postgres"},
        "no spool": {"CROSSBRIDGE_SPOOL_DIR": "/proc/nowhere"},
        "a bad setting": {"CROSSBRIDGE_BATCH_SIZE": "many"},
    }[trouble]
    run = suite.run(*SOME, environ=environ)
    assert run.returncode == plain.returncode == 1
    said = [line.replace(str(suite.folder), str(plain.project)) for line in told(run)]
    ours = [line for line in said if "crossbridge" in line]
    assert [line for line in said if line not in ours] == told(plain)
    assert bool(ours) == (trouble == "a bad setting"), ours
    if trouble in {"no database", "no driver"}:
        assert stored(migrated) == Counter()
        ingest(suite.folder, migrated)
        assert stored(migrated) == TESTS
    else:
        assert run.events == []


def test_a_killed_fork_keeps_what_ended_and_leaves_the_rest_interrupted(tmp_path, migrated):
    suite = MavenSuite(tmp_path / "shop", example="junit", driver=True)
    environ = db_environment(migrated) | {"CROSSBRIDGE_PROFILING_BACKEND": "postgres"}
    process = suite.start("test", "-Dtest=Killed", "-Dsurefire.failIfNoSpecifiedTests=false", environ=environ)
    suite.wait_for(process, "#killed()")
    (header,) = [segment[0] for segment in suite.run_of(0).segments]
    os.kill(header["pid"], signal.SIGKILL)
    stdout, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "The forked VM terminated without properly saying goodbye" in stdout
    ingest(suite.folder, migrated)
    ended = Counter({("shop.Killed#before()", 1, "passed"): 1, ("shop.Killed#killed()", 1, "interrupted"): 1})
    assert stored(migrated) == ended
    assert rows(migrated, "SELECT status FROM crossbridge.runs") == [("interrupted",)]


def test_modules_built_side_by_side_are_one_run(tmp_path, migrated):
    suite = MavenSuite(tmp_path / "many", driver=True)
    names = ["Alpha", "Beta", "Gamma", "Delta"]
    suite.write("pom.xml", PARENT.format(modules="".join(f"<module>{name}</module>" for name in names)))
    for name in names:
        suite.write(f"{name}/pom.xml", MODULE.format(name=name))
        suite.write(f"{name}/src/test/java/many/{name}Test.java", TEST.format(name=name))
    environ = db_environment(migrated) | {"CROSSBRIDGE_PROFILING_BACKEND": "postgres"}
    run = suite.run("-T", "4", "test", environ=environ | {"CROSSBRIDGE_DRAIN_TIMEOUT": "60"})
    assert run.returncode == 0, run.output
    assert rows(migrated, "SELECT framework, status FROM crossbridge.runs") == [("junit", "passed")]
    expected = Counter(
        (f"many.{name}Test#{test}()", 1, "passed") for name in names for test in ("one", "two")
    )
    assert stored(migrated) == expected
    files = {row[0] for row in rows(migrated, "SELECT file FROM crossbridge.tests")}
    assert files == {f"{name}/src/test/java/many/{name}Test.java" for name in names}
