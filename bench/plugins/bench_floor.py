"""The floor: what it costs to append one line per test, by the plainest of plugins."""

import json
import os


class Floor:
    def __init__(self, path):
        self.fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def pytest_runtest_logreport(self, report):
        if report.when == "call":
            row = {
                "test_id": report.nodeid,
                "status": report.outcome,
                "duration_us": round(report.duration * 1e6),
            }
            os.write(self.fd, json.dumps(row).encode() + b"\n")


def pytest_configure(config):
    config.pluginmanager.register(Floor(os.environ["BENCH_FLOOR_FILE"]))
