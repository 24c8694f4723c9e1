"""spec/conformance: a framework's example run by its own command line, and its rows beside the expected ones."""

from __future__ import annotations

import difflib
import json
import os
import re
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING, Any

from support.cli import run_cli
from support.conformance_rows import PARTS, Row, place
from support.cypress import cypress_environ
from support.framework_runs import Suite
from support.maven import fetch, maven_environ
from support.node import DRIVER, install
from support.pytest_runs import clean_environ
from support.spec import SPEC
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from support.conformance_rows import Store

FOLDER = SPEC / "conformance"
SCENARIOS = json.loads((FOLDER / "scenarios.json").read_text(encoding="utf-8"))
NAMES = [scenario["name"] for scenario in SCENARIOS]
PARALLEL = "parallel"


class Framework:
    """A file of spec/conformance/expected."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        self._data = json.loads(path.read_text(encoding="utf-8"))
        self.framework: str = self._data["framework"]
        self.example: str = self._data["example"]
        self.environ: dict[str, str] = self._data.get("environ", {})
        self.scenarios: dict[str, list[Row]] = self._data["scenarios"]
        self.not_applicable: dict[str, str] = self._data["not_applicable"]
        self.ships_in_process: bool = self._data.get("ships_in_process", False)
        self.by_chance: list[str] = self._data.get("by_chance", [])
        # Whether `crossbridge init` brings the hook, with which arguments more.
        self.init: bool = self._data.get("init", False)
        self.init_arguments: list[str] = self._data.get("init_arguments", [])
        # Packages of npm, NAME@VERSION, that the copy of the example is to find.
        self.node_packages: list[str] = self._data.get("node_packages", [])

    def command(self, name: str) -> dict[str, Any] | None:
        """The command `run`, `parallel` or `killed`; None where the framework has none."""
        found: dict[str, Any] | None = self._data["commands"].get(name)
        return found

    @property
    def missing(self) -> list[str]:
        """Programs this framework needs that are not on this machine."""
        path = clean_environ()["PATH"]
        return [program for program in self._data["needs"] if not shutil.which(program, path=path)]

    def tests_of(self, scenario: str) -> list[Row]:
        """The rows a scenario is about: of `killed` only the test that was, not the one before it."""
        rows = self.scenarios.get(scenario, [])
        return [row for row in rows if row["status"] == "interrupted"] if scenario == "killed" else rows

    def rows_of(self, command: str) -> list[Row]:
        """Every row that a command leaves, in the order of `rows_of_run`."""
        if command == "killed":
            found = self.scenarios.get("killed", [])
        else:
            ours = (rows for name, rows in self.scenarios.items() if name != "killed")
            found = [row for rows in ours for row in rows] + self._data.get("also", [])
        return sorted(found, key=place)


FRAMEWORKS = [Framework(path) for path in sorted((FOLDER / "expected").glob("*.json"))]


def without_steps(rows: Iterable[Row], names: list[str]) -> list[Row]:
    """The rows without the steps of these names, and without what is in them."""
    kept = []
    for row in rows:
        steps, below = [], None
        for step in row.get("steps", ()):
            depth = step.get("depth", 0)
            if below is None or depth <= below:
                below = depth if step["step_name"] in names else None
                if below is None:
                    steps.append(step)
        others = {name: value for name, value in row.items() if name != "steps"}
        kept.append(others | ({"steps": steps} if steps else {}))
    return kept


def is_named(test_id: str, scenario: str) -> bool:
    """Whether a test, whatever its file is called, bears a scenario's name: `Errors In Setup`, `errorsInSetup`."""
    name = re.split("::|#| › ", test_id.partition("[")[0])[-1]
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return scenario in re.sub(r"[^a-z0-9]+", "_", words)


class Example:
    """A framework's example in a folder of its own, where nobody has run it before."""

    def __init__(self, framework: Framework, folder: Path, store: Store) -> None:
        self.framework = framework
        self.store = store
        self._suite = Suite(folder, example=framework.example)
        self._environ = clean_environ
        if framework.node_packages:
            install(folder, *framework.node_packages, DRIVER)
        if framework.init:
            self._init()
        if (folder / "pom.xml").exists():
            self._environ = maven_environ
            fetch(folder)
        if (folder / "cypress.config.js").exists():
            self._environ = cypress_environ

    @property
    def _delivers(self) -> bool:
        """Whether the run brings its rows to the database by itself."""
        return self.store.environ.get("CROSSBRIDGE_PROFILING_BACKEND") == "postgres"

    def _init(self) -> None:
        """Have `crossbridge init` write the hook, and PostgreSQL's driver where the run is to deliver by itself."""
        arguments = [*self.framework.init_arguments]
        if self._delivers:
            arguments.append("--with-postgres")
        done = run_cli("init", self._suite.folder, *arguments, env=clean_environ())
        assert done.returncode == 0, done.stderr

    def start(self, command: str) -> subprocess.Popen[str]:
        """Start one of the framework's commands, profiling switched on by the environment alone."""
        settings = {"CROSSBRIDGE_PROFILING": "true", "CROSSBRIDGE_STRICT": "1"} | self.store.environ
        environ = self._environ(**settings, **self.framework.environ)
        wanted = self.framework.command(command)
        assert wanted, f"{self.framework.name} has no command {command}"
        arguments = wanted["command"]
        program = shutil.which(arguments[0], path=environ["PATH"])
        return subprocess.Popen(
            [program, *arguments[1:]],
            cwd=self._suite.folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="backslashreplace",
            start_new_session=True,
        )

    def finish(self, process: subprocess.Popen[str]) -> str:
        """Wait for a command's end and for its rows; what it said."""
        said, _ = process.communicate(timeout=120)
        self.store.deliver(self._suite.folder)
        if process.returncode < 0 and self.framework.ships_in_process and self._delivers:
            # Killed with its shipper: a later command brings what that has left.
            done = run_cli("ingest", cwd=self._suite.folder, env=clean_environ(**self.store.environ))
            assert done.returncode == 0, done.stderr
        return said

    def is_shown_while_it_runs(self, process: subprocess.Popen[str], test_id: str) -> bool:
        """
        Wait until the database shows a test as running, while it does run.

        A shipper of another process has all the time it needs: meanwhile the tests stand still.
        """
        if not (self.framework.ships_in_process and self._delivers):
            self._suite.wait_for(process, f'"test_id":{json.dumps(test_id, ensure_ascii=False)}')
            os.killpg(process.pid, signal.SIGSTOP)
        try:
            self.store.deliver(self._suite.folder)
            until(lambda: process.poll() is not None or test_id in self.store.in_flight(), 120)
            return process.poll() is None
        finally:
            os.killpg(process.pid, signal.SIGCONT)

    def kill(self, process: subprocess.Popen[str]) -> None:
        """SIGKILL to all processes of the run; the shipper is none of them."""
        os.killpg(process.pid, signal.SIGKILL)


def difference(expected: Iterable[Row], actual: Iterable[Row]) -> str:
    """What a reader has to change in the expected file, in its own layout; empty when nothing."""
    before, after = (layout(rows).splitlines() for rows in (expected, actual))
    return "\n".join(difflib.unified_diff(before, after, "expected", "in the database", lineterm=""))


def layout(rows: Iterable[Row]) -> str:
    """Rows as the expected files have them: a test, a step, a call a line."""
    return ",\n".join(_layout(row) for row in rows)


def _layout(row: Row) -> str:
    plain = {name: value for name, value in row.items() if name not in PARTS}
    text = "      " + json.dumps(plain, ensure_ascii=False)[:-1]
    for table in PARTS:
        if table in row:
            parts = ",\n".join(f"        {json.dumps(part, ensure_ascii=False)}" for part in row[table])
            text += f', "{table}": [\n{parts}\n      ]'
    return text + "}"
