"""Recording one event in the test's thread: call by call, into a real segment, beside the least that could do it.

The floor encodes the same event and appends the same bytes with one write. Both run in one process, in blocks that
take turns; each call is timed by itself, the clock's own cost included.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.measure import Line, percentile, run
from bench.stage import REPOSITORY, Stage, this_python

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK = 1000
TEST_ID, SUITE, FILE = (
    "tests/api/test_orders.py::TestOrders::test_create_order",
    "TestOrders",
    "tests/api/test_orders.py",
)


def measure(stage: Stage) -> list[Line]:
    # A process of its own: what else the benchmark has imported and allocated is none of the collector's business.
    command = [this_python(), "-m", "bench.record", stage.size(100, 3)]
    figures = json.loads(run(command, env=stage.environment(), cwd=REPOSITORY).stdout)
    floor, clock = figures["floor"], figures["clock alone"]
    lines = []
    for name in ("record_test_start", "record_test_end", "collect"):
        beside = {"encode and os.write": floor[0], "the clock alone": clock[0]}
        lines.append(Line(f"`{name}`, median", figures[name][0], "µs", 2.0, beside=beside))
        lines.append(
            Line(f"`{name}`, p99", figures[name][1], "µs", 25.0, beside={"encode and os.write": floor[1]})
        )
    return lines


def _time(turns: list[dict[str, Callable[[str], object]]], blocks: int) -> dict[str, tuple[float, float]]:
    """
    Median and p99 of each call, in microseconds.

    Calls of one turn follow upon each other, as the end of a test upon its start; each time with the id of another test.
    """
    clock = time.perf_counter_ns
    taken: dict[str, list[int]] = {name: [] for turn in turns for name in turn}
    for block in range(blocks):
        for turn in turns:
            calls = [(call, taken[name].append) for name, call in turn.items()]
            for number in range(BLOCK):
                test_id = f"{TEST_ID}[{block}-{number}]"
                for call, add in calls:
                    before = clock()
                    call(test_id)
                    add(clock() - before)
    return {name: (percentile(ns, 50) / 1000, percentile(ns, 99) / 1000) for name, ns in taken.items()}


def main(blocks: int) -> None:
    import msgspec

    from crossbridge.profiling.collector import MetricsCollector
    from crossbridge.profiling.models import PerformanceEvent, ProfileConfig, StorageBackendType

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = ProfileConfig(
            enabled=True, backend=StorageBackendType.NONE, spool_dir=folder / "spool", project_root=folder
        )
        collector = MetricsCollector.get_instance(config)
        if not collector.start(framework="pytest"):
            raise RuntimeError("the collector does not record: its figures would mean nothing")
        event = PerformanceEvent("test_end", 1, TEST_ID, 1, "passed", 1234, 100, 50, SUITE, FILE)

        def record_test_start(test_id: str) -> None:
            collector.record_test_start(test_id, suite=SUITE, file=FILE)

        def record_test_end(test_id: str) -> None:
            collector.record_test_end(
                test_id, duration_us=1234, setup_us=100, teardown_us=50, suite=SUITE, file=FILE
            )

        fields = {"type": "test_end", "at_us": 1, "test_id": TEST_ID, "status": "passed", "duration_us": 1234}
        fields |= {"setup_us": 100, "teardown_us": 50, "suite": SUITE, "file": FILE}
        encode, write = msgspec.json.Encoder().encode_lines, os.write
        fd = os.open(folder / "floor", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        figures = _time(
            [
                {"record_test_start": record_test_start, "record_test_end": record_test_end},
                {"collect": lambda _test_id: collector.collect(event)},
                {"floor": lambda _test_id: write(fd, encode((fields,)))},
                {"clock alone": lambda _test_id: None},
            ],
            blocks,
        )
        stats = collector.get_stats()
        if stats["collected"] != 3 * BLOCK * blocks or stats["dropped"]:
            raise RuntimeError(f"not every event was recorded: {stats}")
    print(json.dumps(figures))


if __name__ == "__main__":
    import sys

    main(int(sys.argv[1]))
