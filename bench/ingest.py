"""Events a second through a bare loop of crossbridge.ingest: what the database takes, and the shipper's yardstick.

    python bench/ingest.py [--dsn DSN] [--events N] [--batch N] [--mix tests|steps] [--tests N] [--busy]

Prints one line of figures. The database is the one of the DSN (default: libpq's PG* variables), its schema migrated;
rows stay there, each call under a new run id.
"""

from __future__ import annotations

import argparse
import json
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

INGEST = "SELECT crossbridge.ingest(%s, %s, %s, %s, %s::jsonb)"
# As many runs as make a branch busy: see runs.rolled_branch.
EARLIER_RUNS = """
    INSERT INTO crossbridge.runs (run_id, started_at, git_branch)
    SELECT gen_random_uuid(), now() - interval '1 day', 'main' FROM generate_series(1, 20)
"""
Event = dict[str, object]


@dataclass(frozen=True)
class Result:
    """`client_us` is CPU of this process, `events_per_s` wall time."""

    events: int
    events_per_s: float
    client_us: float


def segment_start(segment_id: str, run_id: str, at_us: int, app_version: str | None = None) -> Event:
    return {
        "dropped": 0,
        "type": "segment_start",
        "v": 1,
        "segment_id": segment_id,
        "run_id": run_id,
        "writer": segment_id,
        "seq": 0,
        "role": "main",
        "framework": "pytest",
        "at_us": at_us,
        "environment": "bench",
        "git_branch": "main",
        "app_version": app_version,
    }


def _end(number: int, at_us: int) -> Event:
    file = f"tests/api/test_orders_{number % 50}.py"
    return {
        "type": "test_end",
        "at_us": at_us,
        "test_id": f"{file}::TestOrders::test_create_order[{number}]",
        "attempt": 1,
        "status": "failed" if number % 50 == 7 else "passed",
        "duration_us": 1000 + (number * 7919) % 900_000,
        "setup_us": 100,
        "teardown_us": 50,
        "suite": "TestOrders",
        "file": file,
    }


def tests_only(number: int, at_us: int) -> Iterator[Event]:
    """One test_end row a test: the heaviest kind, most rollup work an event."""
    yield _end(number, at_us)


def tests_with_steps(number: int, at_us: int) -> Iterator[Event]:
    """Start, three steps and end of a test: what an adapter sends."""
    end = _end(number, at_us + 900)
    test = {"test_id": end["test_id"], "attempt": 1}
    yield {"type": "test_start", "at_us": at_us, "suite": end["suite"], "file": end["file"], **test}
    for index in range(3):
        step = {**test, "step_name": f"step {index}", "step_index": index, "depth": 0}
        yield {"type": "step_start", "at_us": at_us + 200 * index, **step}
        yield {"type": "step_end", "at_us": at_us + 200 * index + 150, "duration_us": 150, **step}
    yield end


MIXES: dict[str, Callable[[int, int], Iterator[Event]]] = {"tests": tests_only, "steps": tests_with_steps}


def batches(
    mix: str, events: int, batch: int, tests: int, app_version: str | None = None
) -> tuple[str, list[tuple[int, str]]]:
    """The segment's id and its calls, encoded beforehand: (number of events, JSON)."""
    segment_id = str(uuid.uuid4())
    at_us = time.time_ns() // 1000
    lines: list[Event] = [segment_start(segment_id, segment_id, at_us, app_version)]
    number = 0
    while len(lines) <= events:
        lines += MIXES[mix](number % tests, at_us + number * 1000)
        number += 1
    cuts = [lines[start : start + batch] for start in range(0, len(lines), batch)]
    return segment_id, [(len(cut), json.dumps(cut, separators=(",", ":"))) for cut in cuts]


def run(
    dsn: str,
    *,
    mix: str = "tests",
    events: int = 50_000,
    batch: int = 1000,
    tests: int = 5000,
    busy: bool = False,
) -> Result:
    segment_id, calls = batches(mix, events, batch, tests, "1.0" if busy else None)
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as connection:
        if busy:
            connection.execute(EARLIER_RUNS)
        offset = 0
        wall, cpu = time.perf_counter(), time.process_time()
        for count, payload in calls:
            row = connection.execute(
                INGEST, (segment_id, segment_id, offset, offset + count, payload)
            ).fetchone()
            offset += count
            assert row == (offset,), row
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Result(offset, offset / wall, cpu / offset * 1e6)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dsn", default="", help="libpq connection string; default: the PG* variables")
    parser.add_argument("--mix", choices=MIXES, default="tests")
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--batch", type=int, default=1000)
    parser.add_argument("--tests", type=int, default=5000, help="distinct tests")
    parser.add_argument("--busy", action="store_true", help="with a version, on a branch of many runs")
    args = parser.parse_args()
    result = run(
        args.dsn, mix=args.mix, events=args.events, batch=args.batch, tests=args.tests, busy=args.busy
    )
    print(
        f"{args.mix}: {result.events} events in batches of {args.batch}: {result.events_per_s:,.0f} events/s,"
        f" {result.client_us:.2f} us of client CPU an event"
    )


if __name__ == "__main__":
    main()
