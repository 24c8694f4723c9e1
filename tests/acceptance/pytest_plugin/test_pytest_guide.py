"""The guide's own snippet for pytest, as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import psycopg
import pytest

from support.postgres import db_environment
from support.pytest_runs import REPO, clean_environ

GUIDE = Path(__file__).parents[2] / "data" / "production-deployment-guide.md"
COMPAT = REPO / "compat"


def _snippet() -> str:
    """The code under 'For pytest'. It leaves out `import pytest`, which the name it decorates with needs."""
    text = GUIDE.read_text(encoding="utf-8")
    (snippet,) = re.findall(r"\*\*For pytest\*\*:\n```python\n(.*?)```", text, re.DOTALL)
    assert "def crossbridge_profiling():" in snippet
    return f"import pytest\n{snippet}"


def _environ(**more: str) -> dict[str, str]:
    import os

    return {
        "PYTHONPATH": os.pathsep.join(filter(None, (str(COMPAT), os.environ.get("PYTHONPATH", ""))))
    } | more


@pytest.mark.parametrize("workers", ["0", "2"])
def test_the_guides_conftest_stores_a_run(project, migrated, workers):
    (project.folder / "tests").mkdir()
    (project.folder / "tests" / "conftest.py").write_text(_snippet(), encoding="utf-8")
    project.write(
        "tests/test_a.py",
        """
        import pytest

        def test_passes(crossbridge_profiling):
            assert crossbridge_profiling.get_stats()["running"]

        def test_fails(): assert False
        @pytest.mark.skip
        def test_skipped(): pass
        """,
    )
    environ = _environ(**db_environment(migrated), CROSSBRIDGE_DRAIN_TIMEOUT="60")
    run = project.pytest("tests/", "-n", workers, on=False, environ=environ)
    assert run.returncode == 1, run.output
    assert "6 events delivered to" in run.line
    with psycopg.connect(**migrated.parameters()) as connection:
        rows = connection.execute("SELECT test_id, status FROM crossbridge.tests").fetchall()
        runs = connection.execute("SELECT status, framework, tests FROM crossbridge.runs").fetchall()
    assert dict(rows) == {
        "tests/test_a.py::test_passes": "passed",
        "tests/test_a.py::test_fails": "failed",
        "tests/test_a.py::test_skipped": "skipped",
    }
    assert runs == [("failed", "pytest", 3)]


def test_the_guides_conftest_without_a_server_named_stores_locally(project):
    # int(os.getenv(...)) and None for all else: what the snippet makes of an empty environment
    (project.folder / "conftest.py").write_text(_snippet(), encoding="utf-8")
    project.write("test_a.py", "def test_a(): pass")
    run = project.pytest(on=False, environ=_environ(CROSSBRIDGE_PROFILING_BACKEND="none"))
    assert run.returncode == 0
    assert run.statuses == {"test_a.py::test_a": "passed"}


def test_the_guides_conftest_works_with_the_plugin_switched_off(project):
    (project.folder / "conftest.py").write_text(_snippet(), encoding="utf-8")
    project.write("test_a.py", "def test_a(crossbridge_profiling): assert crossbridge_profiling.running")
    run = project.pytest("-p", "no:crossbridge", environ=_environ(CROSSBRIDGE_DRAIN_TIMEOUT="0"), on=False)
    assert run.returncode == 0, run.output


def test_every_path_of_the_guide_leads_to_ours():
    program = """
import core.profiling.collector as collector, core.profiling.models as models, core.profiling.storage as storage
from crossbridge.profiling import collector as our_collector, models as our_models, storage as our_storage
for theirs, ours in ((collector, our_collector), (models, our_models), (storage, our_storage)):
    for name in theirs.__all__:
        assert getattr(theirs, name) is getattr(ours, name), name
import core
assert not hasattr(core, "__file__") or core.__file__ is None
"""
    subprocess.run(
        [sys.executable, "-W", "error", "-c", program], env=clean_environ(**_environ()), check=True
    )


def test_the_compat_wheel_holds_the_paths_and_nothing_else(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=COMPAT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = [name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name]
    assert sorted(names) == [
        f"core/profiling/{name}.py" for name in ("__init__", "collector", "models", "storage")
    ]
