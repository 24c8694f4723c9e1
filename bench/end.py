"""The end of a run of some seconds: how long after its last test pytest is gone, and whether all is delivered by then.

Plain pytest's own end is taken off. Then the same with the server killed in mid-run: what was not delivered must be
in the database after `crossbridge ingest`, once.
"""

from __future__ import annotations

import statistics
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

import psycopg

from bench import candidates, suites
from bench.candidates import PLAIN, POSTGRES, Candidate
from bench.measure import Line, interleave, run
from bench.stage import Stage, this_python

if TYPE_CHECKING:
    from pathlib import Path

EACH_MS = 5
DEFAULT_DRAIN_S = "2.0"
CONNECTION_LOST_AFTER_S = 1.5


class Ending(NamedTuple):
    """Milliseconds from the end of the last test to the end of the process, and tests in the database by then."""

    end_ms: float
    delivered: int


def measure(stage: Stage) -> list[Line]:
    tests = stage.size(700, 150)
    suite = suites.sleepy(stage, tests, EACH_MS)
    plain = candidates.cheap(stage)[0]
    ours = next(
        each for each in candidates.ours(stage, drain_timeout=DEFAULT_DRAIN_S) if each.name == POSTGRES
    )
    endings = interleave(
        "end of a run",
        {
            PLAIN: lambda: _run(stage, plain, suite, tests),
            POSTGRES: lambda: _run(stage, ours, suite, tests),
        },
        stage.size(9, 1),
    )
    base_ms = statistics.median(each.end_ms for each in endings[PLAIN])
    added_ms = [each.end_ms - base_ms for each in endings[POSTGRES]]
    undelivered = sum(tests - each.delivered for each in endings[POSTGRES])
    gone = [_run_without(stage, ours, suite) for _ in range(stage.size(3, 1))]
    return [
        Line(
            "added to the end of a run, all delivered",
            statistics.median(added_ms),
            "ms",
            100.0,
            beside={"longest": max(added_ms), PLAIN: base_ms},
        ),
        Line("tests not in the database when pytest was gone", undelivered, "", 0),
        Line(
            "added to the end of a run, database killed in mid-run, longest",
            max(each.end_ms - base_ms for each in gone) / 1000,
            "s",
            2.2,
        ),
        Line(
            "tests lost or doubled by that, after `crossbridge ingest`",
            sum(abs(tests - each.delivered) for each in gone),
            "",
            0,
        ),
    ]


def _run(stage: Stage, candidate: Candidate, suite: Path, tests: int) -> Ending:
    end_ms, started_s = _time_end(stage, candidate, suite)
    delivered = _stored(stage, since_s=started_s)
    candidate.check(tests)
    return Ending(end_ms, delivered)


def _run_without(stage: Stage, candidate: Candidate, suite: Path) -> Ending:
    """The server is killed while the tests run, and comes back afterwards."""
    killer = threading.Timer(
        CONNECTION_LOST_AFTER_S if not stage.quick else 0.5, lambda: stage.server.stop("immediate")
    )
    killer.start()
    end_ms, started_s = _time_end(stage, candidate, suite)
    killer.join()
    stage.server.start()
    spool = candidate.environment["CROSSBRIDGE_SPOOL_DIR"]
    ingest = [this_python(), "-m", "crossbridge", "ingest", spool]
    run(ingest, env=stage.environment(candidate.environment), cwd=stage.scratch)
    candidate.settle()
    return Ending(end_ms, _stored(stage, since_s=started_s))


def _time_end(stage: Stage, candidate: Candidate, suite: Path) -> tuple[float, float]:
    """Run the suite; return milliseconds from its last test to its end, and the wall clock at its start."""
    ended_file = stage.scratch / "ended"
    environment = stage.environment({**candidate.environment, "BENCH_ENDED_FILE": str(ended_file)})
    started_s = time.time()
    run(candidate.command(stage, suite), env=environment, cwd=suite)
    return (time.monotonic_ns() - int(ended_file.read_text())) / 1e6, started_s


def _stored(stage: Stage, *, since_s: float) -> int:
    with psycopg.connect(**stage.target.parameters()) as connection:
        return connection.execute(
            "SELECT count(*) FROM crossbridge.tests WHERE started_at >= to_timestamp(%s)", [since_s]
        ).fetchone()[0]
