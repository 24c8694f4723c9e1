"""The agent jar: every JVM of a build gets it, with no edit to the project, and only tests are seen by it."""

from __future__ import annotations

import subprocess

from support.maven import MavenSuite, agent_jar
from support.pytest_runs import clean_environ


def test_a_project_is_recorded_with_no_edit(tmp_path):
    suite = MavenSuite(tmp_path / "shop", example="junit")
    suite.there = False
    run = suite.run(
        "-q", "test", "-Dtest=OutcomesTest,FlakyTest", "-Dsurefire.failIfNoSpecifiedTests=false",
        environ={"JAVA_TOOL_OPTIONS": f"-javaagent:{agent_jar()}"},
    )  # fmt: skip
    assert run.returncode == 1
    assert run.attempts == {
        ("shop.OutcomesTest#passes()", 1, "passed"): 1,
        ("shop.OutcomesTest#fails()", 1, "failed"): 1,
        ("shop.OutcomesTest#skipped()", 1, "skipped"): 1,
        ("shop.OutcomesTest#skippedByAssumption()", 1, "skipped"): 1,
        ("shop.FlakyTest#flaky()", 1, "failed"): 1,
        ("shop.FlakyTest#flaky()", 2, "passed"): 1,
    }
    assert "setup_us" in run.end_of("#passes()")
    assert len({header["run_id"] for header in run.headers}) == 1
    assert len(run.headers) == 2, "Maven's own JVM, and the compiler's, record nothing"


def test_a_jvm_without_tests_is_as_before(tmp_path):
    done = subprocess.run(
        ["java", f"-javaagent:{agent_jar()}", "-version"],
        cwd=tmp_path,
        env=clean_environ(CROSSBRIDGE_PROFILING="true"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "crossbridge" not in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []
