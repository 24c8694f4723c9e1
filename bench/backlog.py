"""Delivering what has piled up: one shipper, from its start to the last byte, against a bare loop of `ingest`.

Both get the same events in fresh databases, in turns, in batches of the same size; the loop has them encoded
beforehand, reads no file and keeps no books. COPY of as many rows into an equal table without rollups shows how much of it is PostgreSQL.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
from psycopg.conninfo import make_conninfo

from bench import ingest
from bench.candidates import wait_for_shipper
from bench.measure import Line, interleave, wait_until
from bench.stage import Stage, this_python

if TYPE_CHECKING:
    from pathlib import Path

    from crossbridge.database.target import Target

BATCH = 5000  # what the shipper sends while there is a backlog
TESTS = 5000
SHIPPER = "from crossbridge.profiling.shipper import main; main()"
MIXES = {"tests": "test ends alone", "steps": "tests with steps"}


def measure(stage: Stage) -> list[Line]:
    lines = []
    for mix, called in MIXES.items():
        backlog, events = _write_backlog(stage, mix, stage.size(300_000, 2_000))
        rates = interleave(
            f"backlog of {events:,} events, {called}",
            {
                "shipper": lambda backlog=backlog, events=events: _ship(stage, backlog, events),
                "loop": lambda mix=mix, events=events: _loop(stage, mix, events),
                "copy": lambda events=events: _copy(stage, events),
            },
            stage.size(5, 1),
        )
        shipped, looped, copied = (statistics.median(rates[name]) for name in ("shipper", "loop", "copy"))
        beside = {"bare ingest loop": looped, "COPY of test rows": copied}
        share = statistics.median(s / b for s, b in zip(rates["shipper"], rates["loop"], strict=True))
        lines += [
            Line(
                f"delivered by one shipper, {called}",
                shipped,
                "events/s",
                30_000,
                at_least=True,
                beside=beside,
            ),
            Line("the same, as a share of the bare loop", share * 100, "%", 70, at_least=True),
        ]
    return lines


def _write_backlog(stage: Stage, mix: str, at_least: int) -> tuple[Path, int]:
    """A spool with one finished segment, and the number of events in it."""
    segment_id, calls = ingest.batches(mix, at_least, BATCH, TESTS)
    events = sum(lines for lines, _ in calls) - 1  # the first line is the header
    spool = stage.folder(f"backlog-{mix}")
    folder = spool / segment_id
    folder.mkdir()
    with (folder / f"{segment_id}.jsonl").open("w") as segment:
        for _, payload in calls:
            segment.writelines(
                json.dumps(event, separators=(",", ":")) + "\n" for event in json.loads(payload)
            )
        end = {
            "type": "segment_end",
            "at_us": time.time_ns() // 1000,
            "status": "passed",
            "collected": events,
            "dropped": 0,
        }
        segment.write(json.dumps(end) + "\n")
    return spool, events


def _ship(stage: Stage, backlog: Path, events: int) -> float:
    with stage.new_database() as target:
        spool = stage.scratch / "spool-backlog"
        shutil.copytree(backlog, spool)
        run_folder = next(each for each in spool.iterdir() if each.is_dir())
        environment = stage.environment(
            stage.profiling(spool, target, CROSSBRIDGE_PROJECT_ROOT=str(stage.scratch))
        )
        began_s = time.monotonic()
        with subprocess.Popen(
            [str(this_python()), "-c", SHIPPER], env=environment, cwd=stage.scratch
        ) as shipper:
            wait_until(
                lambda: not any(run_folder.glob("*.jsonl")), what="the backlog", timeout_s=120, every_s=0.005
            )
            took_s = time.monotonic() - began_s
            shipper.wait()
        wait_for_shipper(spool)
        shutil.rmtree(spool)
        _check(target, events)
    return events / took_s


def _loop(stage: Stage, mix: str, events: int) -> float:
    with stage.new_database() as target:
        result = ingest.run(
            make_conninfo(**target.parameters()), mix=mix, events=events, batch=BATCH, tests=TESTS
        )
        _check(target, events)
    return result.events_per_s


def _copy(stage: Stage, events: int) -> float:
    """Rows like those of `tests` into a table like it, indexes included, by binary COPY in one transaction."""
    now, run_id = datetime.now(timezone.utc), uuid4()
    rows = [
        (
            i,
            run_id,
            f"tests/api/test_orders_{i % 50}.py::TestOrders::test_create_order[{i % TESTS}]",
            "passed",
            "pytest",
            now,
            1000 + i,
            now,
        )
        for i in range(events)
    ]
    columns = "id, run_id, test_id, status, framework, created_at, duration_us, started_at"
    with stage.new_database() as target, psycopg.connect(**target.parameters()) as connection:
        connection.execute("CREATE TABLE copied (LIKE crossbridge.tests INCLUDING ALL)")
        began_s = time.monotonic()
        with connection.cursor().copy(f"COPY copied ({columns}) FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["int8", "uuid", "text", "text", "text", "timestamptz", "int8", "timestamptz"])
            for row in rows:
                copy.write_row(row)
        connection.commit()
        return events / (time.monotonic() - began_s)


def _check(target: Target, events: int) -> None:
    with psycopg.connect(**target.parameters()) as connection:
        stored = connection.execute("SELECT sum(events) FROM crossbridge.segments").fetchone()[0]
    if stored != events:
        raise RuntimeError(f"{stored} of {events} events arrived: the figures mean nothing")
