from __future__ import annotations

import pytest

from crossbridge.profiling.dotenv import parse
from support.spec import cases, name_of


@pytest.mark.parametrize("case", cases("dotenv"), ids=name_of)
def test_dotenv(case):
    assert parse(case["text"]) == case["values"]
