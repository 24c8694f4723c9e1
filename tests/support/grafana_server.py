"""A local server that answers as Grafana does to what `crossbridge grafana push` asks, and notes what is wrong with it."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from support.grafana_openapi import operation

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "glsa_t0p_s3cret"


class GrafanaServer:
    """
    What lies in it by uid, the requests it got, and `wrong`: what its OpenAPI document forbids.

    `answers` overrides: path below /api -> (status, body, headers).
    """

    def __init__(self, version: str | None = "11.6.0") -> None:
        self.version = version
        self.folders: dict[str, Any] = {}
        self.dashboards: dict[str, Any] = {}
        self.datasources: dict[str, Any] = {}
        self.rules: dict[str, Any] = {}
        self.groups: dict[str, Any] = {}
        self.requests: list[tuple[str, str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.wrong: list[str] = []
        self.answers: dict[str, tuple[int, Any, dict[str, str]]] = {}
        self.url = ""

    @property
    def changes(self) -> list[tuple[str, str]]:
        return [(method, path) for method, path, _ in self.requests if method != "GET"]

    def answer(
        self, method: str, path: str, body: Any, authorization: str | None
    ) -> tuple[int, Any, dict[str, str]]:
        self.requests.append((method, path, body))
        if path in self.answers:
            return self.answers[path]
        template, values, errors = operation(method, path, body)
        self.wrong += errors
        if errors:
            return 400, {"message": "; ".join(errors)}, {}
        if template == "/health":
            return 200, {"database": "ok"} | ({"version": self.version} if self.version else {}), {}
        if authorization != f"Bearer {TOKEN}":
            return 401, {"message": "Invalid API key"}, {}
        status, answer = getattr(
            self, f"_{method.lower()}_{template.split('/')[-2 if values else -1].replace('-', '_')}"
        )(*values, *([] if body is None else [body]))
        return status, answer, {}

    def _get_folders(self, uid: str) -> tuple[int, Any]:
        return _found(self.folders.get(uid))

    def _post_folders(self, body: Any) -> tuple[int, Any]:
        if body["uid"] in self.folders:
            return 409, {"message": "a folder with the same uid already exists"}
        self.folders[body["uid"]] = body
        return 200, body

    def _get_uid(self, uid: str) -> tuple[int, Any]:
        path = self.requests[-1][1]
        if path.startswith("/datasources/"):
            there = self.datasources.get(uid)
            return _found(there and {k: v for k, v in there.items() if k != "secureJsonData"})
        there = self.dashboards.get(uid)
        return _found(there and {"dashboard": there["dashboard"], "meta": {"folderUid": there["folderUid"]}})

    def _post_db(self, body: Any) -> tuple[int, Any]:
        uid, folder = body["dashboard"]["uid"], body["folderUid"]
        if folder not in self.folders:
            return 404, {"message": "folder not found"}
        there = self.dashboards.get(uid)
        if there and not body.get("overwrite"):
            return 412, {
                "message": "The dashboard has been changed by someone else",
                "status": "version-mismatch",
            }
        version = there["dashboard"]["version"] + 1 if there else 1
        self.dashboards[uid] = {
            "dashboard": body["dashboard"] | {"id": 7, "version": version},
            "folderUid": folder,
        }
        return 200, {"uid": uid, "version": version, "status": "success"}

    def _post_datasources(self, body: Any) -> tuple[int, Any]:
        if body["uid"] in self.datasources or body["name"] in [d["name"] for d in self.datasources.values()]:
            return 409, {"message": "data source with the same name already exists"}
        self.datasources[body["uid"]] = body
        return 200, {"message": "Datasource added"}

    def _put_uid(self, uid: str, body: Any) -> tuple[int, Any]:
        if uid not in self.datasources:
            return 404, {"message": "Data source not found"}
        self.datasources[uid] = body
        return 200, {"message": "Datasource updated"}

    def _get_alert_rules(self, uid: str) -> tuple[int, Any]:
        return _found(self.rules.get(uid))

    def _post_alert_rules(self, body: Any) -> tuple[int, Any]:
        if body["uid"] in self.rules:
            return 409, {"message": "alert rule with this uid exists"}
        if not self._queries_known(body):
            return 400, {"message": "invalid alert rule: data source not found"}
        self.rules[body["uid"]] = body
        return 201, body

    def _put_rule_groups(self, folder: str, group: str, body: Any) -> tuple[int, Any]:
        if folder not in self.folders:
            return 404, {"message": "folder not found"}
        if unknown := [rule["uid"] for rule in body["rules"] if rule["uid"] not in self.rules]:
            return 404, {"message": f"failed to update rule with UID {unknown[0]}: could not find alert rule"}
        self.rules.update({rule["uid"]: rule for rule in body["rules"]})
        self.groups[group] = body
        return 200, body

    def _queries_known(self, rule: Any) -> bool:
        return all(node["datasourceUid"] in (*self.datasources, "__expr__") for node in rule["data"])


def _found(thing: Any) -> tuple[int, Any]:
    return (404, {"message": "not found"}) if thing is None else (200, thing)


@contextmanager
def serving(grafana: GrafanaServer) -> Iterator[GrafanaServer]:
    """Serve at `grafana.url`, on this machine only."""

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            grafana.headers.append(dict(self.headers))
            path = unquote(self.path.removeprefix("/grafana").removeprefix("/api"))
            status, answer, headers = grafana.answer(
                self.command, path, body, self.headers.get("Authorization")
            )
            text = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            for name, value in ({"Content-Type": "application/json"} | headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = handle_any  # noqa: N815

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        grafana.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield grafana
        finally:
            server.shutdown()
            thread.join()
