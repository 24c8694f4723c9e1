# ruff: noqa: INP001  (a script, not a package)
"""Write what is known elsewhere: the settings in README.md, from spec/settings.json, and JSON.md. A test compares."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any, get_type_hints

from crossbridge.analysis.compare import ComparedDuration, ComparedTest, Comparison, Side
from crossbridge.analysis.flaky import FlakyTest, RetriedTest
from crossbridge.analysis.history import RunPlace
from crossbridge.analysis.regressions import Regression, Regressions, SuiteChange
from crossbridge.analysis.report import CollectorHealth, FailingTest, RunReport, WindowReport
from crossbridge.analysis.runs import Run
from crossbridge.analysis.tests import Failure, RankedTest, RunningTest
from crossbridge.analysis.timeline import Gap, Lane, Slot, Timeline
from crossbridge.analysis.totals import Totals
from crossbridge.analysis.verification import Verification
from crossbridge.cli.diagnosis import Check

HERE = Path(__file__).parent
README, REFERENCE = HERE / "README.md", HERE / "JSON.md"
SETTINGS = HERE.parents[1] / "spec" / "settings.json"
BEGIN, END = "<!-- settings: made by generate.py -->\n", "<!-- end of settings -->\n"

DOCUMENTS = {
    "init": '`{"directory": str, "frameworks": [{"framework": str, "evidence": str, "supported": bool}], "changes": '
    '[{"path": str, "action": str, "purpose": str, "diff": [str]}], "written": bool, "notes": [str], '
    '"refusals": [str]}`; `diff` with `--dry-run`; `action` is `create`, `edit` or `delete`',
    "runs": '`{"since": datetime, "runs": [Run]}`',
    "report": '`RunReport`, or with `--since` `WindowReport`; `{"run": null}` when there is no run',
    "slowest": '`{"since": datetime, "by": str, "slowest": [RankedTest]}`',
    "flaky": '`{"since": datetime, "flaky": [FlakyTest]}`',
    "regressions": "`Regressions`",
    "compare": '`{"comparison": Comparison, "gate": {"failed": bool, "reasons": [str]}}`',
    "report --html FILE": '`{"file": str, "bytes": int, "run_id": UUID | null}`',
    "timeline": '`{"run": Run, "timeline": Timeline}`; `{"run": null}` when there is no run',
    "trace --out FILE": '`{"run_id": UUID, "file": str, "slices": int}`; without `--out` the trace itself',
    "verify": "`Verification`",
    "doctor": '`{"healthy": bool, "checks": [Check]}`',
}
TYPES = (
    Run, RunReport, WindowReport, Totals, RankedTest, Failure, FailingTest, RetriedTest, FlakyTest, RunningTest,
    CollectorHealth, Regressions, Regression, SuiteChange, Comparison, Side, RunPlace, ComparedTest, ComparedDuration,
    Verification, Check, Timeline, Lane, Slot, Gap,
)  # fmt: skip


def readme(text: str) -> str:
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + settings_table() + END + rest.partition(END)[2]


def settings_table() -> str:
    rows = ["| variable | in crossbridge.yml | default | meaning |", "| --- | --- | --- | --- |"]
    for setting in json.loads(SETTINGS.read_text(encoding="utf-8"))["settings"]:
        yaml = f"`{setting['yaml']}`" if setting["yaml"] else "-"
        rows.append(f"| `{setting['name']}` | {yaml} | {_default(setting)} | {_meaning(setting)} |")
    return "\n".join(rows) + "\n"


def _default(setting: dict[str, Any]) -> str:
    default = setting["default"]
    if default in (None, {}):
        return "-"
    if setting["type"] == "bytes":
        return f"{default >> 30} GiB"
    return f"{default:g} s" if setting["type"] == "seconds" else f"{default}"


def _meaning(setting: dict[str, Any]) -> str:
    unit = " s" if setting["type"] == "seconds" else ""
    if setting["type"] == "choice":
        return f"{setting['meaning']} One of {', '.join(setting['choices'])}."
    if "min" in setting:
        return f"{setting['meaning']} {setting['min']} to {setting['max']}{unit}."
    return str(setting["meaning"])


def reference() -> str:
    """Describe the documents and the types in them."""
    lines = [
        "# What `--json` prints",
        "",
        "One JSON document on stdout. Keys stay; new ones may be added. Durations end in `_us`: microseconds.",
        "A datetime is ISO 8601 in UTC. Names are exact, whatever they hold. Made by generate.py.",
        "",
        "| command | document |",
        "| --- | --- |",
        *(
            f"| `{command} --json` | {shape.replace('|', chr(92) + '|')} |"
            for command, shape in DOCUMENTS.items()
        ),
    ]
    for kind in TYPES:
        lines += ["", f"## {kind.__name__}", "", inspect.cleandoc(kind.__doc__ or ""), ""]
        lines += [f"- `{name}`: {_type(hint)}" for name, hint in get_type_hints(kind).items()]
    return "\n".join(lines) + "\n"


def _type(hint: Any) -> str:
    text = hint.__name__ if isinstance(hint, type) and not hasattr(hint, "__args__") else str(hint)
    return re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Za-z])", "", text).replace("None", "null").replace("Any", "any")


def main() -> None:
    README.write_text(readme(README.read_text(encoding="utf-8")), encoding="utf-8")
    REFERENCE.write_text(reference(), encoding="utf-8")


if __name__ == "__main__":
    main()
