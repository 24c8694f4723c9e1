from __future__ import annotations

import json
from typing import TYPE_CHECKING

import psycopg
import pytest

from support.cli import run_cli
from support.history import History
from support.postgres import db_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any

    from crossbridge.database.target import Target


@pytest.fixture
def history(migrated: Target) -> Iterator[History]:
    """An empty history in a database with the schema."""
    with psycopg.connect(**migrated.parameters(), autocommit=True) as connection:
        yield History(connection)


@pytest.fixture
def reading(migrated: Target) -> Iterator[psycopg.Connection[Any]]:
    """A connection such as the commands read through."""
    with psycopg.connect(**migrated.parameters()) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY")
        connection.execute("SET LOCAL TIME ZONE 'UTC'")
        yield connection


@pytest.fixture
def project(migrated: Target, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A project whose settings name the database; it is the current folder."""
    for name, value in db_environment(migrated).items():
        monkeypatch.setenv(name, value)
    (tmp_path / ".crossbridge").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def ask(project: Path) -> Callable[..., Any]:
    """Run a command with --json and return what it prints."""

    def ask(*args: str, code: int = 0) -> Any:
        answer = run_cli(*args, "--json")
        assert answer.returncode == code, answer.stderr
        return json.loads(answer.stdout)

    return ask
