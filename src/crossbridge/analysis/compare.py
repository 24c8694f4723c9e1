"""Two sets of runs beside each other: what broke, was mended, became slower. The rules: docs/profiling/ANALYSIS.md."""

from __future__ import annotations

from bisect import bisect_left
from math import exp, inf, log, sqrt
from statistics import fmean, median
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from crossbridge.analysis._rows import WORST_FIRST, rows
from crossbridge.analysis.history import RunPlace, Series, factors_of, without_factors
from crossbridge.analysis.regressions import LEAST_CHANGE_US
from crossbridge.analysis.statistics import benjamini_hochberg, spread, t_quantile, t_tails
from crossbridge.analysis.totals import FAILING

if TYPE_CHECKING:
    from psycopg import Connection

OUTCOMES = frozenset([*FAILING, "passed", "xpassed"])
_FALSE_DISCOVERIES = 0.05  # of what is reported, by design
_PRIOR_FREEDOM = 5  # what the other tests' noise weighs, in degrees of freedom
_HISTORY_FREEDOM = 30  # what a test's own past weighs at most
_LEAST_NOISE = 0.02
_CANDIDATES = 200

_WITH_ERRORS = ("new_failures", "still_failing", "flaky")

State = Literal["passing", "failing", "mixed"]

# by the states of base and head
_BY_STATE: dict[tuple[State | None, State | None], str] = {
    (None, "failing"): "new_failures",
    ("passing", "failing"): "new_failures",
    ("failing", "failing"): "still_failing",
    ("failing", "passing"): "fixed",
    ("mixed", "failing"): "flaky",
    (None, "mixed"): "flaky",
    ("passing", "mixed"): "flaky",
    ("failing", "mixed"): "flaky",
    ("mixed", "mixed"): "flaky",
}


class Side(Struct, frozen=True, kw_only=True):
    """What one side of a comparison is: `kind` is run, commit, branch or version; its runs, oldest first."""

    name: str
    kind: str
    runs: list[RunPlace]


class ComparedTest(Struct, frozen=True, kw_only=True):
    """
    A test whose outcome differs. A status is that of its last run on that side, null when it did not run.

    `failed` of `runs` on each side ended with it failing; `retried`: in one of them a retry made it pass. The error is
    its latest on the head's side.
    """

    framework: str
    test_id: str
    base_status: str | None
    base_failed: int
    base_runs: int
    base_retried: bool
    head_status: str | None
    head_failed: int
    head_runs: int
    head_retried: bool
    error_type: str | None = None
    error_message: str | None = None


class ComparedDuration(Struct, frozen=True, kw_only=True):
    """
    A test that takes longer, or less.

    The ratio of typical durations, what all tests share taken out, comes with its 95 % interval; `q_value` is the
    false discovery rate at which it would still be reported.
    """

    framework: str
    test_id: str
    base_us: float
    head_us: float
    ratio: float
    ratio_low: float
    ratio_high: float
    q_value: float
    base_count: int
    head_count: int


class Comparison(Struct, frozen=True, kw_only=True):
    """
    What differs between base and head. `tests` ran on both sides.

    `new_failures` always passed on the base's side and always failed on the head's, or are new and fail. `fixed` are
    the reverse. `flaky` failed and passed on one side, and failed on the head's. `suite_ratio`: how much slower all
    tests together are on the head's side.
    """

    base: Side
    head: Side
    tests: int
    suite_ratio: float
    new_failures: list[ComparedTest]
    still_failing: list[ComparedTest]
    fixed: list[ComparedTest]
    flaky: list[ComparedTest]
    new_tests: list[ComparedTest]
    vanished: list[ComparedTest]
    slower: list[ComparedDuration]
    faster: list[ComparedDuration]


class _Outcomes(Struct, frozen=True, kw_only=True):
    framework: str
    test_id: str
    places: list[int]
    lns: list[float | None]
    other_places: list[int] | None  # where the status is not "passed"
    other_statuses: list[str] | None
    retried: list[int] | None  # the places


class _Noise(Struct, frozen=True, kw_only=True):
    place: int
    n: int
    variance: float


class _Error(Struct, frozen=True, kw_only=True):
    framework: str
    test_id: str
    error_type: str | None
    error_message: str | None


class _Half(Struct, frozen=True, kw_only=True):
    """One test on one side."""

    statuses: list[str]
    retried: bool

    @property
    def status(self) -> str | None:
        return self.statuses[-1] if self.statuses else None

    @property
    def failed(self) -> int:
        return sum(status in FAILING for status in self.statuses)

    @property
    def state(self) -> State | None:
        """None when it did not run, or only was skipped or failed as expected."""
        told = [status in FAILING for status in self.statuses if status in OUTCOMES]
        if not told:
            return None
        if (any(told) and not all(told)) or self.retried:
            return "mixed"
        return "failing" if all(told) else "passing"


def compare(
    connection: Connection[Any],
    base: Side,
    head: Side,
    *,
    framework: str | None = None,
    least_change: float = 0.1,
) -> Comparison:
    """
    Compare two sides; runs on both of them count on the head's only. The same runs do not differ in anything.

    Args:
        connection: As the reading commands open it.
        base: What was before.
        head: What is to be judged.
        framework: Only this framework's tests.
        least_change: Durations that differ by less are left out: 0.1 is 10 %.
    """
    ours = {run.run_id for run in head.runs}
    base = replace(base, runs=[run for run in base.runs if run.run_id not in ours] or base.runs)
    ids = [run.run_id for run in base.runs] + [run.run_id for run in head.runs]
    found = rows(
        connection,
        "outcomes_of_runs",
        _Outcomes,
        run_ids=ids,
        framework=framework,
        worst_first=WORST_FIRST,
    )
    border = len(base.runs)
    same = {run.run_id for run in base.runs} == ours
    lists = _outcomes([] if same else found, border)
    suite, changed = (1.0, []) if same else _durations(connection, found, border, head, least_change)
    lists |= _with_errors(connection, {name: lists[name] for name in _WITH_ERRORS}, head)
    return Comparison(
        base=base,
        head=head,
        tests=sum(one.places[0] < border <= one.places[-1] for one in found),
        suite_ratio=suite,
        **lists,
        slower=sorted((one for one in changed if one.ratio > 1), key=lambda one: one.base_us - one.head_us),
        faster=sorted((one for one in changed if one.ratio < 1), key=lambda one: one.head_us - one.base_us),
    )


def _outcomes(found: list[_Outcomes], border: int) -> dict[str, list[ComparedTest]]:
    names = ("new_failures", "still_failing", "fixed", "flaky", "new_tests", "vanished")
    lists: dict[str, list[ComparedTest]] = {name: [] for name in names}
    for one in sorted(found, key=lambda one: (one.framework, one.test_id)):
        base, head = _halves(one, border)
        if classes := _classes(base, head):
            test = _compared_test(one, base, head)
            for name in classes:
                lists[name].append(test)
    return lists


def _compared_test(one: _Outcomes, base: _Half, head: _Half) -> ComparedTest:
    return ComparedTest(
        framework=one.framework,
        test_id=one.test_id,
        base_status=base.status,
        base_failed=base.failed,
        base_runs=len(base.statuses),
        base_retried=base.retried,
        head_status=head.status,
        head_failed=head.failed,
        head_runs=len(head.statuses),
        head_retried=head.retried,
    )


def _halves(one: _Outcomes, border: int) -> tuple[_Half, _Half]:
    others = dict(zip(one.other_places or (), one.other_statuses or (), strict=True))
    statuses = [others.get(place, "passed") for place in one.places]
    retried = one.retried or ()
    cut = bisect_left(one.places, border)
    return (
        _Half(statuses=statuses[:cut], retried=any(place < border for place in retried)),
        _Half(statuses=statuses[cut:], retried=any(place >= border for place in retried)),
    )


def _classes(base: _Half, head: _Half) -> list[str]:
    """Say in which lists a test belongs."""
    found = []
    if not base.statuses:
        found.append("new_tests")
    if not head.statuses:
        found.append("vanished")
    if name := _BY_STATE.get((base.state, head.state)):
        found.append(name)
    return found


def _with_errors(
    connection: Connection[Any], lists: dict[str, list[ComparedTest]], head: Side
) -> dict[str, list[ComparedTest]]:
    if not any(lists.values()):
        return lists
    ids = [run.run_id for run in head.runs]
    errors = {
        (error.framework, error.test_id): error
        for error in rows(connection, "errors_of_runs", _Error, run_ids=ids)
    }

    def with_error(test: ComparedTest) -> ComparedTest:
        error = errors.get((test.framework, test.test_id))
        return (
            replace(test, error_type=error.error_type, error_message=error.error_message) if error else test
        )

    return {name: [with_error(test) for test in tests] for name, tests in lists.items()}


class _Pair(Struct, frozen=True, kw_only=True):
    """One test that passed on both sides: its normalised logarithms."""

    framework: str
    test_id: str
    base: list[float]
    head: list[float]

    @property
    def shift(self) -> float:
        return fmean(self.head) - fmean(self.base)

    @property
    def freedom(self) -> int:
        return len(self.base) + len(self.head) - 2

    @property
    def squares(self) -> float:
        return sum(sum((value - fmean(part)) ** 2 for value in part) for part in (self.base, self.head))


def _durations(
    connection: Connection[Any], found: list[_Outcomes], border: int, head: Side, least_change: float
) -> tuple[float, list[ComparedDuration]]:
    """
    Return how much slower the whole head is, and the tests that differ from that.

    A t-test whose variance is pooled from the test's own runs, from its past month and from all tests, as in
    G. K. Smyth, Linear models and empirical Bayes methods, Stat. Appl. Genet. Mol. Biol. 3 (2004): with one run a side
    nothing else could tell noise from change.
    """
    series, factors = _levelled(found, border)
    pairs = [_pair(one, border) for one in series]
    if not pairs:
        return 1.0, []
    suite = exp(_middle(factors, border, inf) - _middle(factors, 0, border))
    candidates = [pair for pair in pairs if _is_large(pair, least_change)]
    candidates = sorted(candidates, key=lambda pair: -abs(pair.shift))[:_CANDIDATES]
    prior = _prior(pairs)
    past = _past(connection, candidates, head)
    judged = [_judge(pair, prior, past.get(place)) for place, pair in enumerate(candidates)]
    q_values = benjamini_hochberg([one.p for one in judged], len(pairs))
    return suite, [
        _compared(pair, one, q)
        for pair, one, q in zip(candidates, judged, q_values, strict=True)
        if q <= _FALSE_DISCOVERIES
    ]


def _compared(pair: _Pair, judged: _Judged, q: float) -> ComparedDuration:
    reach = judged.error * t_quantile(0.95, judged.freedom)
    return ComparedDuration(
        framework=pair.framework,
        test_id=pair.test_id,
        base_us=exp(fmean(pair.base)),
        head_us=exp(fmean(pair.head)),
        ratio=exp(pair.shift),
        ratio_low=exp(pair.shift - reach),
        ratio_high=exp(pair.shift + reach),
        q_value=q,
        base_count=len(pair.base),
        head_count=len(pair.head),
    )


def _levelled(found: list[_Outcomes], border: int) -> tuple[list[Series], dict[int, float]]:
    """Return the passed attempts as series, what each run has in common taken out."""
    series = [
        Series(
            framework=one.framework,
            test_id=one.test_id,
            places=[place for place, ln in zip(one.places, one.lns, strict=True) if ln is not None],
            lns=[ln for ln in one.lns if ln is not None],
        )
        for one in found
    ]
    series = [one for one in series if one.places and one.places[0] < border <= one.places[-1]]
    factors = factors_of(series)
    return without_factors(series, factors), factors


def _pair(one: Series, border: int) -> _Pair:
    cut = bisect_left(one.places, border)
    return _Pair(framework=one.framework, test_id=one.test_id, base=one.lns[:cut], head=one.lns[cut:])


def _middle(factors: dict[int, float], start: float, end: float) -> float:
    return median([factor for place, factor in factors.items() if start <= place < end])


def _is_large(pair: _Pair, least_change: float) -> bool:
    return (
        abs(pair.shift) >= log(1 + least_change)
        and abs(exp(fmean(pair.head)) - exp(fmean(pair.base))) >= LEAST_CHANGE_US
    )


def _prior(pairs: list[_Pair]) -> float:
    """Return the variance of a usual test."""
    own = [pair.squares / pair.freedom for pair in pairs if pair.freedom > 0]
    if len(own) >= len(pairs) / 2:
        return max(median(own), _LEAST_NOISE**2)
    return max(spread([pair.shift for pair in pairs]) ** 2 / 2, _LEAST_NOISE**2)


def _past(connection: Connection[Any], candidates: list[_Pair], head: Side) -> dict[int, _Noise]:
    if not candidates:
        return {}
    return {
        noise.place: noise
        for noise in rows(
            connection,
            "noise",
            _Noise,
            frameworks=[pair.framework for pair in candidates],
            test_ids=[pair.test_id for pair in candidates],
            slice=head.runs[-1].environment or "",
            before=head.runs[0].started_at.date(),
            enough=_HISTORY_FREEDOM,
        )
    }


class _Judged(NamedTuple):
    p: float  # of no change
    error: float  # of the shift
    freedom: float


def _judge(pair: _Pair, prior: float, past: _Noise | None) -> _Judged:
    freedom, squares = float(pair.freedom), pair.squares
    if past:
        weight = min(past.n - 1, _HISTORY_FREEDOM)
        freedom += weight
        squares += weight * past.variance
    if (
        freedom < _PRIOR_FREEDOM or squares / freedom < prior
    ):  # calm by luck; a test known to be noisy stays so
        freedom += _PRIOR_FREEDOM
        squares += _PRIOR_FREEDOM * prior
    error = sqrt(squares / freedom * (1 / len(pair.base) + 1 / len(pair.head)))
    return _Judged(t_tails(pair.shift / error, freedom), error, freedom)
