"""A stand-in for a test process: records test_start and test_end at a steady rate through the real collector.

    python -m bench.producer EVENTS_PER_S SECONDS

Reads CROSSBRIDGE_* settings; prints the run's id when it begins.
"""

from __future__ import annotations

import sys
import time

from crossbridge.profiling.collector import MetricsCollector

TICK_S = 0.01
DISTINCT_TESTS = 1000


def main(events_per_s: int, seconds: float) -> None:
    collector = MetricsCollector.get_instance()
    if not collector.start(framework="pytest"):
        raise SystemExit("the collector does not record")
    print(collector.run_id, flush=True)
    tests_per_tick = events_per_s * TICK_S / 2
    began_s = time.monotonic()
    done = 0
    for tick in range(1, round(seconds / TICK_S) + 1):
        while done < round(tick * tests_per_tick):
            file = f"tests/api/test_orders_{done % 50}.py"
            test_id = f"{file}::TestOrders::test_create_order[{done % DISTINCT_TESTS}]"
            collector.record_test_start(test_id, suite="TestOrders", file=file)
            collector.record_test_end(test_id, suite="TestOrders", file=file, setup_us=10, teardown_us=5)
            done += 1
        time.sleep(max(0.0, began_s + tick * TICK_S - time.monotonic()))
    collector.shutdown(status="passed")


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
