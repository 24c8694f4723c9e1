"""The measured parts of docs/scaling.md: between marks, made from what the builds and timings left in a JSON file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bench.scale.growth import EVENTS, Size
from bench.scale.panels import WINDOWS
from bench.scale.timing import REFERENCE, Figure
from bench.stage import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PAGE = REPOSITORY / "docs" / "scaling.md"
MILLION = 1_000_000


def write(results: Mapping[str, dict[str, Any]]) -> None:
    """Put the results (by database: its number of tests in millions) into the page."""
    text = PAGE.read_text()
    of_size = {int(name): result for name, result in sorted(results.items(), key=lambda one: int(one[0]))}
    blocks = {"growth": _growth(of_size), "panels": _panels(of_size), "commands": _commands(of_size)}
    for name, block in blocks.items():
        begin, end = f"<!-- {name}: made by bench.scale -->\n", f"<!-- end of {name} -->"
        before, _, rest = text.partition(begin)
        if not rest:
            raise ValueError(f"{PAGE} has no mark {begin!r}")
        text = before + begin + block + "\n" + end + rest.partition(end)[2]
    PAGE.write_text(text)


def _growth(of_size: Mapping[int, dict[str, Any]]) -> str:
    lines = []
    for result in of_size.values():
        tests = result["tests"]
        took = ", ".join(f"{what} {seconds:,.0f} s" for what, seconds in result["took_s"].items())
        lines += [
            f"{tests / MILLION:.2f} million tests in 90 days, 5,000 different ones, {result['runs']:,} runs."
            + (f" Built in: {took}." if took else ""),
            "",
            "| table | rows | data | indexes | bytes a row | bytes a test |",
            "|---|---:|---:|---:|---:|---:|",
            *(_size(Size(**size), tests) for size in result["sizes"] if _is_large(size)),
            _total("rows", [Size(**s) for s in result["sizes"] if s["name"] in EVENTS], tests),
            _total(
                "rollups, names and ledger",
                [Size(**s) for s in result["sizes"] if s["name"] not in EVENTS],
                tests,
            ),
            "",
        ]
    return "\n".join(lines)


def _is_large(size: Mapping[str, Any]) -> bool:
    return size["data"] + size["indexes"] > 2 * MILLION


def _size(size: Size, tests: int) -> str:
    return (
        f"| {size.name} | {size.rows:,} | {_mb(size.data)} | {_mb(size.indexes)} "
        f"| {size.whole / size.rows:,.0f} | {size.whole / tests:,.1f} |"
    )


def _total(name: str, sizes: list[Size], tests: int) -> str:
    data, indexes = sum(size.data for size in sizes), sum(size.indexes for size in sizes)
    return f"| **{name}** | | **{_mb(data)}** | **{_mb(indexes)}** | | **{(data + indexes) / tests:,.0f}** |"


def _mb(size: int) -> str:
    return f"{size / MILLION:,.0f} MB" if size >= MILLION else "< 1 MB"


def _panels(of_size: Mapping[int, dict[str, Any]]) -> str:
    figures = {size: [Figure(**f) for f in result.get("panels", [])] for size, result in of_size.items()}
    largest = max(figures)
    lines = [_summary(figures), "", f"At {largest} million tests, everything chosen: median / p95 in ms.", ""]
    lines += ["| dashboard and panel | " + " | ".join(WINDOWS) + " |", "|---|" + "---:|" * len(WINDOWS)]
    lines += _table([figure for figure in figures[largest] if figure.of == "all"])
    missed = [f for f in figures[largest] if f.of != "all" and not f.met]
    chosen = [f for f in figures[largest] if f.of != "all"]
    lines += [
        "",
        f"With an environment, a branch, a test or a run chosen: {len(chosen) - len(missed)} of {len(chosen)} within their limit.",
    ]
    lines += [f"- {f.what}, {f.of}, {f.window}: {f.median_ms:,.0f} / {f.p95_ms:,.0f} ms" for f in missed]
    lines += _reference(of_size[largest], "panels")
    return "\n".join(lines)


def _summary(figures: Mapping[int, list[Figure]]) -> str:
    lines = [
        "| tests | window | panels within the limit | median panel | slowest panel, p95 |",
        "|---:|---|---:|---:|---|",
    ]
    for size, of_size in figures.items():
        for window in WINDOWS:
            some = [figure for figure in of_size if figure.window == window]
            if not some:
                continue
            worst = max(some, key=lambda figure: figure.p95_ms)
            middle = sorted(figure.median_ms for figure in some)[len(some) // 2]
            met = sum(figure.met for figure in some)
            lines.append(
                f"| {size} million | {window} | {met} of {len(some)} | {middle:,.1f} ms | {worst.p95_ms:,.0f} ms ({worst.what}, {worst.of}) |"
            )
    return "\n".join(lines)


def _commands(of_size: Mapping[int, dict[str, Any]]) -> str:
    largest = max(of_size)
    queries = [Figure(**f) for f in of_size[largest].get("commands", [])]
    whole = {(f.what, f.window): f for f in (Figure(**f) for f in of_size[largest].get("whole", []))}
    lines = ["| command, queries alone: median / p95 in ms | " + " | ".join(WINDOWS) + " |"]
    lines += ["|---|" + "---:|" * len(WINDOWS), *_table([f for f in queries if f.window])]
    lines += [
        "",
        "| command for a run | queries: median / p95 in ms | the process as a whole |",
        "|---|---:|---:|",
    ]
    for figure in queries:
        if not figure.window:
            process = whole[figure.what, ""].median_ms
            lines.append(f"| `{figure.what}` | {_cell(figure)} | {process:,.0f} ms |")
    processes = [f.median_ms for f in whole.values() if f.window]
    if processes:
        lines += [
            "",
            f"As a process of its own a command takes {min(processes):,.0f} to {max(processes):,.0f} ms, Python's start included.",
        ]
    lines += _reference(of_size[largest], "commands")
    return "\n".join(lines)


def _reference(result: Mapping[str, Any], kind: str) -> list[str]:
    """Return how fast the machine was, so that two runs can be compared."""
    took_ms = result.get("reference_ms", {}).get(kind)
    return ["", f"Beside it, same run: `{REFERENCE}` took {took_ms:,.0f} ms."] if took_ms else []


def _table(figures: Iterable[Figure]) -> list[str]:
    rows: dict[str, dict[str, Figure]] = {}
    for figure in figures:
        rows.setdefault(figure.what, {})[figure.window] = figure
    return [
        f"| {what} | " + " | ".join(_cell(row[w]) if w in row else "" for w in WINDOWS) + " |"
        for what, row in rows.items()
    ]


def _cell(figure: Figure) -> str:
    text = f"{_ms(figure.median_ms)} / {_ms(figure.p95_ms)}"
    return text if figure.met else f"**{text}**"


def _ms(value: float) -> str:
    return f"{value:,.1f}" if value < 10 else f"{value:,.0f}"


def load(file: Any) -> dict[str, dict[str, Any]]:
    return json.loads(file.read_text()) if file.exists() else {}
