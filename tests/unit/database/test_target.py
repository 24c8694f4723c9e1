"""How a database is named to people."""

from __future__ import annotations

import pytest

from crossbridge.database.target import Target


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (Target("db", 5433, "results", "ci", "s3cret"), "db:5433/results"),
        (Target("db"), "db:5432"),
        (Target(), "libpq default:5432"),
    ],
)
def test_a_target_is_named_by_what_is_known_of_it(target, name):
    assert str(target) == name
