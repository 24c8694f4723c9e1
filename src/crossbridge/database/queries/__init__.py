"""The read queries: named blocks in the .sql files of this folder.

-- slowest_tests --
-- One line that says what it answers.
SELECT ...
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files

_HEAD = re.compile(r"^-- (\w+) --$", re.MULTILINE)
_COMMENT = re.compile(r"^\s*--.*\n?", re.MULTILINE)


def query(name: str) -> str:
    """
    Return the query of this name, without its comments: a % in one would be taken for a parameter.

    Raises:
        KeyError: There is none.
    """
    return _queries()[name]


@lru_cache(maxsize=1)
def _queries() -> dict[str, str]:
    found: dict[str, str] = {}
    for file in sorted(files(__package__).iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".sql"):
            _, *blocks = _HEAD.split(file.read_text(encoding="utf-8"))
            for name, text in zip(blocks[::2], blocks[1::2], strict=True):
                if name in found:
                    raise ValueError(f"{file.name}: there are two queries called {name}")
                found[name] = _COMMENT.sub("", text).strip()
    return found
