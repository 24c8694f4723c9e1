"""A server on loopback for the calls of this folder, as a plugin: `-p server`."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        length = int(self.headers.get("content-length", 0))
        self.rfile.read(length)
        _, kind, *rest = self.path.partition("?")[0].split("/")
        getattr(self, kind)(*rest)

    do_POST = do_DELETE = do_GET  # noqa: N815  (so they are called)

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"ok", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def items(self, *_):
        self.answer(200)

    def status(self, code):
        self.answer(int(code))

    def old(self, left):
        self.answer(
            302, location=f"/old/{int(left) - 1}?token=s3cret" if left != "1" else "/items/9?token=s3cret"
        )

    def unavailable(self, name):
        asked = self.server.asked[name] = self.server.asked.get(name, 0) + 1
        self.answer(503 if asked < 3 else 200)

    def body_on_demand(self):
        self.send_response(200)
        self.send_header("content-length", "4")
        self.end_headers()
        self.server.wants_body.wait(30)
        self.wfile.write(b"late")

    def never(self):
        self.server.is_over.wait(30)

    def gone(self):
        self.close_connection = True


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = {}
        self.wants_body = threading.Event()
        self.is_over = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"


@pytest.fixture(scope="session")
def server():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.is_over.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def url(server):
    server.wants_body.clear()
    return server.url


@pytest.fixture
def refused():
    """A URL at which nobody listens."""
    server = Server()
    server.server_close()
    return server.url + "/items/1"
