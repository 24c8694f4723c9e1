"""What changed, on the screen: regressions and comparisons."""

from __future__ import annotations

from math import log10
from typing import TYPE_CHECKING

from rich.text import Text

from crossbridge.cli._screen import Entries, heading
from crossbridge.cli._text import ago, counted, duration, first_line, moment, safe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from crossbridge.analysis.compare import ComparedDuration, ComparedTest, Comparison, Side
    from crossbridge.analysis.regressions import Regression, Regressions, SuiteChange

    Section = Iterator[RenderableType]

COMMIT_DIGITS = 10
RUN_DIGITS = 13


def change(ratio: float) -> str:
    """By how much: `+38%`, `-4.1%`, `3.2x`."""
    if ratio >= 3:  # noqa: PLR2004
        return f"{ratio:.1f}x"
    percent = 100 * (ratio - 1)
    return f"{percent:+.1f}%" if abs(percent) < 9.95 else f"{percent:+.0f}%"  # noqa: PLR2004


def interval(low: float, high: float) -> str:
    return f"{change(low)} to {change(high)}"


def sure(q_value: float) -> str:
    """How sure, as the part of such reports that is right; never all of them."""
    if q_value < 1e-4:  # noqa: PLR2004
        return ">99.99%"
    return f"{100 * (1 - q_value):.{min(2, max(0, round(-log10(q_value)) - 1))}f}%"


def regressions_page(found: Regressions, *, faster: bool) -> Section:
    """Show the tests that got slower, and the faster ones when asked for."""
    yield heading(
        "Looked at",
        counted(found.tests, "test") + " with enough history",
        counted(found.units, found.unit),
        f"since {moment(found.since)}",
    )
    if found.suite:
        yield Text(f"  {suite_words(found.suite)}", "yellow")
    for title, tests, wanted in (("Slower", found.slower, True), ("Faster", found.faster, faster)):
        if tests and wanted:
            yield ""
            yield from _regression_list(title, tests)


def suite_words(suite: SuiteChange) -> str:
    """Say that all tests together changed."""
    return (
        f"All tests together: {change(suite.ratio)} since {moment(suite.since_at)}. Other machines, or something every"
        " test goes through; single tests are judged beyond that."
    )


def _regression_list(title: str, tests: Sequence[Regression]) -> Section:
    yield heading(f"{title} tests", "most time first")
    yield Entries(
        (
            change(test.ratio).rjust(6),
            test.framework,
            test.test_id,
            f"{_from_to(test.before_us, test.after_us, test.ratio_low, test.ratio_high)}, since {ago(test.since_at)}"
            + (f", commit {safe(test.git_commit)[:COMMIT_DIGITS]}" if test.git_commit else "")
            + f"; {sure(test.q_value)} sure",
        )
        for test in tests
    )


def _from_to(before_us: float, after_us: float, low: float, high: float) -> str:
    return f"{duration(before_us)} to {duration(after_us)} (95%: {interval(low, high)})"


def side_words(side: Side) -> str:
    """Name a side: `run 15386b21-dad`, `branch main (10 runs)`."""
    name = side.name
    if side.kind == "run":
        return f"run {str(side.runs[0].run_id)[:RUN_DIGITS]}"
    if side.kind == "commit":
        name = name[:COMMIT_DIGITS]
    return f"{side.kind} {safe(name)} ({counted(len(side.runs), 'run')})"


# In the order of the summary: what to act on first.
LISTS = (
    ("new_failures", "New failures", "passed in the base, or are new"),
    ("flaky", "Flaky", "failed and passed on one side"),
    ("still_failing", "Still failing", "failed in the base too"),
    ("fixed", "Fixed", "failed in the base"),
    ("slower", "Slower tests", ""),
    ("faster", "Faster tests", ""),
    ("new_tests", "New tests", "not in the base"),
    ("vanished", "Vanished tests", "in the base only"),
)


def comparison_page(found: Comparison, limit: int) -> Section:
    """Show what differs between base and head."""
    yield Text.assemble(
        ("● ", "cyan"), (side_words(found.head), "bold"), " against ", (side_words(found.base), "bold")
    )
    yield Text(f"  {summary(found)}")
    for name, title, remark in LISTS:
        tests = getattr(found, name)
        if tests:
            first = f"the first {limit:,}" if len(tests) > limit else ""
            yield ""
            yield heading(title, *filter(None, (counted(len(tests), "test"), remark, first)))
            yield Entries(map(_changed if name in ("slower", "faster") else _ended, tests[:limit]))


def _ended(test: ComparedTest) -> tuple[str, str, str, str]:
    status = test.head_status or test.base_status or "-"
    return status, test.framework, test.test_id, "" if _says_all(test) else outcome_words(test)


def _changed(test: ComparedDuration) -> tuple[str, str, str, str]:
    words = (
        f"{_from_to(test.base_us, test.head_us, test.ratio_low, test.ratio_high)}; {sure(test.q_value)} sure"
    )
    return change(test.ratio).rjust(6), test.framework, test.test_id, words


def _says_all(test: ComparedTest) -> bool:
    """Whether the list's title and the status say all there is: it ran on one side, always ended so, no error known."""
    if test.base_status is None:
        steady = test.head_failed in (0, test.head_runs) and not test.head_retried
    elif test.head_status is None:
        steady = test.base_failed in (0, test.base_runs) and not test.base_retried
    else:
        return False
    return steady and not (test.error_type or test.error_message)


def outcome_words(test: ComparedTest) -> str:
    """Say what it did on either side, and its error."""
    base = (
        f"base {_side_outcome(test.base_status, test.base_failed, test.base_runs, retried=test.base_retried)}"
    )
    head = (
        f"head {_side_outcome(test.head_status, test.head_failed, test.head_runs, retried=test.head_retried)}"
    )
    error = first_line(test.error_message)
    if test.error_type and not error.startswith(test.error_type):
        error = f"{safe(test.error_type)}: {error}" if error else safe(test.error_type)
    return f"{base}, {head}" + (f": {error}" if error else "")


def _side_outcome(status: str | None, failed: int, runs: int, *, retried: bool) -> str:
    if status is None:
        return "without it"
    words = status if runs == 1 else f"failed in {failed} of {runs}" if failed else f"{status} in {runs} runs"
    return f"{words} when retried" if retried and not failed else words


def summary(found: Comparison) -> str:
    """Count what differs, in one line."""
    counts = {
        "new failure": len(found.new_failures),
        "flaky": len(found.flaky),
        "still failing": len(found.still_failing),
        "fixed": len(found.fixed),
        "slower": len(found.slower),
        "faster": len(found.faster),
        "new test": len(found.new_tests),
        "vanished": len(found.vanished),
    }
    words = [
        counted(count, name) if name in ("new failure", "new test") else f"{count:,} {name}"
        for name, count in counts.items()
        if count
    ]
    whole = f"{counted(found.tests, 'test')} on both sides: {', '.join(words) or 'no difference'}"
    if abs(found.suite_ratio - 1) >= 0.03:  # noqa: PLR2004
        whole += f"; all tests together {change(found.suite_ratio)}"
    return whole
