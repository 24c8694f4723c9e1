"""
What `bench.http` measures, in an environment of its own: `python -m bench.http_client URL ROUNDS CALLS`.

Every way takes its turn in every round, in one process: whatever it puts in is taken out again after its turn.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PLAIN, NULL, OURS = "plain", "plain again", "crossbridge"
OPENTELEMETRY = "opentelemetry-instrumentation-requests"
EVENT_FIRING = "EventFiringWebDriver"
# A driver's command is some thirty times shorter than a call over loopback.
COMMANDS_PER_CALL = 10


@contextmanager
def nothing():
    yield lambda: None


@contextmanager
def crossbridge(folder):
    from crossbridge.integrations import _libraries
    from crossbridge.profiling.collector import MetricsCollector
    from crossbridge.profiling.models import ProfileConfig, StorageBackendType

    config = ProfileConfig(enabled=True, backend=StorageBackendType.NONE, project_root=folder)
    collector = MetricsCollector(config)
    if not collector.start(framework="pytest"):
        raise RuntimeError("the collector does not record")
    collector.record_test_start("tests/test_shop.py::test_order")
    _libraries.watch()
    yield lambda: collector.get_stats()["collected"] - 1
    collector.shutdown(timeout_s=0)
    _libraries.leave(collector)


@contextmanager
def opentelemetry():
    """Its spans end in a batch that is dropped: what sending them costs is left out."""
    from opentelemetry.instrumentation.requests import RequestsInstrumentor
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

    class Counter(SpanExporter):
        count = 0

        def export(self, spans):
            self.count += len(spans)
            return SpanExportResult.SUCCESS

    counter, provider = Counter(), TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(counter, max_queue_size=100_000))
    RequestsInstrumentor().instrument(tracer_provider=provider)

    def count():
        provider.force_flush()
        return counter.count

    yield count
    RequestsInstrumentor().uninstrument()
    provider.shutdown()


def drivers():
    """
    A driver, and Selenium's own wrapper around it.

    Its browser answers at once, so that only Selenium's own time is beside ours.
    """
    from selenium.webdriver import ChromeOptions, Remote
    from selenium.webdriver.remote.remote_connection import RemoteConnection
    from selenium.webdriver.support.event_firing_webdriver import EventFiringWebDriver
    from selenium.webdriver.support.events import AbstractEventListener

    class Browser(RemoteConnection):
        def execute(self, command, _params):
            if command == "newSession":
                return {"value": {"sessionId": "1", "capabilities": {}}}
            return {"value": {"element-6066-11e4-a52e-4f735466cecf": "f.1.d.2.e.3"}}

    driver = Remote(Browser("http://127.0.0.1:9"), options=ChromeOptions())
    return driver, EventFiringWebDriver(driver, AbstractEventListener())


def is_installed(package):
    try:
        return bool(version(package))
    except PackageNotFoundError:
        return False


def take(call, calls):
    """The median of so many calls, in microseconds."""
    clock = time.perf_counter_ns
    taken = []
    for _ in range(calls):
        before = clock()
        call()
        taken.append(clock() - before)
    return statistics.median(taken) / 1000


def measure(ways, calls, rounds):
    """Medians of each round, by way; a way that has not recorded every call makes its figures meaningless."""
    figures = {name: [] for name in ways}
    for number in range(rounds):
        names = list(ways)
        for name in names[number % len(names) :] + names[: number % len(names)]:
            switched, call = ways[name]
            with switched() as count:
                figures[name].append(take(call, calls))
                if count() not in {None, calls}:
                    raise RuntimeError(f"{name} has recorded {count()} of {calls} calls")
    return figures


def main(url, rounds, calls):
    import requests

    with tempfile.TemporaryDirectory() as folder, requests.Session() as session:
        ours = lambda: crossbridge(Path(folder))  # noqa: E731

        def get():
            session.get(url)

        gets = {PLAIN: (nothing, get), NULL: (nothing, get), OURS: (ours, get)}
        if is_installed("opentelemetry-instrumentation-requests"):  # not where this is a smoke test
            gets[OPENTELEMETRY] = (opentelemetry, get)

        driver, firing = drivers()

        def find():
            driver.find_element("css selector", "#pay")

        finds = {
            PLAIN: (nothing, find),
            NULL: (nothing, find),
            OURS: (ours, find),
            EVENT_FIRING: (nothing, lambda: firing.find_element("css selector", "#pay")),
        }
        for ways in (gets, finds):  # so that no measured call is the first
            measure(ways, 10, 1)
        return {
            "requests": measure(gets, calls, rounds),
            "selenium": measure(finds, calls * COMMANDS_PER_CALL, rounds),
        }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
