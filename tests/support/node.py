"""The SDK for JavaScript as tests drive it: a Node process that answers calls, and packages from the registry."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING, Any

from support.needs import need
from support.pytest_runs import REPO
from support.third_party import node_modules

if TYPE_CHECKING:
    from pathlib import Path

SDK = REPO / "sdk" / "js"
DRIVER = "pg@8.23.1"
MOCHAS = ("mocha@12.0.3", "mocha@11.7.2")  # an ES module, and CommonJS


def find_node() -> str:
    """The path of Node; where there is none the test is skipped, and fails on CI."""
    need("node", "npm", packages="nodejs npm")
    return shutil.which("node") or ""


def install(project: Path, *packages: str) -> None:
    """Let a project have these packages: installed once, linked from then on."""
    find_node()
    (project / "node_modules").symlink_to(node_modules(*packages))


def run_tool(
    project: Path, tool: str, *arguments: str, strict: bool = True, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run a package's own command in a project; `strict`: an error of ours fails the run."""
    find_node()
    environment = {"PATH": os.environ["PATH"], "HOME": str(project)} | settings
    if strict:
        environment["CROSSBRIDGE_STRICT"] = "1"
    return subprocess.run(
        [project / "node_modules" / ".bin" / tool, *arguments],
        cwd=project, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


class NodeProcess:
    """A Node process with the SDK loaded; `call` runs one of the functions of sdk/js/contract/run.js in it."""

    def __init__(self, cwd: Path) -> None:
        self._process = subprocess.Popen(
            [find_node(), str(SDK / "contract" / "run.js")],
            cwd=cwd,
            env={"PATH": os.environ["PATH"], "HOME": str(cwd), "CROSSBRIDGE_STRICT": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self.pid = self._process.pid

    def call(self, function: str, *arguments: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([function, *arguments]) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"{function} ended the process with {self._process.wait(5)}"
        return json.loads(answer)

    def kill9(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._close()

    def end(self, timeout_s: float = 20.0) -> int:
        """Say that there are no more calls and return the exit code."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        code = self._process.wait(timeout_s)
        self._close()
        return code

    def _close(self) -> None:
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
