"""The reading commands as people and programs run them."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys

import msgspec
import pytest
import typer
from rich.cells import cell_len

from crossbridge.analysis.flaky import FlakyTest
from crossbridge.analysis.report import RunReport, WindowReport
from crossbridge.analysis.runs import Run
from crossbridge.analysis.tests import RankedTest
from crossbridge.analysis.verification import Verification
from support.cli import run_cli
from support.feed import Segment

HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07\x1b[31mred",
    "[bold]markup[/bold] [link=http://x]y[/link] :smile:",
    "quotes ' \" ` $(rm) %s {0} \\",
    "rtl \u202egnp.exe \u2066x\u2069 \u200f",
    "lines\nand\r\ttabs\u2028",
    "replaced \ufffd nul",
    "日本語テスト.py::test_日本",
    "emoji 👩‍👩‍👧 🧪",
    "tests/very/" + "deep/" * 150 + "test_long.py::test_long",
    "עברית::test_שלום",
)
PLACE = {"commit": "aaaa", "runtime": "CPython 3.12.1", "labels": {"team": "[red]shop"}}


@pytest.fixture
def wide(history):
    """A run with every status, retries, hostile names; a flaky test over two runs; a test in flight."""
    history.run(("tests/test_cart.py::test_total", "passed:35"), hours_ago=3, **PLACE)
    run = history.run(
        *((name, "passed:12") for name in HOSTILE),
        (HOSTILE[0] + "f", "failed:3"),
        ("tests/test_cart.py::test_total", "failed:40"),
        ("tests/test_cart.py::test_tax", "failed:850", "passed:800"),
        ("tests/test_cart.py::test_broken", "error:0.2"),
        ("tests/test_cart.py::test_later", "skipped:0.1"),
        ("tests/test_cart.py::test_known", "xfailed:5"),
        ("tests/test_cart.py::test_surprise", "xpassed:6"),
        ("tests/test_cart.py::test_killed", "interrupted:65000"),
        status="failed",
        host="build-7\x1b[5m",
        **PLACE,
    )
    segment = Segment(at_us=run.started_us + 1, environment="ci", git_branch="main")
    segment.start("tests/test_cart.py::test_hangs").add(
        "step_start", test_id="tests/test_cart.py::test_hangs", step_name="wait for \x1b[31mgodot"
    )
    segment.deliver(history.connection)
    return run


COMMANDS = (
    ("runs",),
    ("report",),
    ("report", "--since", "7d"),
    ("slowest", "--limit", "50"),
    ("slowest", "--by", "total"),
    ("slowest", "--by", "max"),
    ("flaky",),
    ("compare", "main", "main"),
    ("verify",),
)


@pytest.fixture(scope="module")
def app():
    app = typer.Typer()
    for name in ("reading", "comparing", "verify"):
        importlib.import_module(f"crossbridge.cli.{name}").register(app)
    return typer.main.get_command(app)


@pytest.fixture
def lines(app, project, capsys, monkeypatch):
    """Run a command in this process, as if piped into a program, and return the lines it prints."""

    def lines(*command, columns=None):
        if columns:
            monkeypatch.setenv("COLUMNS", str(columns))
        else:
            monkeypatch.delenv("COLUMNS", raising=False)
        app.main(command, standalone_mode=False)
        printed = capsys.readouterr()
        assert printed.err == ""
        return printed.out.splitlines()

    return lines


def test_lines_fit_the_terminal_and_nothing_in_a_name_steers_it(wide, history, lines):
    history.run(
        ("t", "failed"),
        framework=HOSTILE[0],
        environment=HOSTILE[3],
        branch=HOSTILE[4],
        app_version=HOSTILE[0],
    )
    for command in (*COMMANDS, ("report", "--run", wide.run_id, "--limit", "100")):
        for columns in (80, 120, None):
            for line in lines(*command, columns=columns):
                assert all(c.isprintable() or c in "\u200c\u200d" for c in line), (command, line)
                assert line == line.rstrip()
                assert columns is None or cell_len(line) <= columns or command == ("verify",)


def test_names_are_whole_when_nobody_says_how_wide_a_line_may_be(wide, lines):
    text = "\n".join(lines("slowest", "--limit", "50"))
    assert HOSTILE[-2] in text
    assert r"\x1b[2J\x1b]0;owned\x07\x1b[31mred" in text
    assert "[bold]markup[/bold] [link=http://x]y[/link] :smile:" in text
    assert r"rtl \u202egnp.exe \u2066x\u2069 \u200f" in text


def test_a_name_that_figures_would_cut_short_has_a_line_of_its_own(history, lines):
    name = "tests/test_cart.py::test_total[of 12 teas]"
    history.run((name, "passed:1234"))
    head, name_of_names, figures, shown = lines("slowest", columns=80)[1:]
    assert (name_of_names, shown) == ("    test", f"    {name}")
    assert head.split()[-1] == "attempts"
    assert figures.endswith("  1.23 s  100.0%         1")
    assert lines("slowest", columns=120)[2] == f"{figures}  {name}"
    assert lines("slowest", columns=40)[3] == figures  # never cut: a terminal wraps it


def test_a_bar_stays_beside_its_figures_however_short_the_line(wide, lines):
    shown = lines("report", "--run", wide.run_id, columns=40)
    assert "         11    61.11%  passed       ━━━━" in shown
    assert not any(line.startswith("━") for line in shown)


def test_figures_line_up_on_the_right(wide, lines):
    head, *rows = lines("slowest", "--limit", "50", columns=120)[1:]
    for column in ("average", "longest", "attempts"):
        end = head.index(column) + len(column)
        assert all(row[end - 1] != " " and row[end : end + 2] == "  " for row in rows), column


def test_every_duration_has_a_unit_and_every_share_a_percent_sign(wide, lines):
    for row in lines("slowest", "--limit", "50", columns=120)[2:]:
        figures = row.split()
        assert {figures[1], figures[3]} <= {"µs", "ms", "s", "m"} or figures[2:4] == ["05", "s"], row


def test_a_report_tells_all_there_is_to_a_run(wide, lines):
    text = "\n".join(lines("report", "--run", wide.run_id[:13], "--limit", "30"))
    for expected in (
        f"● run {wide.run_id} failed",
        r"on     build-7\x1b[5m · CPython 3.12.1",
        "labels team=[red]shop",
        "Tests  18 tests, 19 attempts, 1 m 07 s of test time",
        "         11    61.11%  passed       ━━━━━━━━━━━━━━━",
        "          2    11.11%  failed       ━━━",
        "          1     5.56%  interrupted  ━",
        "Failures  3 tests",
        "  failed  pytest  tests/test_cart.py::test_total\n    AssertionError: failed 1\n",
        "  error   pytest  tests/test_cart.py::test_broken\n",
        "Flaky in this run  passed only when retried",
        "  passed  pytest  tests/test_cart.py::test_tax\n    1 of 2 attempts failed: AssertionError: failed 1\n",
        "Interrupted  1 test\n  interrupted  pytest  tests/test_cart.py::test_killed\n    after 1 m 05 s",
        "Collector  38 events collected\n  38 written, 0 spooled, 0 dropped",
    ):
        assert expected in text + "\n", expected
    assert "second line" not in text


def test_the_latest_run_is_reported_unless_another_is_named(wide, lines):
    text = "\n".join(lines("report"))
    assert wide.run_id not in text  # the one with the test in flight began later
    assert (
        "In flight  begun, and no end heard of\n  running  pytest  tests/test_cart.py::test_hangs\n    for 1 h"
        in text
    )
    assert r"in step: wait for \x1b[31mgodot" in text
    assert "1 segment still being recorded, or left for 'crossbridge ingest'" in text


def test_a_window_report_tells_of_all_its_runs(wide, lines):
    text = "\n".join(lines("report", "--since", "7d", "--limit", "30"))
    assert text.startswith("● 3 runs since ")
    assert "Tests  20 attempts, " in text
    assert "Failing tests  by failed attempts" in text
    assert "    1 of 2 attempts; latest: AssertionError: failed 1" in text
    assert "          1 of 2        0        1    40.0 ms  " in text
    assert "In flight" in text


def test_json_is_exact_and_of_the_documented_types(wide, project):
    def read(kind, *command):
        answer = run_cli(*command, "--json")
        assert answer.stderr == ""
        return msgspec.json.decode(answer.stdout, type=kind)

    report = read(RunReport, "report", "--run", wide.run_id, "--limit", "100")
    assert str(report.run.run_id) == wide.run_id
    assert {test.test_id for test in report.slowest} >= set(HOSTILE)
    assert report.run.labels == {"team": "[red]shop"}
    assert report.failures[-1].error_message == "error 1\nsecond line"
    window = read(WindowReport, "report", "--since", "7d")
    assert [test.test_id for test in window.flaky] == [
        "tests/test_cart.py::test_tax",
        "tests/test_cart.py::test_total",
    ]
    assert [test.step_name for test in window.running] == ["wait for \x1b[31mgodot"]
    assert read(Verification, "verify").statuses["failed"] == 3
    assert len(read(dict[str, list[Run] | str], "runs")["runs"]) == 3
    assert len(read(dict[str, list[FlakyTest] | str], "flaky")["flaky"]) == 2
    assert len(read(dict[str, list[RankedTest] | str], "slowest")["slowest"]) == 10


def test_moments_in_json_are_utc(history, ask):
    history.run(("t", "passed"))
    history.connection.execute(
        f"ALTER DATABASE {history.connection.info.dbname} SET timezone TO 'Asia/Tokyo'"
    )
    assert ask("runs")["runs"][0]["started_at"].endswith("Z")


def test_filters_reach_every_list(wide, history, ask):
    history.run(("other", "passed"), environment="staging", branch="feature/x", framework="robot")
    chosen = ("--env", "staging", "--branch", "feature/x", "--framework", "robot")
    assert [run["environment"] for run in ask("runs", *chosen)["runs"]] == ["staging"]
    assert ask("report", *chosen)["run"]["environment"] == "staging"
    assert [test["test_id"] for test in ask("slowest", *chosen)["slowest"]] == ["other"]
    assert ask("flaky", *chosen)["flaky"] == []
    for command in ("runs", "report", "slowest", "verify"):
        nothing = run_cli(command, "--framework", "pytets").stderr
        assert nothing.endswith(
            "'crossbridge runs' lists the environments, branches and frameworks there are.\n"
        )
    window = ask("report", "--since", "7d", *chosen)
    assert (window["collector"]["runs"], window["running"], window["failing"]) == (1, [], [])
    assert ask("verify", *chosen)["tests"] == 1
    assert ask("verify", "--env", "nowhere", code=1)["tests"] == 0


def test_an_empty_database_is_told_with_a_mend(project, ask):
    for command in ("runs", "report", "slowest"):
        answer = run_cli(command)
        assert (answer.returncode, answer.stdout) == (0, "")
        assert "CROSSBRIDGE_PROFILING=true" in answer.stderr
    assert run_cli("flaky").stderr.startswith("No flaky test since ")
    assert ask("runs")["runs"] == ask("slowest")["slowest"] == ask("flaky")["flaky"] == []
    assert ask("report") == {"run": None}
    assert run_cli("report", "--since", "7d").stdout.startswith("● 0 runs since ")
    nothing = run_cli("verify")
    assert nothing.returncode == 1
    assert nothing.stdout.startswith(
        "Recent Test Runs (Last 24 Hours): 0 runs\nTotal Tests Executed: 0 tests\n"
    )
    assert "CROSSBRIDGE_PROFILING=true" in nothing.stderr


def test_a_reader_that_leaves_early_is_no_error(wide, project):
    command = f"{sys.executable} -m crossbridge slowest | head -1"
    answer = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60, check=False)
    assert answer.stdout.startswith("Slowest tests")
    assert answer.stderr == ""


def test_a_terminal_that_knows_no_unicode_gets_escapes(wide, project):
    answer = run_cli("report", "--run", wide.run_id, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.isascii()


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (("runs", "--since", "soon"), 2, "--since must be an age such as 24h, 7d or 1y, or an ISO date"),
        (("report", "--run", "xyz"), 2, "a run is named by its id or its first digits, got 'xyz'."),
        (("report", "--run", "abc"), 2, "there is no run abc. See 'crossbridge runs --since 30d'."),
        (("report", "--run", "abc", "--since", "7d"), 2, "--run and --since exclude each other."),
        (("report", "--run", "abc", "--branch", "main"), 2, "--run and --branch exclude each other."),
    ],
)
def test_wrong_use_is_told_in_one_line(project, command, code, said):
    answer = run_cli(*command)
    assert answer.returncode == code
    assert answer.stderr.startswith(f"crossbridge: {said}")
    assert answer.stderr.count("\n") == 1
    assert answer.stdout == ""


def test_the_beginning_of_an_id_must_mean_one_run(history, ask, project):
    history.run(("t", "passed"), run_id="abcd0000-0000-7000-8000-000000000001")
    history.run(("t", "passed"), run_id="abcd0000-0000-7000-8000-000000000002")
    history.run(("t", "passed"), run_id="abce0000-0000-7000-8000-000000000003")
    assert ask("report", "--run", "ABCE")["run"]["run_id"] == "abce0000-0000-7000-8000-000000000003"
    assert ask("report", "--run", "abcd00000000-7000-8000000000000002")["run"]["run_id"].endswith("2")
    answer = run_cli("report", "--run", "abcd")
    assert answer.returncode == 2
    assert answer.stderr.startswith("crossbridge: several runs begin with abcd, such as abcd0000-")
