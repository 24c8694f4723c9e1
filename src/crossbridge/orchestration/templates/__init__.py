"""What `crossbridge init` copies into a project: sources that are checked and tested here as they are."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def template(name: str) -> tuple[str, ...]:
    """Return the lines of a file to be copied."""
    return tuple(resources.files(__name__).joinpath(name).read_text(encoding="ascii").splitlines())
