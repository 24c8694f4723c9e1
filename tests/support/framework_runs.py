"""Robot Framework and behave in processes of their own, on copies of examples/ and on projects made by a test."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

from support.pytest_runs import ON, REPO, Run, clean_environ, read_segments
from support.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

# Errors of ours, which no test run may see, are raised in tests that do not provoke them.
STRICT = {"CROSSBRIDGE_STRICT": "1"}
# Of somebody who has run the example where it lies.
_LEFT_OVERS = shutil.ignore_patterns("results", "reports", "target", ".crossbridge", ".pabot*", "__pycache__")


class Suite:
    """
    A project of a framework's. Its folder is the project root, its spool lies in it.

    A subclass says by `command` and `environ` how its framework is started, by `on` what switches profiling on.
    """

    on = ON
    errors = "strict"  # what to do with output that is no UTF-8

    def __init__(self, folder: Path, *, example: str | None = None, python: str = sys.executable) -> None:
        self.folder = folder
        self.python = python
        if example:
            shutil.copytree(REPO / "examples" / example, folder, ignore=_LEFT_OVERS)
        folder.mkdir(exist_ok=True)
        (folder / ".env").write_text("# marks the project root\n")

    @property
    def spool(self) -> Path:
        return self.folder / ".crossbridge" / "spool"

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return path

    def run(self, *args: object, timeout_s: float = 120, **options) -> Run:
        """Run the framework to its end, with profiling on, and read what it recorded."""
        process = self.start(*args, **options)
        stdout, stderr = process.communicate(timeout=timeout_s)
        return self.run_of(process.returncode, stdout, stderr)

    def command(self, *args: object) -> list[str]:
        return [self.python, "-m", *map(str, args)]

    def environ(self) -> dict[str, str]:
        return clean_environ()

    def start(
        self,
        *args: object,
        on: bool = True,
        strict: bool = True,
        environ: dict[str, str] | None = None,
        cwd: Path | None = None,
    ) -> subprocess.Popen[str]:
        """Start the framework with these arguments and return at once."""
        settings = (self.on if on else {}) | (STRICT if strict else {}) | (environ or {})
        return subprocess.Popen(
            self.command(*args),
            cwd=cwd or self.folder,
            env=self.environ() | settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors=self.errors,
            start_new_session=True,
        )

    def run_of(self, returncode: int, stdout: str = "", stderr: str = "") -> Run:
        return Run(self.folder, returncode, stdout, stderr, read_segments(self.spool))

    def wait_for(self, process: subprocess.Popen[str], text: str) -> None:
        """Return when a segment holds `text`."""

        def is_recorded() -> bool:
            assert process.poll() is None, f"it ended before {text!r} was recorded"
            return any(text in path.read_text() for path in self.spool.glob("*/*.jsonl"))

        until(is_recorded, 120)  # a browser has to start first


def step_tree(run: Run, test_id: str) -> list[str]:
    """The steps of a test in order of start, indented by depth: `name [event_type] status`."""
    steps = [step for step in run.of_type("step_end") if step["test_id"] == test_id]
    steps.sort(key=lambda step: step["step_index"])
    assert [step["step_index"] for step in steps] == list(range(len(steps)))
    return [
        f"{'  ' * step.get('depth', 0)}{step['step_name']} [{step.get('event_type', 'step')}] {step['status']}"
        for step in steps
    ]
