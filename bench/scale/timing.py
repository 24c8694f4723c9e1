"""Durations of one question, and what they may be."""

from __future__ import annotations

import statistics
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bench.measure import percentile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import LiteralString

    from psycopg import Connection

LIMIT_MS, LIMIT_90_D_MS = 100, 300
# It reads no table: what it takes tells how fast the machine is just then.
REFERENCE: LiteralString = "SELECT sum(number) FROM generate_series(1, 1000000) AS number"


@dataclass
class Figure:
    """
    What was asked, of what, over which window, and the milliseconds each of the repetitions took.

    `window` is empty when the question has none, as that for a run.
    """

    what: str
    of: str
    window: str
    taken_ms: Sequence[float]

    @property
    def median_ms(self) -> float:
        return statistics.median(self.taken_ms)

    @property
    def p95_ms(self) -> float:
        return percentile(self.taken_ms, 95)

    @property
    def limit_ms(self) -> float:
        return LIMIT_90_D_MS if self.window == "90 d" else LIMIT_MS

    @property
    def met(self) -> bool:
        return self.p95_ms <= self.limit_ms

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def reference_ms(connection: Connection[Any]) -> float:
    """Return the median milliseconds of the reference question."""
    return statistics.median(timed(lambda: connection.execute(REFERENCE).fetchall()) for _ in range(9))


def timed(act: Callable[[], object]) -> float:
    """Do it, and return the milliseconds it took."""
    began_ns = time.perf_counter_ns()
    act()
    return (time.perf_counter_ns() - began_ns) / 1e6
