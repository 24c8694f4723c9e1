"""The benchmark runs on this source and makes its page. Its figures are for `make bench` to judge, not for a test."""

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
NAMES = ["record", "turns", "pytest", "frameworks", "http", "footprint", "live", "end", "backlog", "scale"]


def run_bench(*args, output):
    return subprocess.run(
        [sys.executable, "-m", "bench", *args, "--output", output],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_every_measurement_runs_and_stands_on_the_page(tmp_path):
    tools = {
        "instructions": "valgrind",
        "report": "chromedriver",
        "jvm": "mvn",
        "sdk": "mvn",
        "playwright": "npm",
    }
    names = [*NAMES, *(name for name, tool in tools.items() if shutil.which(tool))]
    run = run_bench("--quick", *names, output=tmp_path)
    assert run.returncode == 0, run.stderr
    results = json.loads((tmp_path / "quick.json").read_text())
    page = (tmp_path / "quick.md").read_text()
    assert set(results) == set(names)
    for result in results.values():
        assert result["lines"]
        for line in result["lines"]:
            assert math.isfinite(line["measured"])
            assert f"| {line['what']} |" in page


def test_an_unknown_measurement_is_refused_with_the_names_there_are(tmp_path):
    run = run_bench("nonsense", output=tmp_path)
    assert run.returncode == 2
    assert "no such measurement: nonsense; there are record, " in run.stderr
