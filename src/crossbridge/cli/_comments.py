"""What the analyses found, as Markdown for a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossbridge.cli._changes import (
    COMMIT_DIGITS,
    LISTS,
    RUN_DIGITS,
    change,
    interval,
    outcome_words,
    suite_words,
    summary,
    sure,
)
from crossbridge.cli._markdown import code, heading, table
from crossbridge.cli._text import ago, counted, duration, moment, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from crossbridge.analysis.compare import ComparedDuration, ComparedTest, Comparison, Side
    from crossbridge.analysis.flaky import FlakyTest
    from crossbridge.analysis.regressions import Regression, Regressions
    from crossbridge.analysis.tests import RankedTest


def comparison_comment(found: Comparison, gate: Sequence[str], limit: int) -> Iterator[str]:
    """Write a comparison, and why its gate closed."""
    verdict = f"❌ {'; '.join(gate)}" if gate else "✅ nothing that fails the gate"
    yield from heading("Tests compared", 3)
    yield f"{_side(found.head)} against {_side(found.base)}: **{verdict}**"
    yield ""
    yield f"{summary(found)}."
    yield ""
    for name, title, remark in LISTS:
        tests = getattr(found, name)
        if not tests:
            continue
        yield from heading(f"{title} ({len(tests):,})")
        if name in ("slower", "faster"):
            yield from _durations(tests[:limit])
        else:
            yield f"{remark[0].upper()}{remark[1:]}."
            yield ""
            yield from _outcomes(tests[:limit], known=name not in ("new_tests", "vanished"))


def _outcomes(tests: Sequence[ComparedTest], *, known: bool) -> list[str]:
    return table(
        ["framework", *(["what"] if known else []), "test"],
        (
            [code(test.framework), *([code(outcome_words(test))] if known else []), code(test.test_id)]
            for test in tests
        ),
        left=["framework", "what"],
    )


def _side(side: Side) -> str:
    if side.kind == "run":
        return f"run {code(str(side.runs[0].run_id)[:RUN_DIGITS])}"
    return f"{side.kind} {code(side.name)} ({counted(len(side.runs), 'run')})"


def _durations(changed: Sequence[ComparedDuration]) -> list[str]:
    return table(
        ["change", "95% interval", "base", "head", "sure", "test"],
        (
            [
                f"**{change(test.ratio)}**",
                interval(test.ratio_low, test.ratio_high),
                duration(test.base_us),
                duration(test.head_us),
                sure(test.q_value),
                code(test.test_id),
            ]
            for test in changed
        ),
    )


def regressions_comment(found: Regressions, *, faster: bool) -> Iterator[str]:
    """Write the tests that got slower."""
    yield from heading("Tests that got slower", 3)
    yield (
        f"{counted(found.tests, 'test')} with enough history in {counted(found.units, found.unit)}"
        f" since {moment(found.since)}."
    )
    yield ""
    if found.suite:
        yield f"⚠️ {suite_words(found.suite)}"
        yield ""
    for title, tests, wanted in (("Slower", found.slower, True), ("Faster", found.faster, faster)):
        if wanted:
            yield from heading(f"{title} ({len(tests):,})")
            yield from _regressions(tests) if tests else ["None.", ""]


def _regressions(tests: Sequence[Regression]) -> list[str]:
    return table(
        ["change", "95% interval", "before", "after", "sure", "since", "commit", "test"],
        (
            [
                f"**{change(test.ratio)}**",
                interval(test.ratio_low, test.ratio_high),
                duration(test.before_us),
                duration(test.after_us),
                sure(test.q_value),
                ago(test.since_at),
                code(test.git_commit and test.git_commit[:COMMIT_DIGITS]),
                code(test.test_id),
            ]
            for test in tests
        ),
    )


def flaky_comment(found: Sequence[FlakyTest], since: datetime) -> Iterator[str]:
    """Write the flaky tests."""
    yield from heading("Flaky tests", 3)
    yield f"The same code passed and failed since {moment(since)}."
    yield ""
    yield from (
        table(
            ["disturbed runs", "at least", "retried", "commits", "time lost", "last", "test"],
            (
                [
                    f"{test.flips:,} of {test.runs:,}",
                    f"{100 * test.flip_rate_low:.1f}%",
                    number(test.retried_runs),
                    number(test.commits),
                    duration(test.lost_us),
                    ago(test.last_flaked_at),
                    code(test.test_id),
                ]
                for test in found
            ),
        )
        if found
        else ["None.", ""]
    )


def slowest_comment(found: Sequence[RankedTest], since: datetime) -> Iterator[str]:
    """Write the slowest tests."""
    yield from heading("Slowest tests", 3)
    yield f"Since {moment(since)}."
    yield ""
    yield from (
        table(
            ["average", "p50", "p95", "longest", "total", "share", "attempts", "test"],
            (
                [
                    duration(test.average_us),
                    duration(test.p50_us),
                    duration(test.p95_us),
                    duration(test.max_us),
                    duration(test.total_us),
                    f"{100 * test.share:.1f}%",
                    number(test.attempts),
                    code(test.test_id),
                ]
                for test in found
            ),
        )
        if found
        else ["None.", ""]
    )
