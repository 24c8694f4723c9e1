from __future__ import annotations

import pytest

from crossbridge.profiling.shipping import backoff as module
from crossbridge.profiling.shipping.backoff import Backoff


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """The monotonic clock: set its one element. Waits are as long as they may be."""
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(module.random, "uniform", lambda _low, high: high)
    return now


def test_waits_twice_as_long_each_time_up_to_eight_seconds(clock):
    backoff = Backoff()
    waits = []
    for _ in range(9):
        backoff.failed()
        waits.append(round(backoff.wait_s, 3))
    assert waits == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 8, 8]


def test_is_ready_when_the_wait_is_over(clock):
    backoff = Backoff()
    assert backoff.ready
    backoff.failed()
    assert not backoff.ready
    clock[0] += 0.1
    assert backoff.ready


def test_begins_anew_after_a_success(clock):
    backoff = Backoff()
    for _ in range(5):
        backoff.failed()
    backoff.succeeded()
    assert backoff.ready
    backoff.failed()
    assert backoff.wait_s == pytest.approx(0.1)


def test_somebody_who_asks_need_not_wait(clock):
    backoff = Backoff()
    backoff.failed()
    backoff.hurry()
    assert backoff.ready
    backoff.failed()
    assert backoff.wait_s == pytest.approx(0.2)


def test_what_waiting_does_not_mend_is_tried_rarely(clock):
    backoff = Backoff()
    backoff.failed(permanent=True)
    assert backoff.wait_s == module.PERMANENT_WAIT_S


def test_waits_are_spread_over_the_whole_time(monkeypatch):
    waits = set()
    for _ in range(20):
        backoff = Backoff()
        backoff.failed()
        waits.add(backoff.wait_s)
    assert len(waits) > 10
    assert max(waits) <= module.FIRST_CEILING_S
