"""What a test process holds on a candidate's account: memory at its peak, threads, sockets."""

from __future__ import annotations

import json
import statistics
from typing import TYPE_CHECKING

from bench import candidates, suites
from bench.candidates import JUNITXML, LOCAL, NULL, PLAIN, POSTGRES, Candidate
from bench.measure import Line, interleave, run

if TYPE_CHECKING:
    from bench.stage import Stage


def measure(stage: Stage) -> list[Line]:
    tests = stage.size(1000, 10)
    suite = suites.footprint(stage, tests)
    seen_file = stage.scratch / "footprint.json"

    def look(candidate: Candidate) -> dict[str, int]:
        environment = stage.environment({**candidate.environment, "BENCH_FOOTPRINT_FILE": str(seen_file)})
        run(candidate.command(stage, suite), env=environment, cwd=suite)
        candidate.check(tests)
        return json.loads(seen_file.read_text())

    tried = [*candidates.cheap(stage), *candidates.ours(stage), *candidates.peers(stage)]
    looks = {each.name: lambda each=each: look(each) for each in tried}
    seen = interleave("footprint", looks, stage.size(5, 1))

    def added(name: str, what: str) -> float:
        """Medians: a look differs from the next by some hundred KiB."""
        return statistics.median(each[what] for each in seen[name]) - statistics.median(
            each[what] for each in seen[PLAIN]
        )

    others = [name for name in seen if name not in {PLAIN, LOCAL, POSTGRES}]
    memory = {name: added(name, "peak_kib") / 1024 for name in (PLAIN, *seen)}
    lines = []
    for name in (LOCAL, POSTGRES):
        beside = {other: memory[other] for other in others}
        lines.append(
            Line(f"{name}: memory added to the test process", memory[name], "MiB", 4.0, beside=beside)
        )
        for what in ("threads", "sockets"):
            beside = {other: added(other, what) for other in others if other not in {NULL, JUNITXML}}
            lines.append(Line(f"{name}: {what} added to it", added(name, what), "", 0, beside=beside))
    return lines
