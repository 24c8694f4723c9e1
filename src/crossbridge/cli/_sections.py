"""The parts of a report on the screen: each takes what an analysis found and gives what `show` prints."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from rich.text import Text

from crossbridge.analysis.totals import status_counts
from crossbridge.cli._screen import STATUS_STYLE, Name, entries, heading, status, table
from crossbridge.cli._text import ago, counted, duration, first_line, moment, number, percent, safe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from crossbridge.analysis.flaky import FlakyTest, RetriedTest
    from crossbridge.analysis.report import CollectorHealth, FailingTest, RunReport, WindowReport
    from crossbridge.analysis.runs import Run
    from crossbridge.analysis.tests import Failure, RankedTest, RunningTest
    from crossbridge.analysis.totals import Totals

    Section = Iterator[RenderableType]

_BAR_CELLS = 24
_COMMIT_DIGITS = 10


def run_list(runs: Sequence[Run]) -> Section:
    """Show a line a run."""
    yield table(
        ["began", "took", "attempts", "passed", "failed", "status", "run", "of"],
        (
            [
                ago(run.started_at),
                duration(run.duration_us),
                number(run.attempts),
                percent(run.passed, run.attempts),
                number(run.failed + run.error + run.interrupted),
                status(run.status),
                str(run.run_id)[:8],
                Name(_joined(run.environment, run.git_branch, run.framework)),
            ]
            for run in runs
        ),
        left=["status", "run"],
    )


def run_page(report: RunReport) -> Section:
    """Show the report of one run."""
    counts = status_counts(report.frameworks)
    yield from run_heading(report.run)
    yield from outcomes(report.frameworks)
    yield from frameworks(report.frameworks)
    yield from slowest(report.slowest)
    yield from failures(report.failures, counts.get("failed", 0) + counts.get("error", 0))
    yield from retried(report.retried)
    yield from interrupted(report.interrupted, counts.get("interrupted", 0))
    yield from running(report.running)
    yield from collector(report.collector)


def window_page(report: WindowReport) -> Section:
    """Show the report of a window."""
    yield from window_heading(report.since, report.collector)
    yield from outcomes(report.frameworks)
    yield from frameworks(report.frameworks)
    yield from slowest(report.slowest)
    yield from failing(report.failing)
    yield from flaky(report.flaky)
    yield from running(report.running)
    yield from collector(report.collector)


def run_heading(run: Run) -> Section:
    """Show what is known of one run."""
    mark = Text("● ", STATUS_STYLE.get(run.status, ""))
    yield Text.assemble(mark, "run ", (str(run.run_id), "bold"), " ", status(run.status))
    took = f"took {duration(run.duration_us)}" if run.ended_at else "not ended yet"
    commit = (run.git_commit or "")[:_COMMIT_DIGITS]
    yield from _facts(
        began=f"{moment(run.started_at)} ({ago(run.started_at)}), {took}",
        of=_joined(run.environment, run.git_branch, commit, run.app_version),
        on=_joined(run.hostname, run.os, run.runtime),
        labels=_joined(*(f"{key}={value}" for key, value in sorted(run.labels.items()))),
        CI=safe(run.ci_url or run.ci_provider),
    )


def window_heading(since: datetime, health: CollectorHealth) -> Section:
    """Which runs a report is about."""
    yield Text.assemble(("● ", "cyan"), counted(health.runs, "run"), " since ", (moment(since), "bold"))


def _joined(*names: str | None) -> str:
    return " · ".join(safe(name) for name in names if name)


def _facts(**facts: str) -> Section:
    for name, value in facts.items():
        if value:
            yield Text.assemble("  ", (f"{name:<7}", "dim"), value, no_wrap=True, overflow="ellipsis")


def outcomes(totals: list[Totals]) -> Section:
    """How many ended how."""
    counts = status_counts(totals)
    whole = sum(counts.values())
    attempts = counted(sum(total.attempts for total in totals), "attempt")
    in_a_run = all(total.tests is not None for total in totals)
    spent = duration(sum(total.total_us for total in totals))
    yield ""
    yield heading(
        "Tests", f"{counted(whole, 'test')}, {attempts}" if in_a_run else attempts, f"{spent} of test time"
    )
    for name, count in counts.items():
        style = STATUS_STYLE[name]
        bar = "━" * max(1, round(_BAR_CELLS * count / whole))
        yield Text.assemble(f"  {count:>9,}  {percent(count, whole):>8}  ", (f"{name:<11}  {bar}", style))


def frameworks(totals: list[Totals]) -> Section:
    """Each framework's figures."""
    if not totals:
        return
    in_a_run = totals[0].tests is not None
    yield ""
    yield heading("Frameworks")
    yield table(
        ["tests" if in_a_run else "attempts", "passed", "average", "p95", "longest", "total", "framework"],
        (
            [
                number(total.counted),
                percent(total.passed, total.counted),
                duration(total.average_us),
                duration(total.p95_us),
                duration(total.max_us),
                duration(total.total_us),
                Name(total.framework),
            ]
            for total in totals
        ),
    )


def slowest(tests: Sequence[RankedTest], remark: str = "by average") -> Section:
    """Show tests by what they took."""
    if not tests:
        return
    yield ""
    yield heading("Slowest tests", remark)
    yield table(
        ["average", "longest", "total", "attempts", "framework", "test"],
        (
            [
                duration(test.average_us),
                duration(test.max_us),
                duration(test.total_us),
                number(test.attempts),
                Name(test.framework),
                Name(test.test_id),
            ]
            for test in tests
        ),
        left=["framework"],
    )


def failures(found: Sequence[Failure], whole: int) -> Section:
    """Show the tests of a run that failed or broke."""
    if not found:
        return
    yield ""
    yield heading("Failures", *_shown(len(found), whole))
    yield entries((f.status, f.framework, f.test_id, _error(f.error_type, f.error_message)) for f in found)


def interrupted(found: Sequence[Failure], whole: int) -> Section:
    """Show the tests of a run whose process ended before they did."""
    if not found:
        return
    yield ""
    yield heading("Interrupted", *_shown(len(found), whole))
    yield entries(
        (f.status, f.framework, f.test_id, f"after {duration(f.duration_us)}: {first_line(f.error_message)}")
        for f in found
    )


def failing(found: Sequence[FailingTest]) -> Section:
    """Show the tests of a window that failed most often, each with its latest error."""
    if not found:
        return
    yield ""
    yield heading("Failing tests", "by failed attempts")
    yield entries(
        (
            f.latest.status,
            f.framework,
            f.test_id,
            f"{f.failed:,} of {counted(f.attempts, 'attempt')}; latest: "
            + _error(f.latest.error_type, f.latest.error_message),
        )
        for f in found
    )


def retried(found: Sequence[RetriedTest]) -> Section:
    """Show the tests of a run that passed only when retried."""
    if not found:
        return
    yield ""
    yield heading("Flaky in this run", "passed only when retried")
    yield entries(
        (
            "passed",
            f.framework,
            f.test_id,
            f"{f.failed_attempts:,} of {counted(f.attempts, 'attempt')} failed: "
            + _error(f.error_type, f.error_message),
        )
        for f in found
    )


def flaky(found: Sequence[FlakyTest]) -> Section:
    """Show the tests of which the same code passed and failed, with the evidence."""
    if not found:
        return
    yield ""
    yield heading("Flaky tests", "the same code passed and failed")
    yield table(
        ["retried", "commits", "failed runs", "last", "framework", "test"],
        (
            [
                counted(test.retried_runs, "run"),
                number(test.commits),
                f"{test.failed_runs:,} of {test.runs:,}",
                ago(test.last_flaked_at),
                Name(test.framework),
                Name(test.test_id),
            ]
            for test in found
        ),
        left=["framework"],
    )


def running(found: Sequence[RunningTest]) -> Section:
    """Show the tests that have begun and not ended."""
    if not found:
        return
    now = datetime.now(timezone.utc)
    yield ""
    yield heading("In flight", "begun, and nothing heard of their end")
    yield entries(
        (
            "running",
            test.framework,
            test.test_id,
            f"for {duration((now - test.started_at) / timedelta(microseconds=1))}"
            + (f", in step: {test.step_name}" if test.step_name else ""),
        )
        for test in found
    )


def collector(health: CollectorHealth) -> Section:
    """Show what became of the events, and what is wrong only when something is."""
    yield ""
    yield heading("Collector", f"{health.events_collected:,} events collected")
    yield Text(
        f"  {health.events_written:,} written, {health.events_spooled:,} spooled, {health.events_dropped:,} dropped",
        "" if not health.events_dropped else "yellow",
    )
    remarks = {
        f"{counted(health.rejected, 'event')} refused by the database, kept in the spool's rejected/": health.rejected,
        f"{counted(health.torn, 'line')} cut short when a process died": health.torn,
        f"{counted(health.unknown_events, 'event')} of a kind this version does not know": health.unknown_events,
        f"{counted(health.open_segments, 'segment')} not finished: recording, or waiting for 'crossbridge ingest'": health.open_segments,
    }
    yield from (Text(f"  {remark}", "yellow") for remark, count in remarks.items() if count)


def _shown(shown: int, whole: int) -> tuple[str, ...]:
    return (counted(whole, "test"), *([f"the first {shown:,}"] if shown < whole else []))


def _error(error_type: str | None, message: str | None) -> str:
    """Put an error on one line; many messages begin with their type already."""
    kind, line = safe(error_type), first_line(message)
    if not kind or line.startswith(kind):
        return line or "no message"
    return f"{kind}: {line}" if line else kind
