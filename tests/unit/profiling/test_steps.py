from __future__ import annotations

import asyncio
import contextlib
import inspect
import threading
import unittest
from contextlib import asynccontextmanager, contextmanager

import pytest

import crossbridge
from crossbridge.profiling.context import Active, current_step
from support.segments import collecting, read_spool


@pytest.fixture
def collector(tmp_path):
    current_step.set(None)
    with collecting(tmp_path) as collector:
        collector.record_test_start("t", "pytest")
        yield collector
        collector.record_test_end("t")


@pytest.fixture
def ends(tmp_path):
    """The steps that have ended, as (name, status, index, depth)."""
    return lambda: [
        (event["step_name"], event["status"], event["step_index"], event.get("depth", 0))
        for event in read_spool(tmp_path)
        if event["type"] == "step_end"
    ]


@pytest.fixture
def names(ends):
    return lambda: [(name, status) for name, status, _index, _depth in ends()]


def test_steps_nest(collector, ends):
    with crossbridge.step("outer"):
        with crossbridge.step("first"):
            pass
        with crossbridge.step("second"), crossbridge.step("inner"):
            pass
    with crossbridge.step("after"):
        pass
    assert ends() == [
        ("first", "passed", 1, 1),
        ("inner", "passed", 3, 2),
        ("second", "passed", 2, 1),
        ("outer", "passed", 0, 0),
        ("after", "passed", 4, 0),
    ]


def test_a_step_is_known_when_it_begins(collector, tmp_path):
    with crossbridge.step("waiting for the tide"):
        (start,) = [event for event in read_spool(tmp_path) if event["type"] == "step_start"]
        assert (start["step_name"], start["test_id"]) == ("waiting for the tide", "t")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError, "failed"),
        (AssertionError, "failed"),
        (KeyboardInterrupt, "failed"),
        (unittest.SkipTest, "skipped"),
        (pytest.skip.Exception, "skipped"),
        (GeneratorExit, "passed"),
    ],
)
def test_what_leaves_a_step_goes_on_and_makes_its_status(collector, names, error, status):
    with pytest.raises(error), crossbridge.step("s"):
        raise error
    assert names() == [("s", status)]


def test_outside_a_test_a_step_does_nothing(tmp_path):
    with crossbridge.step("no collector"):
        pass
    assert Active.collector is None
    with collecting(tmp_path), crossbridge.step("no test"):
        pass
    assert read_spool(tmp_path) == []


def test_a_test_may_begin_and_end_inside_a_step(tmp_path, ends):
    with collecting(tmp_path) as collector, crossbridge.step("before"):
        collector.record_test_start("a")
        with crossbridge.step("left open by a"):
            collector.record_test_end("a")
            collector.record_test_start("b")
            with crossbridge.step("b's own"):
                pass
            collector.record_test_end("b")
    assert ends() == [("b's own", "passed", 0, 0), ("left open by a", "passed", 0, 0)]


def test_one_step_may_be_entered_inside_itself(collector, ends):
    again = crossbridge.step("again")
    with again, again:
        pass
    assert ends() == [("again", "passed", 1, 1), ("again", "passed", 0, 0)]


def test_each_thread_has_steps_of_its_own(collector, ends):
    in_both = threading.Barrier(2)

    def work(name: str) -> None:
        with crossbridge.step(name):
            in_both.wait()
            with crossbridge.step(f"{name} inner"):
                in_both.wait()

    threads = [threading.Thread(target=work, args=[name]) for name in "ab"]
    with crossbridge.step("main"):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    depths = {name: depth for name, _status, _index, depth in ends()}
    assert depths == {"main": 0, "a": 0, "b": 0, "a inner": 1, "b inner": 1}
    assert sorted(index for _name, _status, index, _depth in ends()) == list(range(5))


@pytest.mark.asyncio
async def test_each_task_nests_under_the_step_that_created_it(collector, ends):
    async def work(name: str) -> None:
        with crossbridge.step(name):
            await asyncio.sleep(0)
            with crossbridge.step(f"{name} inner"):
                await asyncio.sleep(0)

    with crossbridge.step("main"):
        await asyncio.gather(work("a"), work("b"))
    depths = {name: depth for name, _status, _index, depth in ends()}
    assert depths == {"main": 0, "a": 1, "b": 1, "a inner": 2, "b inner": 2}


# As a decorator


def test_a_function(collector, names):
    @crossbridge.step("add")
    def add(a, *, b=1):
        """Adds."""
        return a + b

    assert add(2, b=3) == 5
    assert add(2) == 3
    assert (add.__name__, add.__doc__) == ("add", "Adds.")
    assert names() == [("add", "passed")] * 2


def test_a_function_that_calls_itself(collector, ends):
    @crossbridge.step("fall")
    def fall(n):
        return fall(n - 1) if n else "landed"

    assert fall(2) == "landed"
    assert ends() == [("fall", "passed", index, index) for index in (2, 1, 0)]


@pytest.mark.asyncio
async def test_a_coroutine_function(collector, names):
    @crossbridge.step("wait")
    async def wait():
        await asyncio.sleep(0)
        return "done"

    assert inspect.iscoroutinefunction(wait)
    assert await wait() == "done"
    assert names() == [("wait", "passed")]


def test_a_generator_function_lasts_to_its_end_and_stays_a_generator(collector, names):
    @crossbridge.step("count")
    def echo():
        with contextlib.suppress(ZeroDivisionError):
            got = yield 1
            assert got == "sent"
            yield 2
        return "returned"

    assert inspect.isgeneratorfunction(echo)
    generator = echo()
    assert next(generator) == 1
    assert names() == []
    assert generator.send("sent") == 2
    with pytest.raises(StopIteration, match="returned"):
        generator.throw(ZeroDivisionError)
    assert names() == [("count", "passed")]


def test_a_generator_that_is_closed_early_has_passed(collector, names):
    @crossbridge.step("count")
    def count():
        yield 1
        yield 2

    generator = count()
    next(generator)
    generator.close()
    assert names() == [("count", "passed")]


def test_a_context_manager_keeps_what_is_thrown_into_it(collector, names):
    caught = []

    @contextmanager
    @crossbridge.step("session")
    def session():
        try:
            yield "value"
        except ValueError as error:
            caught.append(error)

    with session() as value:
        assert value == "value"
        raise ValueError
    assert len(caught) == 1
    assert names() == [("session", "passed")]


def test_generators_may_end_in_any_order(collector, ends):
    @crossbridge.step("first")
    def first():
        yield

    @crossbridge.step("second")
    def second():
        yield

    one, two = first(), second()
    next(one)
    next(two)
    one.close()
    with crossbridge.step("under second"):
        pass
    two.close()
    with crossbridge.step("under none"):
        pass
    assert ends() == [
        ("first", "passed", 0, 0),
        ("under second", "passed", 2, 2),
        ("second", "passed", 1, 1),
        ("under none", "passed", 3, 0),
    ]


@pytest.mark.asyncio
async def test_an_async_generator_function(collector, names):
    @crossbridge.step("stream")
    async def stream():
        got = yield 1
        assert got == "sent"
        yield 2

    assert inspect.isasyncgenfunction(stream)
    generator = stream()
    assert await anext(generator) == 1
    assert await generator.asend("sent") == 2
    assert names() == []
    with pytest.raises(StopAsyncIteration):
        await anext(generator)
    assert names() == [("stream", "passed")]


@pytest.mark.asyncio
async def test_an_async_context_manager_keeps_what_is_thrown_into_it(collector, names):
    events = []

    @asynccontextmanager
    @crossbridge.step("session")
    async def session(*, swallow):
        try:
            yield "value"
        except ValueError:
            events.append("caught")
            if not swallow:
                raise
        finally:
            events.append("closed")

    async with session(swallow=True):
        raise ValueError
    with pytest.raises(ValueError, match="mine"):
        async with session(swallow=False):
            raise ValueError("mine")
    assert events == ["caught", "closed"] * 2
    assert names() == [("session", "passed"), ("session", "failed")]


@pytest.mark.asyncio
async def test_an_async_generator_that_is_closed_early_is_closed_inside_too(collector, names):
    events = []

    @crossbridge.step("stream")
    async def stream():
        try:
            yield 1
        finally:
            events.append("closed")

    generator = stream()
    await anext(generator)
    await generator.aclose()
    assert events == ["closed"]
    assert names() == [("stream", "passed")]


def test_what_decorates_keeps_the_signature(collector):
    def function(a, b: int = 2, *c, d, **e) -> str: ...

    assert inspect.signature(crossbridge.step("x")(function)) == inspect.signature(function)


def test_a_method_and_a_static_method(collector, names):
    class Page:
        @crossbridge.step("open")
        def open(self):
            return self

        @staticmethod
        @crossbridge.step("close")
        def close():
            return "closed"

    page = Page()
    assert page.open() is page
    assert page.close() == "closed"
    assert names() == [("open", "passed"), ("close", "passed")]


def test_a_step_in_which_profiling_ends_ends_quietly(tmp_path):
    with collecting(tmp_path) as collector:
        collector.record_test_start("t")
        step = crossbridge.step("s")
        step.__enter__()
    step.__exit__(None, None, None)
    assert [event["type"] for event in read_spool(tmp_path)] == ["test_start", "step_start"]
