"""The parts of a report on the screen: each takes what an analysis found and gives what `show` prints."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, TypeVar

from rich.text import Text

from crossbridge.analysis.totals import status_counts
from crossbridge.cli._screen import STATUS_STYLE, Entries, Name, Rows, Sentence, heading, status
from crossbridge.cli._text import ago, counted, duration, first_line, moment, number, percent, safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import RenderableType

    from crossbridge.analysis.flaky import FlakyTest, RetriedTest
    from crossbridge.analysis.report import CollectorHealth, FailingTest, RunReport, WindowReport
    from crossbridge.analysis.runs import Run
    from crossbridge.analysis.tests import Failure, Rank, RankedTest, RunningTest
    from crossbridge.analysis.totals import Totals

    Section = Iterator[RenderableType]

T = TypeVar("T", bound="FlakyTest | RankedTest")
_BAR_CELLS = 24
_COMMIT_DIGITS = 10
_RUN_DIGITS = 13  # of a UUID of version 7: the millisecond it was made in


def run_list(runs: Sequence[Run]) -> Section:
    """Show a line a run."""
    yield Rows(
        ["began", "took", "attempts", "failed", "status", "run", "of"],
        (
            [
                ago(run.started_at),
                duration(run.duration_us),
                number(run.attempts),
                number(run.failed + run.error + run.interrupted),
                status(run.status),
                str(run.run_id)[:_RUN_DIGITS],
                Sentence(_joined(run.environment, run.git_branch, run.framework)),
            ]
            for run in runs
        ),
        left=["status", "run"],
    )


def run_page(report: RunReport) -> Section:
    """Show the report of one run."""
    counts = status_counts(report.frameworks)
    return _page(
        run_heading(report.run),
        outcomes(report.frameworks),
        frameworks(report.frameworks),
        slowest(report.slowest),
        failures(report.failures, counts.get("failed", 0) + counts.get("error", 0)),
        retried(report.retried),
        interrupted(report.interrupted, counts.get("interrupted", 0)),
        running(report.running),
        collector(report.collector),
    )


def window_page(report: WindowReport) -> Section:
    """Show the report of a window."""
    return _page(
        window_heading(report.since, report.collector),
        outcomes(report.frameworks),
        frameworks(report.frameworks),
        slowest(report.slowest),
        failing(report.failing),
        flaky(report.flaky),
        running(report.running),
        collector(report.collector),
    )


def _page(*sections: Section) -> Section:
    """Put a blank line between sections that have something to show."""
    shown = [parts for section in sections if (parts := list(section))]
    for number_, parts in enumerate(shown):
        if number_:
            yield ""
        yield from parts


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
    in_a_run = any(total.tests is not None for total in totals)
    yield heading(
        "Tests",
        *([counted(whole, "test")] if in_a_run else []),
        counted(sum(total.attempts for total in totals), "attempt"),
        f"{duration(sum(total.total_us for total in totals))} of test time",
    )
    for name, count in counts.items():
        style = STATUS_STYLE[name]
        bar = "━" * max(1, round(_BAR_CELLS * count / whole))
        figures = f"  {count:>9,}  {percent(count, whole):>8}  "
        yield Text.assemble(figures, (f"{name:<11}  {bar}", style), no_wrap=True, overflow="crop")


def frameworks(totals: list[Totals]) -> Section:
    """Each framework's figures."""
    if not totals:
        return
    in_a_run = totals[0].tests is not None
    yield heading("Frameworks")
    yield Rows(
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


_RANKS = {
    "average": ("by average", ("average", "longest")),
    "max": ("by longest attempt", ("longest", "average")),
    "total": ("by all attempts together", ("total", "average")),
}


def slowest(tests: Sequence[RankedTest], rank: Rank = "average") -> Section:
    """Show tests by what they took."""
    if not tests:
        return
    remark, figures = _RANKS[rank]
    took = {
        "average": "average_us",
        "longest": "max_us",
        "total": "total_us",
        "p50": "p50_us",
        "p95": "p95_us",
    }
    shown = [
        figures[0],
        *(["p50", "p95"] if any(test.p95_us is not None for test in tests) else []),
        figures[1],
    ]
    yield from _test_table(
        "Slowest tests",
        remark,
        [*shown, "share", "attempts"],
        tests,
        lambda test: [
            *(duration(getattr(test, took[name])) for name in shown),
            f"{100 * test.share:.1f}%",
            number(test.attempts),
        ],
    )


def failures(found: Sequence[Failure], whole: int) -> Section:
    """Show the tests of a run that failed or broke."""
    if not found:
        return
    yield heading("Failures", *_shown(len(found), whole))
    yield Entries((f.status, f.framework, f.test_id, _error(f.error_type, f.error_message)) for f in found)


def interrupted(found: Sequence[Failure], whole: int) -> Section:
    """Show the tests of a run whose process ended before they did."""
    if not found:
        return
    yield heading("Interrupted", *_shown(len(found), whole))
    yield Entries(
        (
            f.status,
            f.framework,
            f.test_id,
            ": ".join(filter(None, [f"after {duration(f.duration_us)}", first_line(f.error_message)])),
        )
        for f in found
    )


def failing(found: Sequence[FailingTest]) -> Section:
    """Show the tests of a window that failed most often, each with its latest error."""
    if not found:
        return
    yield heading("Failing tests", "by failed attempts")
    yield Entries(
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
    yield heading("Flaky in this run", "passed only when retried")
    yield Entries(
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
    yield from _test_table(
        "Flaky tests",
        "the same code passed and failed",
        ["disturbed runs", "retried", "commits", "time lost", "last"],
        found,
        lambda test: [
            f"{test.flips:,} of {test.runs:,}",
            number(test.retried_runs),
            number(test.commits),
            duration(test.lost_us),
            ago(test.last_flaked_at),
        ],
    )


def _test_table(
    title: str, remark: str, columns: list[str], tests: Sequence[T], figures: Callable[[T], list[str]]
) -> Section:
    """Show a line a test; one framework alone is told in the title and saves its column."""
    names = {test.framework for test in tests}
    alone = len(names) == 1
    yield heading(title, remark, *(safe(name) for name in names if alone))
    yield Rows(
        [*columns, *([] if alone else ["framework"]), "test"],
        ([*figures(test), *([] if alone else [Name(test.framework)]), Name(test.test_id)] for test in tests),
        left=["framework"],
    )


def running(found: Sequence[RunningTest]) -> Section:
    """Show the tests that have begun and not ended."""
    if not found:
        return
    now = datetime.now(timezone.utc)
    yield heading("In flight", "begun, and no end heard of")
    yield Entries(
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
    yield heading("Collector", f"{health.events_collected:,} events collected")
    yield Text(
        f"  {health.events_written:,} written, {health.events_spooled:,} spooled, {health.events_dropped:,} dropped",
        "" if not health.events_dropped else "yellow",
    )
    remarks = {
        f"{counted(health.rejected, 'event')} refused by the database, kept in rejected/ of the spool": health.rejected,
        f"{counted(health.torn, 'line')} cut short when a process died": health.torn,
        f"{counted(health.unknown_events, 'event')} of a kind this version does not know": health.unknown_events,
        f"{counted(health.open_segments, 'segment')} still being recorded, or left for 'crossbridge ingest'": (
            health.open_segments
        ),
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
