"""What a test pays for its HTTP calls and browser commands being recorded.

One process makes all calls, over one kept connection to a server on loopback that answers at once; the browser of the
commands is a stub that answers at once. Every way takes its turn in every round; a figure is the median over the
rounds of the difference to the plain call of the same round. Events go to the spool and are durable; the spans of
the peer are made and dropped, so what exporting them costs is left out. Selenium's EventFiringWebDriver only calls a
listener that does nothing: the least that could be told of a command.
"""

from __future__ import annotations

import json
import statistics
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context
from typing import TYPE_CHECKING

from bench.http_client import OPENTELEMETRY, OURS, PLAIN
from bench.measure import Line, run, spread
from bench.stage import REPOSITORY, this_python
from bench.venvs import OURS as OUR_PACKAGE
from bench.venvs import python_with

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.stage import Stage

PACKAGES = (
    "requests==2.34.2",
    "selenium==4.51.0",
    "opentelemetry-instrumentation-requests==0.66b2",
    "opentelemetry-sdk==1.45.2",
    OUR_PACKAGE,
)
ROUNDS, CALLS = 45, 200


def measure(stage: Stage) -> list[Line]:
    python = this_python() if stage.quick else python_with(PACKAGES)
    with _server() as url:
        command = [python, "-m", "bench.http_client", url, stage.size(ROUNDS, 2), stage.size(CALLS, 10)]
        figures = json.loads(run(command, env=stage.environment(), cwd=REPOSITORY).stdout)
    return _lines("`requests.get`", figures["requests"]) + _lines(
        "a command of Selenium", figures["selenium"]
    )


def _lines(call: str, figures: dict[str, list[float]]) -> list[Line]:
    rounds = {
        name: [us - plain for us, plain in zip(taken, figures[PLAIN], strict=True)]
        for name, taken in figures.items()
        if name != PLAIN
    }
    added = {name: statistics.median(differences) for name, differences in rounds.items()}
    plain_us = statistics.median(figures[PLAIN])
    lines = [
        Line(
            f"added to {call}",
            added[OURS],
            "µs",
            beside={name: added[name] for name in added if name != OURS},
            note=f"plain: {plain_us:,.0f}; single rounds: {spread(rounds[OURS])}",
        )
    ]
    if OPENTELEMETRY in added:
        times = added[OURS] / added[OPENTELEMETRY]
        lines.append(Line(f"the same, against {OPENTELEMETRY}", times, "times", 1.0))
    return lines


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one packet

    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


def _serve(connection) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    connection.send(server.server_port)
    server.serve_forever()


@contextmanager
def _server() -> Iterator[str]:
    """A server in a process of its own: the calls must not wait for its threads."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}/api/orders/17?page=2"
    finally:
        process.terminate()
        process.join()
