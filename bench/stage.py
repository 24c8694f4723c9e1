"""What every measurement stands on: a scratch folder, a PostgreSQL server of its own, environments without leaks."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
from psycopg import sql

from bench.sink import Sink
from crossbridge.database.migrate import migrate
from support.postgres import PostgresControl, db_environment
from support.scratch import scratch_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from crossbridge.database.target import Target

REPOSITORY = Path(__file__).resolve().parents[1]
CACHE = REPOSITORY / ".cache" / "bench"


@dataclass
class Stage:
    """
    The folder and the servers of one run of the benchmark. `quick` makes everything small: a smoke test.

    The server has the settings that `crossbridge up` gives it.
    """

    scratch: Path
    quick: bool

    def size(self, full: int, quick: int) -> int:
        return quick if self.quick else full

    def folder(self, name: str) -> Path:
        folder = self.scratch / name
        folder.mkdir(exist_ok=True)
        return folder

    @cached_property
    def server(self) -> PostgresControl:
        control = PostgresControl(self.scratch / "server")
        migrate(control.target)
        return control

    @property
    def target(self) -> Target:
        """The server's database, migrated."""
        return self.server.target

    @cached_property
    def sink(self) -> Sink:
        """Where peers that send over the network send to."""
        return Sink()

    @contextmanager
    def new_database(self) -> Iterator[Target]:
        """A fresh database, migrated; dropped afterwards."""
        name = f"bench_{uuid4().hex[:12]}"
        self._execute("CREATE DATABASE {}", name)
        target = replace(self.target, dbname=name)
        migrate(target)
        yield target
        self._execute("DROP DATABASE {} WITH (FORCE)", name)

    def environment(self, settings: Mapping[str, str] | None = None) -> dict[str, str]:
        """A small, fixed environment: none of the caller's settings, all hashes alike."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder("home")),
            "LANG": "C.UTF-8",
            "PYTHONHASHSEED": "0",
            # In a smoke test all run in one environment, whose other plugins would only cost time.
            **({"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} if self.quick else {}),
            **(settings or {}),
        }

    def profiling(self, spool: Path, target: Target | None = None, **settings: str) -> dict[str, str]:
        """The settings that profile into `target`, or by the backend `local` into the server's own database."""
        backend = {
            "CROSSBRIDGE_PROFILING_BACKEND": "local",
            "CROSSBRIDGE_DATA_DIR": str(self.scratch / "server"),
        }
        return {
            "CROSSBRIDGE_PROFILING": "1",
            "CROSSBRIDGE_SPOOL_DIR": str(spool),
            **(db_environment(target) if target else backend),
            **settings,
        }

    def _execute(self, statement: str, name: str) -> None:
        with psycopg.connect(
            **replace(self.target, dbname="postgres").parameters(), autocommit=True
        ) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


@contextmanager
def staged(*, quick: bool) -> Iterator[Stage]:
    """Set the stage; everything on it is gone at the end."""
    with scratch_folder() as scratch:
        stage = Stage(scratch, quick)
        try:
            yield stage
        finally:
            if "sink" in stage.__dict__:
                stage.sink.close()


def this_python() -> Path:
    """The interpreter that runs the benchmark, which has CrossBridge as it stands in the repository."""
    return Path(sys.executable)
