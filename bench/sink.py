"""A server on loopback that takes whatever is sent to it: the far end of peers that export over HTTP.

It runs in a process of its own, so that its work is not charged to the peer.
"""

from __future__ import annotations

import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import urlopen


class Sink:
    """The running server; `url` is where it listens."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.sink"], stdout=subprocess.PIPE, text=True
        )
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"

    def take_count(self) -> int:
        """Requests that came since the last call."""
        with urlopen(self.url) as answer:
            return int(answer.read())

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._process.stdout.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    taken = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        _Handler.taken += 1
        self._answer(b"{}")

    def do_GET(self) -> None:
        self._answer(str(_Handler.taken).encode())
        _Handler.taken = 0

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
