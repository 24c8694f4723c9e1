"""Tests that stop, shift or take the place of clocks."""

from __future__ import annotations

import pytest

FREEZEGUN = """
    import datetime
    import pytest
    from freezegun import freeze_time
    import crossbridge

    @pytest.fixture
    def frozen():
        with freeze_time("2012-01-14"):
            yield

    def test_in_a_fixture(frozen):
        assert datetime.date.today().year == 2012
        with crossbridge.step("frozen"): pass

    @freeze_time("2032-01-14")
    def test_decorated():
        assert datetime.date.today().year == 2032
        with crossbridge.step("decorated"): pass

    def test_ticking():
        with freeze_time("2012-01-14", auto_tick_seconds=15) as clock:
            with crossbridge.step("ticking"):
                clock.tick(3600)

    freezer = None

    def test_that_leaves_it_frozen():
        global freezer
        freezer = freeze_time("2012-01-14")
        freezer.start()

    def test_after_that():
        assert datetime.date.today().year == 2012
        freezer.stop()
"""


@pytest.mark.parametrize("ignored", [False, True])
def test_freezegun(hazard, ignored):
    hazard.write("test_f.py", FREEZEGUN)
    if ignored:  # a list of the user's own, in which we are not
        hazard.write("conftest.py", "import freezegun\nfreezegun.configure(extend_ignore_list=['nothing'])\n")
    recorded = hazard.run()
    assert recorded.tests == dict.fromkeys(
        [
            "test_in_a_fixture",
            "test_decorated",
            "test_ticking",
            "test_that_leaves_it_frozen",
            "test_after_that",
        ],
        "passed",
    )
    assert recorded.steps() == ["frozen", "decorated", "ticking"]


def test_freezegun_from_a_conftest_before_our_first_import(hazard):
    hazard.write(
        "conftest.py",
        """
        from freezegun import freeze_time
        freezer = freeze_time("2012-01-14")
        freezer.start()
        """,
    )
    hazard.write("test_f.py", "def test_a(): pass\ndef test_b(): pass\n")
    assert hazard.run().tests == {"test_a": "passed", "test_b": "passed"}


TIME_MACHINE = """
    import datetime, time
    import pytest, time_machine
    import crossbridge

    @pytest.fixture
    def elsewhen():
        with time_machine.travel("2012-01-14", tick=False):
            yield

    def test_in_a_fixture(elsewhen):
        assert datetime.date.today().year == 2012
        with crossbridge.step("still"): pass

    @time_machine.travel("2032-01-14")
    def test_decorated():
        assert time.gmtime().tm_year == 2032
        with crossbridge.step("decorated"): pass

    def test_shifting():
        with time_machine.travel("2012-01-14") as traveller:
            with crossbridge.step("shifting"):
                traveller.shift(datetime.timedelta(days=9))
"""


def test_time_machine(hazard):
    hazard.write("test_t.py", TIME_MACHINE)
    recorded = hazard.run()
    assert recorded.tests == dict.fromkeys(["test_in_a_fixture", "test_decorated", "test_shifting"], "passed")
    assert recorded.steps() == ["still", "decorated", "shifting"]


def test_mocks_of_clocks_give_the_user_each_value(hazard):
    hazard.write(
        "test_m.py",
        """
        import time
        from unittest import mock
        import crossbridge

        NAMES = ["time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "sleep"]

        def test_values():
            for name in NAMES:
                with mock.patch(f"time.{name}", side_effect=[1, 2, 3]) as clock:
                    first = getattr(time, name)()
                    with crossbridge.step(name): pass
                    assert (first, getattr(time, name)(), getattr(time, name)()) == (1, 2, 3)
                    assert clock.call_count == 3

        def test_never_called():
            with mock.patch("time.time") as a, mock.patch("time.perf_counter_ns") as b, mock.patch("time.sleep") as c:
                with crossbridge.step("quiet"): pass
                assert not a.called and not b.called and not c.called

        patchers = []

        def test_that_leaves_mocks_behind():
            for name in NAMES:
                patchers.append(mock.patch(f"time.{name}", side_effect=RuntimeError))
            for patcher in patchers:
                patcher.start()

        def test_that_removes_them():
            for patcher in patchers:
                patcher.stop()
        """,
    )
    # pytest itself must not need the clocks that are gone: it has captured what it uses.
    recorded = hazard.run()
    assert recorded.tests["test_values"] == recorded.tests["test_never_called"] == "passed"
    assert len(recorded.steps()) == 8


def test_a_random_seed_is_left_alone(hazard):
    hazard.write(
        "test_r.py",
        """
        import random
        import crossbridge

        def test_sequence():
            random.seed(42)
            with crossbridge.step("draws nothing"): pass
            assert random.random() == 0.6394267984578837

        def test_it_goes_on_in_the_next():
            assert random.random() == 0.025010755222666936
        """,
    )
    assert set(hazard.run().tests.values()) == {"passed"}
