"""The statistics the analyses rest on, in plain Python: each a published method, named where it is used.

Everything here is a function of its arguments. Durations are compared by their logarithms: a shift of `d` is a ratio
of `exp(d)`.
"""

from __future__ import annotations

from itertools import pairwise
from math import erfc, exp, fsum, lgamma, log, log1p, sqrt
from statistics import NormalDist, median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIGMA_OF_MAD = 1.4826  # the standard deviation of a normal distribution over its median absolute deviation
_FEW_EACH = 50  # pairwise differences grow with the square
_MOST_AUTOCORRELATION = 0.8
_LEAST_LEVEL = 3  # values that make a level


class Shift(NamedTuple):
    """By how much one sample lies above another, with the ends of its confidence interval."""

    value: float
    low: float
    high: float


def wilson_low(hits: int, trials: int, confidence: float = 0.95) -> float:
    """
    Return the lower end of the confidence interval of a share.

    E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    """
    if not trials:
        return 0.0
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share = min(hits / trials, 1.0)
    middle = share + z * z / (2 * trials)
    reach = z * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return max(0.0, (middle - reach) / (1 + z * z / trials))


def spread(values: Sequence[float]) -> float:
    """Estimate the standard deviation by the median absolute deviation, which outliers do not move."""
    middle = median(values)
    return _SIGMA_OF_MAD * median(abs(value - middle) for value in values)


def benjamini_hochberg(p_values: Sequence[float], tests: int | None = None) -> list[float]:
    """
    Return for each p-value the least false discovery rate at which it counts as a discovery.

    Benjamini and Hochberg, Controlling the false discovery rate, JRSS B 57 (1995). `tests` is how many were made when
    those that found nothing are left out: they count as 1.
    """
    tests = tests or len(p_values)
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted = [1.0] * len(p_values)
    least = 1.0
    for rank in range(len(order), 0, -1):
        index = order[rank - 1]
        least = min(least, p_values[index] * tests / rank)
        adjusted[index] = least
    return adjusted


def best_split(values: Sequence[float], least: int) -> int | None:
    """
    Return where the sequence is most likely to have changed: the first index of the later part.

    The split with the largest standardised rank sum, as in A. N. Pettitt, A non-parametric approach to the change-point
    problem, Applied Statistics 28 (1979), moved to where two levels fit best: ranks alone lean towards the middle.
    Each part has at least `least` values; None when they are too few.
    """
    count = len(values)
    if count < 2 * least:
        return None
    ranks = _ranks(values)
    best, found, total = -1.0, None, 0.0
    middle = (count + 1) / 2
    for index in range(count - least):
        total += ranks[index] - middle
        before = index + 1
        if before >= least:
            size = abs(total) / sqrt(before * (count - before))
            if size > best:
                best, found = size, before
    return None if found is None else _fitted(values, found, least)


def _fitted(values: Sequence[float], split: int, least: int) -> int:
    """Return the split at which the distances to the levels of both parts are least."""
    early, late = median(values[:split]), median(values[split:])
    cost, lowest = 0.0, 0.0
    for index, value in enumerate(values[: len(values) - least + 1]):
        if index >= least and (index == least or cost < lowest):
            split, lowest = index, cost
        cost += abs(value - early) - abs(value - late)
    return split


def _ranks(values: Sequence[float]) -> list[float]:
    """Return the ranks from 1, ties sharing theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for index in order[start:end]:
            ranks[index] = (start + 1 + end) / 2
        start = end
    return ranks


def trimmed_t(values: Sequence[float], split: int) -> float:
    """
    Return the two-sided p-value of both parts of a sequence having the same trimmed mean.

    The t-test of Yuen and Dixon, The approximate behaviour and performance of the two-sample trimmed t, Biometrika 60
    (1973), a fifth trimmed at each end. The noise is what is left when each part may have changed once more: another
    change is none. What hangs together in time tells less than its number: the variance is stretched by
    (1 + r) / (1 - r), r being the correlation of neighbours.
    """
    one, other = _trimmed(values[:split]), _trimmed(values[split:])
    residuals, taken = _residuals(values, split)
    noise = _trimmed(residuals)
    freedom = noise.kept - taken
    shift = abs(one.mean - other.mean)
    if freedom < 1 or shift == 0:
        return 1.0
    follow = _autocorrelation(residuals)
    stretch = (1 + follow) / (1 - follow)
    # A clock that ticks in whole units makes samples without any spread; half a thousandth is none to speak of.
    variance = max(noise.squares / freedom, 2.5e-7)
    error = sqrt(variance * stretch * (1 / one.kept + 1 / other.kept))
    return t_tails(shift / error, max(1.0, freedom / stretch))


def _residuals(values: Sequence[float], split: int) -> tuple[list[float], int]:
    """
    Return how far values lie from their level, up to four levels allowed, and the degrees of freedom that takes.

    A further level takes two: its height, and where it begins. Tried on normal noise, that gives p-values their due.
    """
    residuals: list[float] = []
    taken = 2
    for part in (values[:split], values[split:]):
        again = best_split(part, _LEAST_LEVEL)
        cuts = [0, *([again] if again else []), len(part)]
        taken += 2 * (len(cuts) - 2)
        for start, end in pairwise(cuts):
            level = _trimmed(part[start:end]).mean
            residuals += [value - level for value in part[start:end]]
    return residuals, taken


class _Trimmed(NamedTuple):
    mean: float
    squares: float  # of the winsorised sample about its mean
    kept: int


def _trimmed(values: Sequence[float]) -> _Trimmed:
    ordered = sorted(values)
    cut = max(len(ordered) // 5, int(len(ordered) > 2))  # noqa: PLR2004  (one of three may be an outlier)
    kept = ordered[cut : len(ordered) - cut]
    winsorised = [kept[0]] * cut + kept + [kept[-1]] * cut
    centre = fsum(winsorised) / len(winsorised)
    return _Trimmed(fsum(kept) / len(kept), fsum((value - centre) ** 2 for value in winsorised), len(kept))


def _autocorrelation(values: Sequence[float]) -> float:
    """Return the correlation of neighbours, outliers clipped; 0 when they do not attract each other."""
    reach = 3 * spread(values)
    clipped = [max(-reach, min(reach, value)) for value in values]
    squares = fsum(value * value for value in clipped)
    if not squares:
        return 0.0
    follow = fsum(a * b for a, b in pairwise(clipped)) / squares
    return max(0.0, min(_MOST_AUTOCORRELATION, follow))


def hodges_lehmann(before: Sequence[float], after: Sequence[float], confidence: float = 0.95) -> Shift:
    """
    Return the shift from `before` to `after`: the median of all pairwise differences.

    Hodges and Lehmann, Estimates of location based on rank tests, Ann. Math. Statist. 34 (1963); the interval is
    Moses' from the Mann-Whitney test. Of longer samples the values nearest to the change are taken.
    """
    before, after = before[-_FEW_EACH:], after[:_FEW_EACH]
    differences = sorted(late - early for early in before for late in after)
    pairs = len(differences)
    deviation = sqrt(pairs * (len(before) + len(after) + 1) / 12)
    skip = max(0, int(pairs / 2 - NormalDist().inv_cdf(0.5 + confidence / 2) * deviation))
    return Shift(median(differences), differences[skip], differences[pairs - 1 - skip])


def t_tails(t: float, freedom: float) -> float:
    """Return the probability of a Student's t at least as far from 0, on either side."""
    if freedom > 1e6:  # noqa: PLR2004
        return erfc(abs(t) / sqrt(2))
    return _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))


def t_quantile(confidence: float, freedom: float) -> float:
    """Return the t within which Student's distribution lies with this probability, both sides together."""
    low, high = 0.0, 1.0
    while t_tails(high, freedom) > 1 - confidence:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if t_tails(middle, freedom) > 1 - confidence else (low, middle)
    return high


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """Return the regularised incomplete beta function, by its continued fraction (DLMF 8.17.22)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(b, a, 1 - x)
    front = exp(a * log(x) + b * log1p(-x) + lgamma(a + b) - lgamma(a) - lgamma(b)) / a
    return front / _fraction(a, b, x)


def _fraction(a: float, b: float, x: float) -> float:
    """Evaluate the continued fraction by the modified method of Lentz."""
    tiny = 1e-300
    value, c, d = 1.0, 1.0, 0.0
    for step in range(1, 500):
        half = step // 2
        if step % 2:
            term = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        else:
            term = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        d = 1 / ((1 + term * d) or tiny)
        c = (1 + term / c) or tiny
        value *= c * d
        if abs(c * d - 1) < 1e-12:  # noqa: PLR2004
            break
    return value
