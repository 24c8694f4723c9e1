"""Making text storable, by the rules of `spec/sanitising.md`.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import hashlib

NAME_LIMIT_BYTES = 1000
MESSAGE_LIMIT_BYTES = 8000
MESSAGE_FIELDS = frozenset({"error_message", "error"})

_HASH_DIGITS = 20
_ELLIPSIS = "…".encode()


def clean_text(text: str, *, field: str = "", sha256: object = hashlib.sha256) -> str:
    """Replace NUL and lone surrogates by U+FFFD and cut what is over-long; `field` decides the length allowed."""
    if "\0" in text:
        text = text.replace("\0", "�")
    encoded = _encode(text)
    if field in MESSAGE_FIELDS:
        if len(encoded) > MESSAGE_LIMIT_BYTES:
            encoded = _prefix(encoded, MESSAGE_LIMIT_BYTES - len(_ELLIPSIS)) + _ELLIPSIS
    elif len(encoded) > NAME_LIMIT_BYTES:
        digest = sha256(encoded).hexdigest()[:_HASH_DIGITS]  # type: ignore[operator]
        encoded = _prefix(encoded, NAME_LIMIT_BYTES - _HASH_DIGITS - 1) + b"~" + digest.encode()
    return encoded.decode()


def _encode(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        # UTF-16 joins proper pairs; what is left over alone becomes U+FFFD.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def _prefix(encoded: bytes, limit: int) -> bytes:
    return encoded[:limit].decode(errors="ignore").encode()
