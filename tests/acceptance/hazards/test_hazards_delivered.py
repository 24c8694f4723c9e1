"""What a hazard leaves in the spool arrives in the database once."""

from __future__ import annotations

import pytest

from support.postgres import db_environment
from support.shipping import rows

WIPING = """
    import shutil, time
    import pytest
    import crossbridge

    @pytest.mark.parametrize("number", range(60))
    def test_number(number, pytestconfig):
        with crossbridge.step(f"step {number}"): pass
        if number % 7 == 3:
            shutil.rmtree(pytestconfig.rootpath / ".crossbridge" / WHAT, ignore_errors=True)
        until = time.monotonic() + number % 5 * 0.03
        while time.monotonic() < until: pass
"""


@pytest.mark.parametrize("what", ["spool", "spool/*/*.jsonl", "."])
def test_a_spool_that_tests_remove_again_and_again(hazard, migrated, what):
    code = WIPING.replace("WHAT", repr(what))
    if "*" in what:
        code = WIPING.replace("shutil.rmtree(", "[path.unlink() for path in (").replace(
            ' / ".crossbridge" / WHAT, ignore_errors=True)', f' / ".crossbridge").glob({what!r})]'
        )
    hazard.write("test_w.py", code)
    environ = db_environment(migrated) | {
        "CROSSBRIDGE_PROFILING_BACKEND": "postgres",
        "CROSSBRIDGE_FLUSH_INTERVAL": "0.05",
        "CROSSBRIDGE_DRAIN_TIMEOUT": "60",
    }
    run = hazard.pytest("-p", "no:randomly", environ=environ)
    assert run.returncode == 0, run.output
    stored = rows(migrated, "SELECT test_id, status, count(*) FROM crossbridge.tests GROUP BY 1, 2")
    assert sorted(stored) == sorted(
        (f"test_w.py::test_number[{number}]", "passed", 1) for number in range(60)
    )
    steps = rows(migrated, "SELECT step_name, count(*) FROM crossbridge.steps GROUP BY 1")
    assert sorted(steps) == sorted((f"step {number}", 1) for number in range(60))
    assert rows(migrated, "SELECT status, events_dropped FROM crossbridge.runs") == [("passed", 0)]
