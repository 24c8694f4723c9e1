"""Recording one event in a JVM and in Node: call by call, into a real segment, beside the least that could do it.

The floor is one append of the same bytes (FileChannel.write, fs.writeSync), and the encoding alone. All run in one warm
process, in blocks that take turns; each call is timed by itself, the clock's own cost included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.measure import Line, run
from bench.stage import REPOSITORY, Stage
from support.java import java_command
from support.maven import LOCAL
from support.node import find_node

if TYPE_CHECKING:
    from collections.abc import Sequence

BLOCKS = 200
# Of the median, in microseconds.
BUDGETS = {"Java": 1.0, "JavaScript": 4.0}


def measure(stage: Stage) -> list[Line]:
    java = [part for part in java_command("crossbridge.profiling.RecordBench") if not part.startswith("-XX:")]
    node = [find_node(), str(REPOSITORY / "bench" / "sdk_record.js")]
    return [*_lines(stage, "Java", java), *_lines(stage, "JavaScript", node)]


def _lines(stage: Stage, language: str, command: Sequence[str]) -> list[Line]:
    folder = stage.folder(f"sdk-{language}")
    blocks = stage.size(BLOCKS, 3)
    environment = stage.environment(LOCAL | {"CROSSBRIDGE_SPOOL_DIR": str(folder / "spool")})
    said = run([*command, str(blocks)], env=environment, cwd=folder).stdout
    rows = (line.split() for line in said.splitlines())
    us = {name: (float(median) / 1000, float(p99) / 1000) for name, median, p99 in rows}
    (segment,) = (folder / "spool").glob("*/*.jsonl")
    if segment.read_bytes().count(b'"test_end"') < blocks:
        raise RuntimeError("nothing was recorded: the figures mean nothing")
    beside = {"encode": us["encode"][0], "append": us["write"][0], "the clock alone": us["clock"][0]}
    budget = None if stage.quick else BUDGETS[language]
    return [
        Line(f"{language}: recording an event, median", us["record"][0], "µs", budget, beside=beside),
        Line(f"{language}: the same, p99", us["record"][1], "µs", beside={"append": us["write"][1]}),
    ]
