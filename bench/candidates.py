"""What a pytest run is measured with: nothing, the floor, CrossBridge, and its peers."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

from bench.measure import wait_until
from bench.stage import REPOSITORY, Stage, this_python
from bench.venvs import OURS, OURS_EMBEDDED, python_with

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from crossbridge.database.target import Target

PLAIN, NULL, JUNITXML = "plain pytest", "plain pytest again", "--junitxml"
FLOOR, FLOOR_REPORTS = "a line appended per test", "a line appended per report"
FLOOR_OF_TWO = "a line at a test's start and one at its end"
LOCAL, POSTGRES, OFF = "crossbridge, local", "crossbridge, postgres", "crossbridge, off"
ALONE = "crossbridge, no shipper"
# What the wheel of the embedded server depends on; it has a plugin of pytest's of its own.
BROUGHT = "platformdirs"
SETTLE_S = 60.0


def _always(_tests: int) -> bool:
    return True


def _no_settling() -> None:
    pass


@dataclass(frozen=True)
class Candidate:
    """
    A way to run pytest.

    Args:
        packages: Installed beside pytest, in an environment of its own.
        has_recorded: Tells whether it has recorded so many tests since it was last asked.
        settle: Waits until nothing of it runs any more; called off the clock.
    """

    name: str
    packages: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    has_recorded: Callable[[int], bool] = _always
    settle: Callable[[], None] = _no_settling

    @property
    def is_ours(self) -> bool:
        return self.packages in {(OURS,), (OURS_EMBEDDED,)}

    def command(self, stage: Stage, suite: Path) -> list[str]:
        python = this_python() if stage.quick else python_with(self.packages)
        quick = ["-p", "crossbridge"] if stage.quick and self.is_ours else []
        return [
            str(python),
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            *quick,
            *self.arguments,
            str(suite),
        ]

    def check(self, tests: int) -> None:
        """
        Make sure that what was measured did its work.

        Raises:
            RuntimeError: It has not recorded the tests that ran.
        """
        self.settle()
        if not self.has_recorded(tests):
            raise RuntimeError(
                f"{self.name} has not recorded the {tests} tests that ran: its figures mean nothing"
            )


def cheap(stage: Stage) -> list[Candidate]:
    """Those that write one file: no package of others is needed."""
    junit = stage.scratch / "junit.xml"
    return [
        Candidate(PLAIN),
        Candidate(NULL),
        _floor(stage, FLOOR, "call"),
        _floor(stage, FLOOR_REPORTS, "setup,call,teardown"),
        Candidate(
            JUNITXML,
            arguments=("--junitxml", str(junit)),
            has_recorded=lambda tests: _take(junit).count(b"<testcase") == tests,
        ),
    ]


def _floor(stage: Stage, name: str, phases: str) -> Candidate:
    rows = stage.scratch / f"floor-{phases}.jsonl"
    return Candidate(
        name,
        arguments=("-p", "bench_floor"),
        environment={
            "BENCH_FLOOR_FILE": str(rows),
            "BENCH_FLOOR_PHASES": phases,
            "PYTHONPATH": str(REPOSITORY / "bench" / "plugins"),
        },
        has_recorded=lambda tests: _take(rows).count(b"\n") == tests * len(phases.split(",")),
    )


def ours(stage: Stage, *, drain_timeout: str = "0") -> list[Candidate]:
    """CrossBridge on each backend, its shipper running; the wait at the end is measured by itself (`end`)."""
    candidates = []
    for name, package, target in ((LOCAL, OURS_EMBEDDED, None), (POSTGRES, OURS, stage.target)):
        spool = stage.folder(f"spool-{name.rpartition(' ')[2]}")
        settings = stage.profiling(spool, target, CROSSBRIDGE_DRAIN_TIMEOUT=drain_timeout)
        candidates.append(
            Candidate(
                name,
                packages=(package,),
                environment=settings,
                has_recorded=_DeliveredTests(spool, stage.target).are,
                settle=lambda spool=spool: wait_for_shipper(spool),
            )
        )
    return candidates


def alone(stage: Stage) -> Candidate:
    """What CrossBridge does in the test process itself: on a small machine the shipper at work slows that down as well."""
    spool = stage.folder("spool-none")
    return Candidate(
        ALONE,
        packages=(OURS,),
        environment=stage.profiling(spool, CROSSBRIDGE_PROFILING_BACKEND="none"),
        has_recorded=lambda tests: (
            sum(_take(path).count(b'"test_end"') for path in spool.glob("*/*.jsonl")) == tests
        ),
    )


def switched_off() -> Candidate:
    return Candidate(OFF, packages=(OURS,))


def brought() -> Candidate:
    """The package that crossbridge[embedded] brings along, alone: pytest loads its plugin in every run."""
    return Candidate(BROUGHT, packages=(BROUGHT,))


def peers(stage: Stage) -> list[Candidate]:
    """Other people's reporters that a team would choose from; those that send, send to a sink on loopback."""
    if stage.quick:
        return []
    results = stage.folder("allure")

    def has_sent(_tests: int) -> bool:
        return stage.sink.take_count() > 0

    return [
        Candidate(
            "allure-pytest",
            packages=("allure-pytest==2.16.2",),
            arguments=("--alluredir", str(results), "--clean-alluredir"),
            has_recorded=lambda tests: sum(1 for _ in results.glob("*-result.json")) == tests,
        ),
        Candidate(
            "pytest-opentelemetry",
            packages=("pytest-opentelemetry==1.1.0", "opentelemetry-exporter-otlp-proto-http==1.45.2"),
            arguments=("--export-traces",),
            environment={
                "OTEL_TRACES_EXPORTER": "otlp_proto_http",
                "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
                "OTEL_EXPORTER_OTLP_ENDPOINT": stage.sink.url,
            },
            has_recorded=has_sent,
        ),
        Candidate(
            "ddtrace",
            packages=("ddtrace==4.16.0",),
            arguments=("--ddtrace",),
            environment={
                "DD_CIVISIBILITY_AGENTLESS_ENABLED": "1",
                "DD_CIVISIBILITY_AGENTLESS_URL": stage.sink.url,
                "DD_API_KEY": "none",
                "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "0",
            },
            has_recorded=has_sent,
        ),
    ]


class _DeliveredTests:
    """The tests that the new runs of a spool have brought into the database."""

    def __init__(self, spool: Path, target: Target) -> None:
        self._spool = spool
        self._target = target
        self._seen = self._runs()

    def are(self, tests: int) -> bool:
        runs = self._runs() - self._seen
        self._seen |= runs
        with psycopg.connect(**self._target.parameters()) as connection:
            row = connection.execute(
                "SELECT count(*) FROM crossbridge.tests WHERE run_id = ANY(%s::uuid[])", [sorted(runs)]
            ).fetchone()
        return row == (tests,)

    def _runs(self) -> set[str]:
        return {folder.name for folder in self._spool.iterdir() if folder.is_dir()}


def wait_for_shipper(spool: Path) -> None:
    """Wait until all of a spool is delivered and its shipper is gone."""
    wait_until(lambda: not any(spool.glob("*/*.jsonl")), what=f"delivery of {spool}", timeout_s=SETTLE_S)
    fd = os.open(spool / "shipper.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        wait_until(lambda: _lock(fd), what=f"the end of the shipper of {spool}", timeout_s=SETTLE_S)
    finally:
        os.close(fd)


def _lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _take(path: Path) -> bytes:
    content = path.read_bytes() if path.exists() else b""
    path.unlink(missing_ok=True)
    return content
