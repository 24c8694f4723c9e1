"""Fails, then passes."""

from itertools import count

import pytest

tries = count(1)


@pytest.mark.flaky(reruns=2)
def test_flaky():
    assert next(tries) > 1, "the recommendations have not loaded yet"
