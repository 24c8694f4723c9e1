"""Histograms packed into one number add up to what their arrays add up to."""

from __future__ import annotations

import random

import pytest

HIGHEST = 1092  # the bin of the longest duration a bigint holds


def _random_histogram(dice):
    lo = dice.choice([0, 1, dice.randrange(HIGHEST - 40)])
    cnt = [dice.choice([0, 1, dice.randrange(10**9)]) for _ in range(dice.randrange(1, 40))]
    cnt[0], cnt[-1] = cnt[0] or 1, cnt[-1] or 1  # trimmed
    return lo, cnt


def test_packing_and_unpacking_gives_the_same_histogram(shared_db):
    dice = random.Random(1)
    for lo, cnt in [(0, [1]), (HIGHEST, [2_147_483_647]), *(_random_histogram(dice) for _ in range(50))]:
        unpacked = shared_db.execute(
            "SELECT h.lo, h.cnt FROM crossbridge.hist_unpack(crossbridge.hist_pack(%s, %s)) AS h", (lo, cnt)
        ).fetchone()
        assert unpacked == (lo, cnt)


def test_the_longest_duration_has_a_bin_that_can_be_packed(shared_db):
    longest = shared_db.execute(
        "SELECT bin, (crossbridge.hist_unpack(crossbridge.hist_pack(bin, '{7}'))).lo"
        " FROM crossbridge.hist_bin(9223372036854775807) AS bin"
    ).fetchone()
    assert longest == (HIGHEST, HIGHEST)


@pytest.mark.parametrize("seed", range(5))
def test_sums_of_packed_ones_are_those_of_arrays(shared_db, seed):
    dice = random.Random(seed)
    los, counts = zip(*(_random_histogram(dice) for _ in range(2)), strict=True)
    of_arrays, of_numbers = shared_db.execute(
        """SELECT crossbridge.hist_sum(h.lo, h.cnt)::text, crossbridge.hist_sum(crossbridge.hist_pack(h.lo, h.cnt))::text
             FROM (VALUES (%s::integer, %s::integer[]), (%s, %s), (%s, %s)) AS h(lo, cnt)""",
        (los[0], counts[0], los[1], counts[1], 5, [3]),
    ).fetchone()
    assert of_numbers == of_arrays


def test_of_nothing_there_is_no_histogram(shared_db):
    row = shared_db.execute(
        "SELECT crossbridge.hist_sum(packed) IS NULL FROM crossbridge.hist_day WHERE false"
    ).fetchone()
    assert row == (True,)
