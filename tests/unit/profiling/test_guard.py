from __future__ import annotations

import ctypes
import json
import signal
import threading
import time
from functools import partial
from itertools import count

import pytest

from crossbridge.profiling import guard
from crossbridge.profiling.sanitise import clean_text
from support.children import run_in_child
from support.segments import read_spool


@pytest.fixture(autouse=True)
def _no_faults(monkeypatch):
    monkeypatch.setattr(guard.Faults, "first", None)
    monkeypatch.setattr(guard.Faults, "number", 0)
    monkeypatch.setattr(guard.Faults, "_count", count())


@pytest.fixture
def on_alarm():
    """Install a handler of SIGALRM; what was there before comes back."""
    before = signal.getsignal(signal.SIGALRM)
    yield lambda handler: signal.signal(signal.SIGALRM, handler)
    signal.signal(signal.SIGALRM, before)


class Alarm(Exception):
    pass


def guarded(action) -> None:
    try:
        action()
    except Exception as error:
        guard.caught(error, "here")


def test_an_error_of_ours_is_counted_and_the_first_is_remembered():
    for value in (1, 2):
        guarded(lambda value=value: int(f"x{value}"))
    assert guard.Faults.number == 2
    assert guard.Faults.first == "here: ValueError: invalid literal for int() with base 10: 'x1'"


def test_an_error_that_python_raises_in_our_code_is_ours():
    guarded(lambda: clean_text(None))
    assert guard.Faults.number == 1


def test_a_fault_is_remembered_shortly():
    def fail():
        raise ValueError("x" * 1000)

    guarded(fail)
    assert len(guard.Faults.first) == 300


def test_an_error_without_a_text_is_counted_too():
    class Mute(ValueError):
        __module__ = "builtins"

        def __str__(self):
            raise TypeError

    def fail():
        raise Mute

    guarded(fail)
    assert guard.Faults.first == "here: Mute: "


def raise_alarm(*_):
    raise Alarm


class Handler:
    def method(self, *_):
        raise TimeoutError

    def __call__(self, *_):
        raise TimeoutError


@pytest.mark.parametrize(
    "handler",
    [
        raise_alarm,
        lambda *_: raise_alarm(),
        Handler().method,
        Handler(),
        partial(raise_alarm, "more"),
        partial(partial(Handler()), "more"),
    ],
    ids=["function", "lambda", "method", "object", "partial", "partial of partial"],
)
def test_what_a_signal_handler_raises_is_the_users(on_alarm, handler):
    on_alarm(handler)
    with pytest.raises((Alarm, TimeoutError)):
        guarded(lambda: signal.raise_signal(signal.SIGALRM))
    assert guard.Faults.number == 0


def test_an_error_that_only_looks_like_a_handlers_is_ours(on_alarm):
    on_alarm(raise_alarm)
    guarded(lambda: (_ for _ in ()).throw(TimeoutError))
    assert guard.Faults.number == 1


def test_what_another_thread_raises_in_our_code_is_the_users(monkeypatch):
    # As libraries that bound the time of a call do it. Time passes inside our code: in a function of this module's.
    monkeypatch.setattr(guard, "_OUR_FOLDER", __file__.removesuffix("test_guard.py"))
    thread = threading.get_ident()
    raise_here = ctypes.pythonapi.PyThreadState_SetAsyncExc

    def pass_time():
        until = time.monotonic() + 10
        while time.monotonic() < until:
            pass

    timer = threading.Timer(0.05, raise_here, [ctypes.c_ulong(thread), ctypes.py_object(Alarm)])
    timer.start()
    with pytest.raises(Alarm):
        guarded(pass_time)
    assert guard.Faults.number == 0


def test_in_strict_mode_our_errors_are_seen(monkeypatch):
    monkeypatch.setattr(guard, "_STRICT", True)
    with pytest.raises(ValueError, match="invalid literal"):
        guarded(lambda: int("x"))


STORM = """
import crossbridge
from crossbridge.profiling import segment
class Alarm(Exception):
    raised = 0
def alarm(*_):
    Alarm.raised += 1
    raise ALARM
signal.signal(signal.SIGALRM, alarm)
seen = n = 0
with collecting(spool) as collector:
    collector.record_test_start("t")
    append_number = collector._segment.append
    while seen < 300:
        n += 1
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.00001 + (n % 200) / 1_000_000)
            with crossbridge.step("s"):
                collector.record_http_call("h/", "GET", n, 1, error="x" * (n % 3000))
            collector.collect(crossbridge.profiling.models.PerformanceEvent("test_end", test_id=object()))
            signal.setitimer(signal.ITIMER_REAL, 0)
        except ALARM as error:
            while isinstance(error, ALARM):  # a late one may strike while another is on its way
                seen += 1
                error = error.__context__
    stats = collector.get_stats()
print(json.dumps([Alarm.raised, seen, stats]))
"""


SLOW = "segment.LOOK_US = 0\nsegment.ROTATE_BYTES = 20_000\n"


@pytest.mark.parametrize("path", ["", SLOW], ids=["hot", "slow"])
@pytest.mark.parametrize("error", ["Alarm", "TimeoutError", "KeyboardInterrupt"])
def test_a_storm_of_alarms_reaches_the_user_to_the_last_one_and_tears_no_line(tmp_path, error, path):
    printed = run_in_child(STORM.replace("ALARM", error).replace("seen = n", path + "seen = n"), tmp_path)
    raised, seen, stats = json.loads(printed)
    assert raised == seen >= 300
    assert stats["faults"] == 0
    events = read_spool(tmp_path)
    assert len(events) <= stats["collected"] <= len(events) + seen
    calls = [event["status_code"] for event in events if event["type"] == "http_call"]
    assert len(calls) == len(set(calls))
    assert len(calls) > 20
