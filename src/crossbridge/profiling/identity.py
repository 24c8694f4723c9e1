"""Names that are the same from run to run and carry no secret: `spec/identity.md`.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re

# As text: they are compiled when they are first needed, which in most test runs is never.
_ADDRESS = r" at 0x[0-9A-Fa-f]+"
_JAVA_HASH = r"(?<=[\w$;])@(?=[a-f]*[0-9])[0-9a-f]{5,8}(?![\w.@-])"

_AUTHORITY = r"(?s)(?:([A-Za-z][A-Za-z0-9+.-]*):)?//([^/]*)(.*)"
_OPAQUE = r"([A-Za-z][A-Za-z0-9+.-]*):(?![0-9]+(?:/|$))"
_DEFAULT_PORTS = {"http": ":80", "ws": ":80", "https": ":443", "wss": ":443"}

_UUID = r"\{?[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\}?"
_NUMBER = r"[0-9]+(?:[-.:,_][0-9]+)*"
_HEX = r"(?=[A-Fa-f]*[0-9])[0-9A-Fa-f]{16,}"
_BASE32 = r"(?=[A-Z]*[0-9])[0-9A-Z]{20,}"
_TOKEN = r"(?=[^0-9]*[0-9])(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])[A-Za-z0-9_.~=-]{20,}"  # noqa: S105  (a pattern)
_PERSON = r".+(?:@|%40).+"
_ID = rf"(?:{_UUID}|{_NUMBER}|{_HEX}|{_BASE32}|{_TOKEN}|{_PERSON})(?=\.[A-Za-z]{{1,5}}\Z|\Z)"
_NUMBERED = r"([A-Za-z]+[-_])[0-9]{2,}\Z"


def test_id(raw: str, project_root: str) -> str:
    """Return a framework's name for a test without addresses of objects and without the project's own folder."""
    if project_root in raw and len(project_root) > 1:
        raw = _without_root(raw, project_root.rstrip("/"))
    if "0x" in raw:
        raw = re.sub(_ADDRESS, " at 0x", raw)
    if "@" in raw:
        raw = re.sub(_JAVA_HASH, "@", raw)
    return raw


def endpoint(url: str) -> str:
    """Return host and path template of a URL: no scheme, user, query or fragment; ids in the path are `{id}`."""
    url = re.split(r"[?#]", url.strip(), maxsplit=1)[0]
    if match := re.match(_AUTHORITY, url):
        scheme = (match[1] or "").lower()
        if scheme == "file":
            return "file:"
        host = match[2].rpartition("@")[2].lower().removesuffix(_DEFAULT_PORTS.get(scheme, ""))
        return host + _path_template(match[3] or "/")
    if match := re.match(_OPAQUE, url):
        return match[0].lower()  # data:, blob:, about:, mailto: what follows is content
    host, slash, path = url.partition("/")
    return host.rpartition("@")[2] + (_path_template(slash + path) if slash else "")


def _without_root(raw: str, root: str) -> str:
    whole = rf"(?<![\w.~/-]){re.escape(root)}(?:(/)|(?![\w.-]))"
    return re.sub(whole, lambda match: "" if match[1] else ".", raw)


def _path_template(path: str) -> str:
    return "/".join(map(_segment_template, path.split("/")))


def _segment_template(segment: str) -> str:
    segment = segment.partition(";")[0]
    if match := re.match(_ID, segment):
        return "{id}" + segment[match.end() :]
    match = re.match(_NUMBERED, segment)
    return match[1] + "{id}" if match else segment
