"""A spool that belongs to somebody else, as tests leave it that ran as root in a container."""

from __future__ import annotations

import json
import os

import pytest

from support.cli import as_user, run_cli
from support.segment_file import SegmentFile

RUN = ".crossbridge/spool/"


@pytest.fixture(params=[".crossbridge", ".crossbridge/spool", "a run's folder"])
def closed(request, project, scratch, tmp_path_factory):
    """The folder that is closed, and a way to run a command beside it as a user who may not enter."""
    place = scratch / tmp_path_factory.mktemp("of-root").name
    place.mkdir(mode=0o755)
    segment = SegmentFile(place / ".crossbridge" / "spool")
    segment.test("a::one")
    for folder in (place / ".crossbridge", place / ".crossbridge" / "spool"):
        folder.chmod(0o755)
    folder = segment.path.parent if request.param == "a run's folder" else place / request.param
    folder.chmod(0o000)
    user = as_user("nobody") if os.geteuid() == 0 else {}
    yield folder, lambda *args: run_cli(*args, **user | {"cwd": place})
    folder.chmod(0o700)


def test_it_is_never_taken_for_an_empty_one(closed):
    folder, run = closed
    done = run("ingest")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("crossbridge: cannot look into ")
    assert done.stderr.count("\n") == 1
    assert "chown" in done.stderr
    assert run("ingest", folder).returncode == 2


def test_another_spool_can_be_delivered_beside_it(closed, tmp_path_factory, scratch):
    _, run = closed
    artifact = scratch / tmp_path_factory.mktemp("artifact").name
    artifact.mkdir(mode=0o755)
    done = run("ingest", artifact)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Nothing to deliver in ")


def test_reading_goes_on_and_tells_of_it(closed):
    _, run = closed
    done = run("runs", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["runs"] == []
    assert done.stderr.startswith("crossbridge: not all of the spool can be seen: cannot look into ")


def test_doctor_fails_it_and_names_the_mend(closed):
    _, run = closed
    done = run("doctor", "--json")
    assert done.returncode == 1, done.stderr
    checks = {
        check["name"]: check for check in json.loads(done.stdout)["checks"] if check["place"] == "spool"
    }
    assert checks["room"]["verdict"] == "fail"
    assert "chown" in checks["room"]["mend"]
