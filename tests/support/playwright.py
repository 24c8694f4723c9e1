"""Playwright as a user runs it, on samples that need no browser unless they say so."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.framework_runs import Suite
from support.node import DRIVER, SDK, find_node, install
from support.pytest_runs import REPO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.pytest_runs import Run

PLAYWRIGHT = "@playwright/test@1.65.1"
REPORTER = SDK / "src" / "playwright" / "index.js"
SAMPLES = REPO / "tests" / "acceptance" / "playwright" / "sample"
# Adds the reporter to those of the configuration and of the command line.
HOOK = {"PW_TEST_REPORTER": str(REPORTER)}


class PlaywrightSuite(Suite):
    """A project of Playwright's with the sample suites named, and `node_modules`."""

    def __init__(self, folder: Path, *samples: str, package: str = PLAYWRIGHT) -> None:
        super().__init__(folder)
        self.version = package.rpartition("@")[2]
        install(folder, package, DRIVER)
        for name in samples:
            shutil.copy(SAMPLES / name, folder)

    def play(self, *args: object, timeout_s: float = 120, **options: Any) -> Run:
        """Run `playwright test ARGS` to its end, with profiling on, and read what it recorded."""
        process = self.start_playwright(*args, **options)
        stdout, stderr = process.communicate(timeout=timeout_s)
        return self.run_of(process.returncode, stdout, stderr)

    def start_playwright(
        self,
        *args: object,
        command: str = "test",
        on: bool = True,
        hook: bool = True,
        strict: bool = True,
        **environ: str,
    ) -> subprocess.Popen[str]:
        """Start `playwright COMMAND ARGS`, the reporter added by the environment when `hook`, and return at once."""
        return self.start(command, *args, on=on, strict=strict, environ=(HOOK if hook else {}) | environ)

    def command(self, *args: object) -> list[str]:
        return [
            find_node(),
            str(self.folder / "node_modules" / "@playwright" / "test" / "cli.js"),
            *map(str, args),
        ]


def own_results(report: str) -> list[tuple[str, int, str]]:
    """What Playwright's JSON reporter says: test_id, attempt and status of every result, sorted."""
    return sorted(result for suite in json.loads(report)["suites"] for result in _results(suite, ()))


def _results(suite: dict[str, Any], titles: tuple[str, ...]) -> Iterator[tuple[str, int, str]]:
    titles = (*titles, suite["title"])
    for spec in suite["specs"]:
        for test in spec["tests"]:
            project = f" [{test['projectName']}]" if test["projectName"] else ""
            for result in test["results"]:
                name = " › ".join((*titles, spec["title"])) + project
                yield name, result["retry"] + 1, _status(test["expectedStatus"], result["status"])
    for inner in suite.get("suites", ()):
        yield from _results(inner, titles)


def _status(expected: str, status: str) -> str:
    """Playwright's words in ours, but for `error`, which it does not tell from `failed`."""
    if expected == "failed" and status in ("failed", "passed"):
        return f"x{status}"
    return {"timedOut": "failed"}.get(status, status)


def recorded_results(run: Run) -> list[tuple[str, int, str]]:
    """The same as we have recorded it."""
    return sorted(
        (end["test_id"], end.get("attempt", 1), {"error": "failed"}.get(end["status"], end["status"]))
        for end in run.ends
    )


def without_times(output: str) -> str:
    """What a run printed, less times and what differs from one run without us to the next."""
    text = re.sub(r"\(?\b\d+(?:\.\d+)?(?:ms|s|m)\b\)?", "TIME", output)
    return re.sub(r'"(startTime|duration)": [^,\n]+', r'"\1": TIME', text)
