"""All that is measured of one database, kept in a file between one size and the next."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec.structs import asdict

from bench.measure import say
from bench.scale.commands import time_commands
from bench.scale.growth import sizes
from bench.scale.page import load, write
from bench.scale.panels import time_panels
from bench.scale.timing import reference_ms
from bench.stage import CACHE
from crossbridge.database.connection import connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.scale.build import Built
    from bench.scale.timing import Figure
    from crossbridge.database.target import Target

FILE = CACHE / "scale.json"


def examine(
    target: Target,
    built: Built | None,
    folder: Path,
    *,
    quick: bool = False,
    only: tuple[str, ...] = ("panels", "commands"),
) -> dict[str, list[Figure]]:
    """Measure sizes and times, keep them, and write the page unless `quick`."""
    figures: dict[str, list[Figure]] = {}
    took_ms: dict[str, float] = {}
    with connect(target) as connection:
        (ends,) = connection.execute("SELECT max(last_at) FROM crossbridge.segments").fetchone()
        (tests, runs) = connection.execute("SELECT sum(tests), count(*) FROM crossbridge.runs").fetchone()
        known = {"tests": int(tests), "runs": runs, "sizes": [asdict(size) for size in sizes(connection)]}
    if "panels" in only:
        with _beside_reference(target, "panels", took_ms):
            figures["panels"] = time_panels(target, ends, quick=quick)
    if "commands" in only:
        with _beside_reference(target, "commands", took_ms):
            figures["commands"], figures["whole"] = time_commands(target, ends, folder, quick=quick)
    if not quick:
        name = str(max(1, round(known["tests"] / 1_000_000)))
        results = load(FILE)
        earlier = {"took_s": {}, "reference_ms": {}} | results.get(name, {})
        earlier["reference_ms"] |= took_ms
        if built:
            earlier["took_s"] = built.took_s
        results[name] = (
            earlier | known | {kind: [f.as_dict() for f in some] for kind, some in figures.items()}
        )
        FILE.parent.mkdir(parents=True, exist_ok=True)
        FILE.write_text(json.dumps(results))
        write(results)
    return figures


@contextmanager
def _beside_reference(target: Target, kind: str, took_ms: dict[str, float]) -> Iterator[None]:
    """Note what the reference question takes, before and after."""
    with connect(target) as connection:
        before = reference_ms(connection)
        yield
        took_ms[kind] = (before + reference_ms(connection)) / 2
    say(f"{kind}: the reference took {before:.0f} ms before, {2 * took_ms[kind] - before:.0f} ms after")
