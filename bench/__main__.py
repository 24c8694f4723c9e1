"""Measure the budgets of the design and write docs/performance.md.

    python -m bench [NAME...] [--quick]

Without a name, everything is measured but `scale`. The exit code is 1 when a budget is not met. `--quick` is a smoke test: it
makes everything tiny, judges nothing, and leaves docs/performance.md alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench import (
    backlog,
    end,
    footprint,
    frameworks,
    http,
    instructions,
    jvm,
    live,
    playwright,
    pytest_runs,
    pytest_turns,
    record,
    regressions,
    report,
    scale,
    sdk,
)
from bench.machine import facts
from bench.measure import Line, say
from bench.page import render
from bench.stage import CACHE, REPOSITORY, Stage, staged

if TYPE_CHECKING:
    from collections.abc import Callable

# In the order of the page. A new group is a module with `measure` and a row here.
GROUPS: dict[str, Callable[[Stage], list[Line]]] = {
    "record": record.measure,
    "instructions": instructions.measure,
    "turns": pytest_turns.measure,
    "pytest": pytest_runs.measure,
    "frameworks": frameworks.measure,
    "jvm": jvm.measure,
    "sdk": sdk.measure,
    "playwright": playwright.measure,
    "http": http.measure,
    "footprint": footprint.measure,
    "live": live.measure,
    "end": end.measure,
    "backlog": backlog.measure,
    "regressions": regressions.measure,
    "report": report.measure,
    "scale": scale.measure,
}
ON_REQUEST = {"scale"}  # takes twenty minutes and 8 GB of disk: measured when it is named
PAGE = REPOSITORY / "docs" / "performance.md"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of: {', '.join(GROUPS)}")
    parser.add_argument("--quick", action="store_true", help="a smoke test: tiny, without verdicts")
    parser.add_argument(
        "--output", type=Path, default=CACHE, help="folder of the results (default: .cache/bench)"
    )
    args = parser.parse_args()
    if unknown := [name for name in args.names if name not in GROUPS]:
        parser.error(f"no such measurement: {', '.join(unknown)}; there are {', '.join(GROUPS)}")
    _make_ignored(args.output)
    results_file = args.output / ("quick.json" if args.quick else "results.json")
    results = _measure(
        args.names or [name for name in GROUPS if name not in ON_REQUEST], results_file, quick=args.quick
    )
    page = args.output / "quick.md" if args.quick else PAGE
    page.write_text(render(results, order=list(GROUPS)))
    say(f"written: {page}")
    return 0 if args.quick else _verdict(results)


def _measure(names: list[str], results_file: Path, *, quick: bool) -> dict[str, dict]:
    """Measure the groups named, and keep earlier results of the others."""
    results = json.loads(results_file.read_text()) if results_file.exists() else {}
    with staged(quick=quick) as stage:
        for name in names:
            began_s = time.monotonic()
            machine = facts()
            lines = GROUPS[name](stage)
            results[name] = {
                "method": sys.modules[GROUPS[name].__module__].__doc__,
                "machine": machine,
                "took_s": round(time.monotonic() - began_s),
                "lines": [line.as_dict() for line in lines],
            }
            results_file.write_text(json.dumps(results, indent=1))
            for line in lines:
                say(f"{name}: {line}")
    return results


def _verdict(results: dict[str, dict]) -> int:
    lines = [line for result in results.values() for line in result["lines"]]
    missed = [line for line in lines if not line["met"]]
    for line in missed:
        sign = ">=" if line["at_least"] else "<="
        print(
            f"NOT MET  {line['what']}: {line['measured']:,.4g} {line['unit']}, budget {sign} {line['budget']:,g}"
        )
    judged = sum(line["budget"] is not None for line in lines)
    print(f"{judged - len(missed)} of {judged} budgets met")
    return 1 if missed else 0


def _make_ignored(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n")


if __name__ == "__main__":
    raise SystemExit(main())
