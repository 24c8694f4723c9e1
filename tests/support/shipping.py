"""A real shipper in a process of its own, and looking at what it has done."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import psycopg

from crossbridge.profiling.models import ProfileConfig
from crossbridge.profiling.spool import deliver_spool
from support.postgres import db_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from crossbridge.database.target import Target
    from crossbridge.profiling.spool import DeliveryReport

PROGRAM = "from crossbridge.profiling.shipper import main; main()"


def wait_until(condition: Callable[[], Any], what: str, timeout_s: float = 20.0) -> Any:
    """Return what `condition` returns as soon as that is true; fail after `timeout_s`."""
    until_s = time.monotonic() + timeout_s
    while not (value := condition()):
        if time.monotonic() > until_s:
            raise AssertionError(f"not within {timeout_s:g} s: {what}")
        time.sleep(0.01)
    return value


def shipper_environment(spool: Path, target: Target | None, **settings: Any) -> dict[str, str]:
    """Return the environment of a shipper; settings by their names less `CROSSBRIDGE_`, in lower case."""
    ours = {f"CROSSBRIDGE_{name.upper()}": str(value) for name, value in settings.items()}
    return {
        **os.environ,
        "CROSSBRIDGE_PROFILING": "true",
        "CROSSBRIDGE_PROFILING_BACKEND": "postgres" if target else "local",
        "CROSSBRIDGE_SPOOL_DIR": str(spool),
        "CROSSBRIDGE_PROJECT_ROOT": str(spool.parent),
        **(db_environment(target) if target else {}),
        **ours,
    }


class ShipperProcess:
    """A shipper that this test started and ends; `options` are those of Popen."""

    def __init__(
        self,
        spool: Path,
        target: Target | None,
        *,
        program: str = PROGRAM,
        options: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        self.spool = spool
        self._process = subprocess.Popen(
            [sys.executable, "-c", program],
            env=shipper_environment(spool, target, **settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **options or {},
        )
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.poll()

    def wait(self, timeout_s: float = 20.0) -> int:
        """Wait until it ends by itself."""
        return self._process.wait(timeout_s)

    def kill9(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def terminate(self) -> None:
        self._process.terminate()

    def wait_for_state(self, state: str, timeout_s: float = 20.0) -> dict[str, Any]:
        """Wait until its own shipper.json says so, and return it."""

        def reached() -> dict[str, Any] | None:
            status = read_status(self.spool)
            return status if status and status["pid"] == self.pid and status["state"] == state else None

        return wait_until(reached, f"shipper {state}, see {self.spool}/shipper.json", timeout_s)


@contextlib.contextmanager
def shipper(spool: Path, target: Target | None, **options: Any) -> Iterator[ShipperProcess]:
    """Run a shipper; at the end it is killed if it still runs."""
    process = ShipperProcess(spool, target, **options)
    try:
        yield process
    finally:
        process.kill9()


def deliver(spool: Path, target: Target, **options: Any) -> DeliveryReport:
    """Deliver a spool in this process, as `crossbridge ingest` does."""
    config = ProfileConfig(spool_dir=spool, project_root=spool.parent)
    return deliver_spool(config, target, **options)


def read_status(spool: Path) -> dict[str, Any] | None:
    with contextlib.suppress(FileNotFoundError):
        return json.loads((spool / "shipper.json").read_text())
    return None


def rows(target: Target, query: str, *parameters: Any) -> list[tuple]:
    with psycopg.connect(**target.parameters(), autocommit=True) as connection:
        return connection.execute(query, parameters).fetchall()


def value(target: Target, query: str, *parameters: Any) -> Any:
    return rows(target, query, *parameters)[0][0]


def stored_tests(target: Target) -> dict[str, str]:
    """Return the status of each test; a test stored twice fails here."""
    found = rows(target, "SELECT test_id, status FROM crossbridge.tests")
    assert len(found) == len(dict(found)), "a test was stored twice"
    return dict(found)


def rejected_lines(spool: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for path in sorted((spool / "rejected").glob("*.jsonl"))
        for line in path.read_text().splitlines()
    ]
