"""What the builds of the JVM have in common: artifacts that we add, and reasons not to."""

from __future__ import annotations

import re

LAUNCHER = "org.junit.platform:junit-platform-launcher"
DRIVER = "org.postgresql:postgresql:42.7.4"
OLDEST_JAVA = 11


class Blocked(ValueError):
    """Why a build file cannot be worked on; the text follows on its name."""


def edited(line: int) -> Blocked:
    """Return the refusal to take out our lines, from `line` on, that somebody has put something else between."""
    return Blocked(
        f"line {line} and on: what 'crossbridge init' wrote was edited."
        " Take it out by hand, or have it thrown away with --force."
    )


def platform_version(jupiter: str) -> str:
    """Return the version of the JUnit Platform that belongs to one of Jupiter or Vintage; nothing if it is none."""
    found = re.fullmatch(r"([0-9]+)(\.[0-9]+\.[0-9]+[A-Za-z0-9.-]*)", jupiter)
    if found is None:
        return ""
    return f"1{found[2]}" if found[1] == "5" else jupiter
