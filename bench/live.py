"""Delivery while tests run: 1,000 events a second for half a minute.

The database is asked again and again which tests it shows; how late one is shown is the clock then, less the time at
which the test ended. The shipper's CPU is that of its process over the steady part. Beside it: a loop that only
calls `ingest` with batches of the same size, for as many events.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import make_conninfo

from bench import ingest
from bench.candidates import wait_for_shipper
from bench.measure import Line, percentile, say
from bench.stage import REPOSITORY, Stage, this_python
from crossbridge.profiling.models import BATCH_SIZE

if TYPE_CHECKING:
    from crossbridge.database.target import Target

EVENTS_PER_S = 1000
POLL_S = 0.01
WARM_UP_S = 3.0

_SHOWN = """
    SELECT id, (extract(epoch FROM created_at) * 1000000)::bigint FROM crossbridge.tests
     WHERE run_id = %s AND id > %s ORDER BY id
"""


def measure(stage: Stage) -> list[Line]:
    seconds = stage.size(36, 4)
    with stage.new_database() as target:
        say(f"live delivery of {EVENTS_PER_S:,} events/s for {seconds} s")
        delays_s, busy = _watch(stage, target, seconds)
        bare = ingest.run(
            make_conninfo(**target.parameters()), events=seconds * EVENTS_PER_S, batch=BATCH_SIZE
        )
    bare_percent = bare.client_us * EVENTS_PER_S / 1e6 * 100
    return [
        Line(
            "CPU of the shipper at 1,000 events/s",
            busy * 100,
            "% of a core",
            2.0,
            beside={f"bare ingest loop, batches of {BATCH_SIZE}": bare_percent},
        ),
        Line(
            "shown in PostgreSQL after the event, p99",
            percentile(delays_s, 99),
            "s",
            1.5,
            beside={"median": percentile(delays_s, 50), "longest": max(delays_s)},
            note=f"{len(delays_s):,} tests, asked every {POLL_S * 1000:.0f} ms",
        ),
    ]


def _watch(stage: Stage, target: Target, seconds: int) -> tuple[list[float], float]:
    """Return the delay of each test, and the share of a core that the shipper took."""
    spool = stage.folder("spool-live")
    environment = stage.environment(stage.profiling(spool, target))
    command = [str(this_python()), "-m", "bench.producer", str(EVENTS_PER_S), str(seconds)]
    delays_s: list[float] = []
    last_id = 0
    readings: list[tuple[float, float]] = []
    with (
        psycopg.connect(**target.parameters(), autocommit=True) as connection,
        subprocess.Popen(
            command, env=environment, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
        ) as producer,
    ):
        run_id = producer.stdout.readline().strip()
        began_s = time.monotonic()
        while True:
            over = producer.poll() is not None
            rows = connection.execute(_SHOWN, (run_id, last_id)).fetchall()
            now_us = time.time_ns() // 1000
            delays_s += [(now_us - at_us) / 1e6 for _, at_us in rows]
            last_id = rows[-1][0] if rows else last_id
            if over:
                break
            if WARM_UP_S < time.monotonic() - began_s < seconds - 0.5:
                readings.append((time.monotonic(), _cpu_s(_shipper_pid(spool))))
            time.sleep(POLL_S)
    if producer.returncode or len(delays_s) != seconds * EVENTS_PER_S // 2:
        raise RuntimeError(f"{len(delays_s)} tests seen, {seconds * EVENTS_PER_S // 2} recorded")
    wait_for_shipper(spool)
    (first_s, first_cpu_s), (last_s, last_cpu_s) = readings[0], readings[-1]
    return delays_s, (last_cpu_s - first_cpu_s) / (last_s - first_s)


def _shipper_pid(spool: Path) -> int:
    return json.loads((spool / "shipper.json").read_bytes())["pid"]


def _cpu_s(pid: int) -> float:
    """User and system time of a living process: fields 14 and 15 of its stat file."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
