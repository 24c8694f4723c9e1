"""Events as they stand in a segment, and the settings of a collector.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from crossbridge.profiling.encode import fields

if TYPE_CHECKING:
    from collections.abc import Mapping

BATCH_SIZE = 100
DRAIN_TIMEOUT_S = 2.0
FLUSH_INTERVAL_S = 1.0
POOL_MAX = 10
POSTGRES_PORT = 5432
QUEUE_SIZE = 10_000
SPOOL_DIR = Path(".crossbridge", "spool")
SPOOL_MAX_BYTES = 2 << 30


class StorageBackendType(str, Enum):
    """Where a shipper delivers: a configured server, the embedded one, or nowhere until `crossbridge ingest`."""

    POSTGRES = "postgres"
    LOCAL = "local"
    NONE = "none"


class EventType(str, Enum):
    """What is counted as an event; bookkeeping lines of a segment are not."""

    TEST_START = "test_start"
    TEST_END = "test_end"
    STEP_START = "step_start"
    STEP_END = "step_end"
    HTTP_CALL = "http_call"
    DRIVER_COMMAND = "driver_command"
    SYSTEM_METRIC = "system_metric"


class PerformanceEvent:
    """
    One event: one line of a segment. `spec/README.md` says which fields belong to which type.

    `at_us` is wall time in microseconds since 1970 UTC; the collector fills it in when it is 0.
    Durations are microseconds of monotonic time. The fields are encoded at once, so that to record the event is
    little more than an append; why they could not be is kept in `fault`.
    """

    __slots__ = ("at_us", "fault", "fields", "type")

    def __init__(
        self,
        type: str,  # noqa: A002  (as it is called in the line)
        at_us: int = 0,
        test_id: str | None = None,
        attempt: int | None = None,
        status: str | None = None,
        duration_us: int | None = None,
        setup_us: int | None = None,
        teardown_us: int | None = None,
        suite: str | None = None,
        file: str | None = None,
        error_type: str | None = None,
        error_message: str | None = None,
        framework: str | None = None,
        worker: str | None = None,
        step_name: str | None = None,
        event_type: str | None = None,
        step_index: int | None = None,
        depth: int | None = None,
        endpoint: str | None = None,
        method: str | None = None,
        status_code: int | None = None,
        command: str | None = None,
        target: str | None = None,
        retry_count: int | None = None,
        error: str | None = None,
        cpu_percent: float | None = None,
        memory_mb: float | None = None,
    ) -> None:
        told = locals()
        del told["self"], told["type"], told["at_us"]
        self.type, self.at_us = type, at_us
        self.fault: Exception | None = None
        self.fields = ""
        try:
            self.fields = fields(told)
        except Exception as fault:  # noqa: BLE001  (a `__str__` that raises)
            self.fault = fault


class ProfileConfig(SimpleNamespace):
    """
    Settings of a collector and of its shipper. `spec/settings.json` gives names, ranges and meanings.

    What is left out has the default; `crossbridge.profiling.config.load` reads environment and files instead.
    Times end in `_s`: seconds. The password is not shown by repr. Not to be changed: see `replace`.
    """

    # Written out, as a dataclass is not ready before it has compiled itself: in each test process.
    def __init__(
        self,
        *,
        enabled: bool = False,
        backend: StorageBackendType | str = StorageBackendType.LOCAL,
        postgres_host: str | None = None,
        postgres_port: int = POSTGRES_PORT,
        postgres_database: str | None = None,
        postgres_user: str | None = None,
        postgres_password: str | None = None,
        postgres_sslmode: str = "prefer",
        run_id: str | None = None,
        environment: str | None = None,
        app_version: str | None = None,
        labels: Mapping[str, str] | None = None,
        queue_size: int = QUEUE_SIZE,
        batch_size: int = BATCH_SIZE,
        flush_interval_s: float = FLUSH_INTERVAL_S,
        spool_dir: Path | str = SPOOL_DIR,
        spool_max_bytes: int = SPOOL_MAX_BYTES,
        pool_max: int = POOL_MAX,
        drain_timeout_s: float = DRAIN_TIMEOUT_S,
        data_dir: Path | None = None,
        project_root: Path | str | None = None,
    ) -> None:
        self.enabled = enabled
        self.backend = StorageBackendType(backend)
        self.postgres_host = postgres_host
        self.postgres_port = postgres_port
        self.postgres_database = postgres_database
        self.postgres_user = postgres_user
        self.postgres_password = postgres_password
        self.postgres_sslmode = postgres_sslmode
        self.run_id = run_id
        self.environment = environment
        self.app_version = app_version
        self.labels = labels or {}
        self.queue_size = queue_size
        self.batch_size = batch_size
        self.flush_interval_s = flush_interval_s
        self.spool_dir = Path(spool_dir)
        self.spool_max_bytes = spool_max_bytes
        self.pool_max = pool_max
        self.drain_timeout_s = drain_timeout_s
        self.data_dir = data_dir
        self.project_root = Path.cwd() if project_root is None else Path(project_root).absolute()

    def replace(self, **changes: Any) -> ProfileConfig:
        """Return the same settings but for these."""
        return ProfileConfig(**{**vars(self), **changes})

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Return all fields but the password."""
        return [item for item in vars(self).items() if item[0] != "postgres_password"]

    def __repr__(self) -> str:
        return f"ProfileConfig({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"

    @staticmethod
    def load(environ: Mapping[str, str] | None = None, project_root: Path | None = None) -> ProfileConfig:
        """Read the settings from the environment and the project's files; see `config.load`."""
        from crossbridge.profiling.config import load  # noqa: PLC0415  (config needs this module)

        return load(environ, project_root)

    @property
    def spool_path(self) -> Path:
        """The spool as an absolute path: a relative one starts at the project root."""
        return self.project_root / self.spool_dir
