"""Real pytest in processes of its own, on small projects, and what the plugin has recorded of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

ON = {"CROSSBRIDGE_PROFILING": "true", "CROSSBRIDGE_PROFILING_BACKEND": "none"}
REPO = Path(__file__).parents[2]

# A run whose time-outs are its own and whose warnings are errors where it says so.
_INI = "[pytest]\nasyncio_default_fixture_loop_scope = function\n"


def broken(failure: str) -> str:
    """Code that makes `failure` what an import of ours ends with, as in an installation that is damaged."""
    return (
        "import sys\n"
        "class Damage:\n"
        "    def find_spec(self, name, *args):\n"
        f"        if name == 'crossbridge.profiling.segment': {failure}\n"
        "sys.meta_path.insert(0, Damage())\n"
    )


def clean_environ(**more: str) -> dict[str, str]:
    """The environment of a person who calls pytest: nothing of the run that this is."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "CROSSBRIDGE_", "COV_", "PG"))
        and name not in {"PYTHONWARNINGS", "CI", "GITHUB_ACTIONS"}
    }
    # With the environment's commands at hand, as after `activate`: pabot starts `robot` by its name.
    kept["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
    return kept | more


@dataclass
class Run:
    """A run of pytest that has ended, and the segments that lie in its spool."""

    project: Path
    returncode: int
    stdout: str
    stderr: str
    segments: list[list[dict[str, Any]]] = field(default_factory=list)

    @property
    def line(self) -> str:
        """Our one line."""
        (line,) = [line for line in self.output.splitlines() if line.startswith("crossbridge: ")]
        return line

    @property
    def output(self) -> str:
        return self.stdout + self.stderr

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for segment in self.segments for event in segment[1:]]

    @property
    def headers(self) -> list[dict[str, Any]]:
        return [segment[0] for segment in self.segments]

    @property
    def ends(self) -> list[dict[str, Any]]:
        """What ended, as test_end events, in the order of time."""
        return sorted(self.of_type("test_end"), key=lambda event: event["at_us"])

    @property
    def status(self) -> str | None:
        """The status the main process gave the run."""
        (end,) = [segment[-1]["status"] for segment in self.segments if segment[0]["role"] == "main"]
        return end

    @property
    def statuses(self) -> dict[str, str]:
        """Status by test_id; each test has run once."""
        assert {end.get("attempt", 1) for end in self.ends} <= {1}
        found = [(end["test_id"], end["status"]) for end in self.ends]
        assert len(dict(found)) == len(found), f"a test ended twice: {found}"
        return dict(found)

    @property
    def attempts(self) -> Counter[tuple[str, int, str]]:
        return Counter((end["test_id"], end.get("attempt", 1), end["status"]) for end in self.ends)

    def of_type(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == name]

    def end_of(self, name: str) -> dict[str, Any]:
        """The only test_end whose test_id is or ends in `name`."""
        ends = [end for end in self.ends if end["test_id"].endswith(name)]
        (end,) = [end for end in ends if end["test_id"] == name] or ends
        return end


class Project:
    """A folder with tests in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not (folder / "pytest.ini").exists():
            (folder / "pytest.ini").write_text(_INI)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return path

    def pytest(self, *args: object, timeout_s: float = 120, **options: Any) -> Run:
        """Run pytest to its end, with profiling on; `environ` takes its place or is added to."""
        process = self.start(*args, **options)
        stdout, stderr = process.communicate(timeout=timeout_s)
        return self.run_of(process.returncode, stdout, stderr)

    def start(
        self,
        *args: object,
        environ: dict[str, str] | None = None,
        on: bool = True,
        python: str = sys.executable,
        command: Iterable[str] | None = None,
        cwd: Path | None = None,
    ) -> subprocess.Popen[str]:
        """
        Start pytest and return at once.

        An error of ours, which no test run may see, fails it here, unless `environ` says CROSSBRIDGE_STRICT=0.
        """
        settings = {"CROSSBRIDGE_STRICT": "1"} | (ON if on else {}) | (environ or {})
        return subprocess.Popen(
            [*(command or (python, "-m", "pytest")), *map(str, args)],
            cwd=cwd or self.folder,
            env=clean_environ(**settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="backslashreplace",
            start_new_session=True,
        )

    def wait_for(self, name: str, event_type: str = "test_start", *, timeout_s: float = 30) -> None:
        """Wait until a test whose id ends in `name` has begun, or ended."""
        until_s = time.monotonic() + timeout_s
        while not any(event["test_id"].endswith(name) for event in self.run_of(0).of_type(event_type)):
            assert time.monotonic() < until_s, f"there is no {event_type} of {name}"
            time.sleep(0.01)

    def run_of(self, returncode: int, stdout: str = "", stderr: str = "") -> Run:
        return Run(
            self.folder, returncode, stdout, stderr, read_segments(self.folder / ".crossbridge" / "spool")
        )


def read_segments(spool: Path) -> list[list[dict[str, Any]]]:
    """Every segment of a spool as its events; a torn last line is left out."""
    return [
        [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1] if line]
        for path in sorted(spool.glob("*/*.jsonl"))
    ]
