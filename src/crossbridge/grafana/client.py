"""Grafana's HTTP API, as much of it as is needed to push.

On the standard library: the client on PyPI (grafana-client) brings urllib3-future, which replaces the urllib3 of every
program in the same environment, users' tests among them.
"""

from __future__ import annotations

import json
import re
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from crossbridge.errors import GrafanaError, UsageError

MINIMUM = 11
_HOWTO = "Make a service account with the role Admin in Grafana (Administration, Service accounts) and a token for it"


class _NoRedirects(HTTPRedirectHandler):
    """The token goes to the address it was given for, and nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Client:
    """
    One Grafana, one token.

    Each call waits `timeout_s` seconds at most for an answer and raises GrafanaError with one line for people; the
    token is in none of them.
    """

    def __init__(self, url: str, token: str, timeout_s: float = 15.0) -> None:
        self.url = _checked_url(url)
        self._token = _checked_token(token)
        self._timeout_s = timeout_s
        self._opener = build_opener(_NoRedirects)

    def get(self, *path: str) -> Any:
        """Return what lies at a path, one argument a segment; None when nothing does."""
        return self._call("GET", path, None, missing_ok=True)

    def post(self, *path: str, body: dict[str, Any]) -> Any:
        return self._call("POST", path, body)

    def put(self, *path: str, body: dict[str, Any]) -> Any:
        return self._call("PUT", path, body)

    def check_version(self) -> str:
        """Return Grafana's version; it may hide it, then ''. Raise GrafanaError when it is too old, or no Grafana."""
        health = self.get("health")
        if not isinstance(health, dict) or "database" not in health:
            raise GrafanaError(
                f"{self.url} does not answer as Grafana does. Check --url; it ends before /api."
            )
        version = str(health.get("version", ""))
        major = re.match(r"\d+", version)
        if major and int(major[0]) < MINIMUM:
            raise GrafanaError(
                f"Grafana at {self.url} is {version}, the dashboards need {MINIMUM} or newer. Update it."
            )
        return version

    def _call(self, method: str, path: tuple[str, ...], body: Any, *, missing_ok: bool = False) -> Any:
        request = Request(  # noqa: S310  (http and https only: see _checked_url)
            "/".join([self.url, "api", *(quote(segment, safe="") for segment in path)]),
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={
                "Authorization": f"Bearer {self._token}",
                "Accept": "application/json",
                "Content-Type": "application/json",
                "X-Disable-Provenance": "true",  # alert rules stay editable in Grafana
            },
        )
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                return json.load(answer)
        except HTTPError as error:
            with error:
                if error.code == 404 and missing_ok:  # noqa: PLR2004
                    return None
                raise self._refused(error, method, path) from None
        except (URLError, HTTPException, OSError) as error:
            reason = getattr(error, "reason", None) or error
            raise GrafanaError(
                f"Grafana cannot be reached at {self.url}: {_plain(reason)}. Check --url, and that it runs."
            ) from None
        except ValueError:
            raise GrafanaError(
                f"{self.url} does not answer as Grafana does. Check --url; it ends before /api."
            ) from None

    def _refused(self, error: HTTPError, method: str, path: tuple[str, ...]) -> GrafanaError:
        where = f"Grafana at {self.url}"
        if error.code == 401:  # noqa: PLR2004
            return GrafanaError(f"{where} does not know the token (401). {_HOWTO}.")
        if error.code == 403:  # noqa: PLR2004
            return GrafanaError(
                f"{where} does not let the token do this: {method} /api/{'/'.join(path)} (403). {_HOWTO}."
            )
        if 300 <= error.code < 400:  # noqa: PLR2004
            place = _plain(error.headers.get("Location", "nowhere"))
            return GrafanaError(
                f"{where} sends to {place} ({error.code}). Give the address it really has with --url."
            )
        said = _message(error).replace(self._token, "...")
        return GrafanaError(f"{where} refused {method} /api/{'/'.join(path)}: {said} ({error.code}).")


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        plain = (
            parts.scheme in ("http", "https") and parts.hostname and not parts.query and not parts.fragment
        )
        _ = parts.port  # raises ValueError
    except ValueError:
        plain = False
    if not plain or re.search(r"[^!-~]", url):
        raise UsageError(
            "--url must be an address like https://grafana.example.internal, with a path or without."
        )
    if parts.username is not None:
        raise UsageError(
            "--url must hold no user or password. Give a service account's token in GRAFANA_TOKEN."
        )
    return url.rstrip("/")


def _checked_token(token: str) -> str:
    if not re.fullmatch(r"[!-~]+", token):
        raise UsageError(f"the token must be one word of printable ASCII. {_HOWTO}.")
    return token


def _message(error: HTTPError) -> str:
    try:
        document = json.load(error)
        said = document.get("message") or document.get("error") or error.reason
    except (ValueError, AttributeError, OSError):
        said = error.reason
    return _plain(said).rstrip(".")


def _plain(text: object) -> str:
    """Return a text of another machine on one line, without control characters, not too long."""
    return re.sub(r"[^ -~\u00a0-\ud7ff\ue000-\uffff]+", " ", str(text))[:300]
