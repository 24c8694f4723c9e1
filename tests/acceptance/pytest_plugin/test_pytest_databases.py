"""Projects that keep apart what they record: a database each, on the one server of this machine."""

from __future__ import annotations

import json
from dataclasses import replace
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from support.cli import run_cli
from support.pytest_runs import Project, clean_environ


@pytest.fixture
def environ_of(server):
    """A function: the settings under which a project uses a database of that name, which is dropped afterwards."""
    names = []

    def environ(name):
        names.append(name)
        data_dir = str(server.status().data_dir)
        return {
            "CROSSBRIDGE_PROFILING_BACKEND": "local",
            "CROSSBRIDGE_DATA_DIR": data_dir,
            "CROSSBRIDGE_DB_NAME": name,
            "CROSSBRIDGE_DRAIN_TIMEOUT": "60",
        }

    yield environ
    with psycopg.connect(**server.running_target().parameters(), autocommit=True) as connection:
        for name in names:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )


def test_each_project_reads_its_own_runs_only(environ_of, server, tmp_path):
    for name in (f"shop-{uuid4().hex}", f'Blog "{uuid4().hex}"'):
        folder = tmp_path / name[:4]
        folder.mkdir()
        project = Project(folder)
        project.write("test_it.py", f"def test_of_{name[:4]}(): pass")
        environ = environ_of(name)
        run = project.pytest(environ=environ)
        assert run.line.startswith("crossbridge: 2 events ")
        with psycopg.connect(**replace(server.running_target(), dbname=name).parameters()) as connection:
            rows = connection.execute("SELECT test_id FROM crossbridge.tests").fetchall()
        assert rows == [(f"test_it.py::test_of_{name[:4]}",)], "the shipper has made the database"
        told = json.loads(run_cli("runs", "--json", cwd=folder, env=clean_environ(**environ)).stdout)
        assert [shown["attempts"] for shown in told["runs"]] == [1]
