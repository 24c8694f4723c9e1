"""The statistics, against published values and plain counting."""

from __future__ import annotations

import random
from itertools import product
from math import comb
from statistics import median

import pytest

from crossbridge.analysis.regressions import latest_change
from crossbridge.analysis.statistics import (
    benjamini_hochberg,
    best_split,
    hodges_lehmann,
    spread,
    t_quantile,
    t_tails,
    trimmed_t,
    wilson_low,
)


@pytest.mark.parametrize(
    ("t", "freedom", "p"),
    [
        (12.706, 1, 0.05),
        (2.571, 5, 0.05),
        (2.228, 10, 0.05),
        (3.169, 10, 0.01),
        (4.587, 10, 0.001),
        (2.042, 30, 0.05),
        (1.960, 1e9, 0.05),
        (0.0, 7, 1.0),
    ],
)
def test_tails_are_those_of_the_tables(t, freedom, p):
    assert t_tails(t, freedom) == pytest.approx(p, rel=2e-3)
    assert t_tails(-t, freedom) == t_tails(t, freedom)


def test_tails_hold_far_out():
    # of two degrees of freedom the distribution is known in closed form
    for t in (1.0, 30.0, 1e4, 1e6):
        assert t_tails(t, 2) == pytest.approx(1 - t / (2 + t * t) ** 0.5, rel=1e-3, abs=1e-12)


@pytest.mark.parametrize(("freedom", "t"), [(1, 12.706), (5, 2.571), (10, 2.228), (30, 2.042)])
def test_quantiles_are_those_of_the_tables(freedom, t):
    assert t_quantile(0.95, freedom) == pytest.approx(t, abs=1e-3)


@pytest.mark.parametrize(
    ("hits", "trials", "low"),
    [(1, 10, 0.0179), (0, 10, 0.0), (10, 10, 0.7225), (15, 148, 0.0624), (0, 0, 0.0)],
)
def test_the_lower_end_of_a_share_is_wilsons(hits, trials, low):
    assert wilson_low(hits, trials) == pytest.approx(low, abs=1e-4)


def test_false_discovery_rates_are_those_of_benjamini_and_hochberg():
    # the example of their paper: at 5 % the first four are discoveries
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
         0.7590, 1.0]  # fmt: skip
    found = benjamini_hochberg(p)
    assert sum(q <= 0.05 for q in found) == 4
    assert found == sorted(found)
    assert benjamini_hochberg(p[::-1]) == found[::-1]
    assert benjamini_hochberg(p[:3], tests=15) == pytest.approx([15 * p[0], 15 * p[1] / 2, 15 * p[2] / 3])


def test_a_shift_is_the_median_of_all_pairs():
    rng = random.Random(1)
    before, after = [rng.gauss(0, 1) for _ in range(9)], [rng.gauss(2, 1) for _ in range(6)]
    found = hodges_lehmann(before, after)
    assert found.value == median(late - early for early, late in product(before, after))
    assert found.low < found.value < found.high
    wider = hodges_lehmann(before, after, 0.99)
    assert wider.low < found.low
    assert wider.high > found.high


def test_an_interval_holds_the_shift_about_as_often_as_it_says():
    rng = random.Random(2)
    hits = 0
    for _ in range(400):
        found = hodges_lehmann([rng.gauss(0, 1) for _ in range(12)], [rng.gauss(1, 1) for _ in range(8)])
        hits += found.low <= 1 <= found.high
    assert 0.92 <= hits / 400 <= 0.98


def test_spread_is_a_standard_deviation_that_outliers_do_not_move():
    rng = random.Random(3)
    values = [rng.gauss(5, 2) for _ in range(2000)] + [1e6] * 20
    assert spread(values) == pytest.approx(2, rel=0.1)


def test_a_step_is_split_where_it_is():
    for count, at in ((10, 3), (20, 17), (40, 20), (40, 5)):
        values = [float(n % 3) / 100 + (n >= at) for n in range(count)]
        assert best_split(values, 3) == at, (count, at)
    assert best_split([0.0] * 5, 3) is None


def test_a_split_does_not_lean_towards_the_middle():
    # by ranks alone the highest of the lower values would be counted among the later ones
    assert best_split([n / 1000 for n in range(17)] + [1.0 + n / 1000 for n in range(7)][::-1], 3) == 17


def test_p_values_of_noise_are_no_smaller_than_they_should_be():
    rng = random.Random(4)
    for count, split in ((24, 16), (24, 20), (90, 60)):
        small = sum(trimmed_t([rng.gauss(0, 1) for _ in range(count)], split) <= 0.05 for _ in range(1000))
        assert 20 <= small <= 72  # 50 give or take three deviations, and some caution


def test_one_of_three_wild_values_proves_nothing():
    rng = random.Random(5)
    for _ in range(50):
        values = [rng.gauss(0, 0.05) for _ in range(27)] + [rng.gauss(0, 0.05), 4.0, rng.gauss(0, 0.05)]
        change = latest_change(values)
        assert change is None or change.p > 1e-4


def test_noise_seldom_has_a_change():
    rng = random.Random(6)
    found = sum(latest_change([rng.gauss(0, 1) for _ in range(30)]) is not None for _ in range(400))
    assert found <= 20


def test_the_latest_of_several_changes_is_found_with_the_level_before_it():
    rng = random.Random(7)
    levels = [0.0] * 12 + [1.0] * 12 + [0.4] * 12
    change = latest_change([level + rng.gauss(0, 0.03) for level in levels])
    assert change is not None
    assert (change.start, change.split) == (12, 24)
    assert change.p < 1 / comb(24, 12)


def test_a_sequence_that_never_varies_has_no_change():
    assert latest_change([1.0] * 30) is None
    assert latest_change([1.0] * 20 + [1.5] * 10) is not None
