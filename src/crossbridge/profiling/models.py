"""Events as they stand in a segment, and the settings of a collector.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

STATUSES = ("passed", "failed", "error", "skipped", "xfailed", "xpassed", "interrupted")

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


class PerformanceEvent(msgspec.Struct, omit_defaults=True, gc=False):
    """
    One event: one line of a segment. `spec/README.md` says which fields belong to which type.

    `at_us` is wall time in microseconds since 1970 UTC; the collector fills it in when it is 0.
    Durations are microseconds of monotonic time.
    """

    type: str
    at_us: int = 0
    test_id: str | None = None
    attempt: int = 1
    status: str | None = None
    duration_us: int | None = None
    setup_us: int | None = None
    teardown_us: int | None = None
    suite: str | None = None
    file: str | None = None
    error_type: str | None = None
    error_message: str | None = None
    framework: str | None = None
    worker: str | None = None
    step_name: str | None = None
    event_type: str | None = None
    step_index: int | None = None
    depth: int = 0
    endpoint: str | None = None
    method: str | None = None
    status_code: int | None = None
    command: str | None = None
    target: str | None = None
    retry_count: int = 0
    error: str | None = None
    cpu_percent: float | None = None
    memory_mb: float | None = None


class SegmentStart(msgspec.Struct, tag_field="type", tag="segment_start", kw_only=True, gc=False):
    """The header of a segment; `spec/segment.md` explains each field. `dropped` is put in front by the writer."""

    v: int = 1
    segment_id: str
    run_id: str
    writer: str
    seq: int = 0
    parent: str | None = None
    role: str
    pid: int
    pid_start: int | None
    host: str
    os: str
    runtime: str
    sdk: str
    framework: str
    framework_version: str | None
    worker: str | None
    at_us: int
    environment: str
    app_version: str | None
    labels: dict[str, str]
    git_commit: str | None
    git_branch: str | None
    ci_provider: str | None
    ci_url: str | None


class SegmentEnd(msgspec.Struct, tag_field="type", tag="segment_end", kw_only=True, gc=False):
    """The last line of a segment that was closed in order, or rotated (`next`)."""

    at_us: int
    status: str | None
    collected: int
    dropped: int
    next: str | None = None


class ProfileConfig(msgspec.Struct, frozen=True):
    """
    Settings of a collector and of its shipper. `spec/settings.json` gives names, ranges and meanings.

    What is left out has the default; `crossbridge.profiling.config.load` reads environment and files instead.
    Times end in `_s`: seconds. The password is not shown by repr.
    """

    enabled: bool = False
    backend: StorageBackendType = StorageBackendType.LOCAL
    postgres_host: str | None = None
    postgres_port: int = POSTGRES_PORT
    postgres_database: str | None = None
    postgres_user: str | None = None
    postgres_password: str | None = None
    postgres_sslmode: str = "prefer"
    run_id: str | None = None
    environment: str | None = None
    app_version: str | None = None
    labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    queue_size: int = QUEUE_SIZE
    batch_size: int = BATCH_SIZE
    flush_interval_s: float = FLUSH_INTERVAL_S
    spool_dir: Path = SPOOL_DIR
    spool_max_bytes: int = SPOOL_MAX_BYTES
    pool_max: int = POOL_MAX
    drain_timeout_s: float = DRAIN_TIMEOUT_S
    data_dir: Path | None = None
    project_root: Path = msgspec.field(default_factory=Path.cwd)

    def __post_init__(self) -> None:
        """Take plain strings for what they stand for."""
        for name, value in (
            ("backend", StorageBackendType(self.backend)),
            ("spool_dir", Path(self.spool_dir)),
            ("project_root", Path(self.project_root).absolute()),
        ):
            msgspec.structs.force_setattr(self, name, value)

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Return all fields but the password."""
        return [(name, getattr(self, name)) for name in self.__struct_fields__ if name != "postgres_password"]

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
