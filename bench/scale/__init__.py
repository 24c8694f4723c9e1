"""Ten million tests in a real PostgreSQL with the embedded server's settings, and what dashboards and commands ask of them.

Made-up results of 90 days are put in by `INSERT .. SELECT` inside the server, the rollups are made from them by
`crossbridge db rebuild-rollups`'s own code. Every query of every dashboard is timed as Grafana sends it, and every reading
command by the queries it waits for, over windows that end now and in the past. All of it stands in docs/scaling.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.measure import Line, percentile

if TYPE_CHECKING:
    from bench.stage import Stage

LIMITS = {"24 h": 100, "7 d": 100, "30 d": 100, "90 d": 300}


def measure(stage: Stage) -> list[Line]:
    from bench.scale.build import build
    from bench.scale.results import examine

    with stage.new_database() as target:
        built = build(target, tests=stage.size(10_000_000, 5_000))
        result = examine(target, built, stage.folder("scale"), quick=stage.quick)
    lines = []
    for kind in ("panels", "commands"):
        for window, limit in LIMITS.items():
            some = [figure for figure in result[kind] if figure.window == window]
            if not some:
                continue
            worst = max(some, key=lambda figure: figure.p95_ms)
            beside = {"the median of all": percentile([figure.median_ms for figure in some], 50)}
            lines.append(
                Line(
                    f"slowest of {len(some)} {kind}, {window}, p95",
                    worst.p95_ms,
                    "ms",
                    limit,
                    beside=beside,
                    note=worst.what,
                )
            )
    return lines
