"""Tests that have begun and not ended, and what becomes of them when their process is gone."""

from __future__ import annotations

import pytest

from support.feed import NOON_US, Segment, new_id


@pytest.fixture
def flying(rows):
    def fetch():
        return [
            (row["test_id"], row["attempt"])
            for row in rows("SELECT test_id, attempt FROM crossbridge.in_flight ORDER BY 1, 2")
        ]

    return fetch


@pytest.fixture
def results(rows):
    def fetch():
        return [
            (row["test_id"], row["attempt"], row["status"])
            for row in rows("SELECT test_id, attempt, status FROM crossbridge.tests ORDER BY 1, 2, 3")
        ]

    return fetch


def test_a_test_is_in_flight_from_its_start_to_its_end(db, flying):
    segment = Segment().start("a").deliver(db)
    assert flying() == [("a", 1)]

    segment.end("a").deliver(db)
    assert flying() == []


def test_a_test_within_one_batch_never_enters_the_table(db, rows):
    Segment().start("a").end("a").start("b").end("b").deliver(db)

    db.execute("SELECT pg_stat_force_next_flush()")
    assert rows("SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'in_flight'") == [{"n_tup_ins": 0}]


def test_a_row_tells_what_runs_and_since_when(db, one):
    Segment(framework="robot", worker="w1").start(
        "a", at_us=NOON_US, attempt=2, suite="S", file="f.robot", framework="x"
    ).deliver(db)

    row = one(
        "SELECT test_id, attempt, framework, worker, suite, file, extract(epoch FROM started_at) * 1000000 AS at, step_name"
        " FROM crossbridge.in_flight"
    )
    assert row == {
        "test_id": "a",
        "attempt": 2,
        "framework": "x",
        "worker": "w1",
        "suite": "S",
        "file": "f.robot",
        "at": NOON_US,
        "step_name": None,
    }


@pytest.mark.parametrize("cut", range(1, 8))
def test_attempts_are_told_apart_wherever_the_batches_are_cut(db, flying, results, cut):
    segment = Segment().start("a").end("a", "failed").start("a", attempt=2).end("a", "failed", attempt=2)
    segment.start("a", attempt=3).start("b").deliver(db, cut)

    assert flying() == [("a", 3), ("b", 1)]
    assert results() == [("a", 1, "failed"), ("a", 2, "failed")]


def test_a_test_that_runs_again_under_the_same_attempt_is_in_flight_again(db, flying):
    segment = Segment().start("a").deliver(db)
    segment.end("a").start("a").deliver(db)

    assert flying() == [("a", 1)]


def test_other_writers_and_runs_are_left_alone(db, flying):
    segment = Segment().start("a").deliver(db)
    Segment(segment.run_id).start("b").end("a").deliver(db)
    Segment().end("a").deliver(db)

    assert flying() == [("a", 1), ("b", 1)]


STEPS = [
    ("step_start", "log in", 0),
    ("step_start", "type name", 1),
    ("step_end", "type name", 1),
    ("step_start", "type password", 2),
    ("step_end", "type password", 2),
    ("step_end", "log in", 0),
    ("step_start", "buy", 3),
]
OPEN_AFTER = [None, "log in", "type name", "log in", "type password", "log in", None, "buy"]


@pytest.mark.parametrize("with_index", [True, False], ids=["numbered", "unnumbered"])
@pytest.mark.parametrize("whole", [True, False], ids=["one batch", "a batch a line"])
@pytest.mark.parametrize("length", range(len(STEPS) + 1))
def test_the_innermost_open_step_is_named(shared_db, length, whole, with_index):
    segment = Segment().start("a")
    for kind, name, index in STEPS[:length]:
        fields = {"step_index": index} if with_index else {}
        duration = {"duration_us": 5} if kind == "step_end" else {}
        segment.add(kind, test_id="a", step_name=name, **fields, **duration)
    segment.deliver(shared_db, *([] if whole else range(1, len(segment.lines))))

    row = shared_db.execute(
        "SELECT step_name, step_started_at IS NOT NULL FROM crossbridge.in_flight WHERE run_id = %s",
        (segment.run_id,),
    ).fetchone()
    assert row == (OPEN_AFTER[length], OPEN_AFTER[length] is not None)


def test_a_step_within_a_step_of_its_name_ends_alone(db, one):
    segment = Segment().start("a")
    for index in range(2):
        segment.add("step_start", test_id="a", step_name="recurse", step_index=index)
    segment.step("a", "recurse", step_index=1).deliver(db)

    assert one("SELECT step_name, jsonb_array_length(open_steps) AS open FROM crossbridge.in_flight") == {
        "step_name": "recurse",
        "open": 1,
    }


def test_steps_that_never_began_and_tests_that_never_began_do_no_harm(db, flying):
    Segment().start("a").step("a", "x").step("ghost", "y").add(
        "step_start", test_id="ghost", step_name="z"
    ).deliver(db)

    assert flying() == [("a", 1)]


def test_an_abandoned_writer_leaves_its_test_interrupted(db, one, flying):
    segment = Segment(worker="gw0").start("a", at_us=NOON_US, suite="S", file="f.py", attempt=2)
    segment.add("step_start", test_id="a", step_name="pay", at_us=NOON_US + 5, attempt=2).deliver(db)
    segment.abandon(db, at_us=NOON_US + 2_500_000)

    assert flying() == []
    row = one(
        "SELECT test_id, attempt, status, duration_us, suite, file, worker, framework, error_message,"
        " extract(epoch FROM created_at) * 1000000 AS at FROM crossbridge.tests"
    )
    assert row == {
        "test_id": "a",
        "attempt": 2,
        "status": "interrupted",
        "duration_us": 2_500_000,
        "suite": "S",
        "file": "f.py",
        "worker": "gw0",
        "framework": "pytest",
        "error_message": "the process ended before the test did, in step: pay",
        "at": NOON_US + 2_500_000,
    }
    assert one("SELECT n, interrupted, sum_us FROM crossbridge.rollup_hour") == {
        "n": 1,
        "interrupted": 1,
        "sum_us": 2_500_000,
    }
    assert one("SELECT tests, interrupted, events_written, status FROM crossbridge.runs") == {
        "tests": 1,
        "interrupted": 1,
        "events_written": 2,
        "status": "interrupted",
    }


def test_a_test_cannot_last_less_than_nothing(db, one):
    # The file's time, which a reader goes by, may be from another clock.
    segment = Segment().start("a", at_us=NOON_US).deliver(db)
    segment.abandon(db, at_us=NOON_US - 1_000_000)

    assert one("SELECT duration_us FROM crossbridge.tests") == {"duration_us": 0}


def test_a_test_left_for_months_can_be_closed(db, one):
    segment = Segment().start("a", at_us=NOON_US).deliver(db)
    segment.abandon(db, at_us=NOON_US + 100 * 86_400_000_000)

    assert one("SELECT duration_ms FROM crossbridge.tests") == {"duration_ms": 2**31 - 1}


def test_a_test_left_by_a_writer_that_closed_in_order_is_interrupted_too(db, results):
    Segment().start("a").start("b").end("b").close("failed").deliver(db)

    assert results() == [("a", 1, "interrupted"), ("b", 1, "passed")]


def test_closing_again_interrupts_nothing_more(db, results):
    segment = Segment().start("a").deliver(db)
    for _ in range(3):
        segment.abandon(db)

    assert results() == [("a", 1, "interrupted")]


def test_an_interrupted_test_may_end_in_another_month_than_it_began(db, results):
    segment = Segment().start("a", at_us=NOON_US).deliver(db)
    segment.abandon(db, at_us=NOON_US + 20 * 86_400_000_000)

    assert results() == [("a", 1, "interrupted")]


def test_rotation_keeps_a_test_in_flight(db, flying, results):
    first, second = Segment(), new_id()
    first.start("a").start("b").end("b").close(None, next=second).deliver(db)
    assert flying() == [("a", 1)]

    Segment(first.run_id, segment_id=second, writer=first.writer, seq=1).end("a").close().deliver(db)

    assert flying() == []
    assert results() == [("a", 1, "passed"), ("b", 1, "passed")]


def test_the_last_segment_of_a_rotated_writer_interrupts_what_the_first_began(db, results):
    first, second = Segment(), new_id()
    first.start("a").close(None, next=second).deliver(db)
    Segment(first.run_id, segment_id=second, writer=first.writer, seq=1).deliver(db).abandon(db)

    assert results() == [("a", 1, "interrupted")]


def test_a_writer_killed_while_it_rotated_is_ended_by_a_reader(db, one, results):
    # It had announced a next segment, which never came.
    segment = Segment().start("a").close(None, next=new_id()).deliver(db)
    assert one("SELECT status FROM crossbridge.runs") == {"status": "running"}

    segment.abandon(db)

    assert results() == [("a", 1, "interrupted")]
    assert one("SELECT status FROM crossbridge.runs") == {"status": "interrupted"}


@pytest.fixture
def family():
    """An xdist controller and the worker it answers for."""
    controller = Segment()
    return controller, Segment(controller.run_id, parent=controller.writer, worker="gw0")


def test_the_controller_reports_the_test_in_which_a_worker_crashed(db, family, flying, results):
    controller, worker = family
    controller.deliver(db)
    worker.start("a").deliver(db)

    controller.end("a", "error", worker="gw0").deliver(db)
    assert flying() == []

    worker.abandon(db)
    controller.close("failed").deliver(db)
    assert results() == [("a", 1, "error")]


def test_the_controllers_report_may_come_before_the_workers_start(db, family, flying, results):
    controller, worker = family
    controller.end("a", "error", worker="gw0").deliver(db)
    worker.start("a").deliver(db)

    worker.abandon(db)

    assert flying() == []
    controller.close("failed").deliver(db)
    assert results() == [("a", 1, "error")]


def test_the_controllers_report_may_come_after_the_workers_end(db, family, flying, results):
    controller, worker = family
    controller.deliver(db)
    worker.start("a").deliver(db).abandon(db)
    assert (flying(), results()) == ([("a", 1)], [])  # the controller may still report it

    controller.end("a", "error").deliver(db)

    assert (flying(), results()) == ([], [("a", 1, "error")])


def test_what_a_dead_worker_left_and_its_controller_never_reported_is_interrupted(db, family, results):
    controller, worker = family
    controller.deliver(db)
    worker.start("a").deliver(db).abandon(db)
    assert results() == []

    controller.abandon(db)

    assert results() == [("a", 1, "interrupted")]


def test_a_dead_worker_may_have_ended_in_another_month_than_its_controller(db, family, results):
    controller, worker = family
    controller.deliver(db)
    worker.start("a").deliver(db).abandon(db, at_us=NOON_US + 60 * 86_400_000_000)

    controller.abandon(db)

    assert results() == [("a", 1, "interrupted")]


def test_a_workers_end_after_its_controllers_interrupts_at_once(db, family, results):
    controller, worker = family
    controller.close().deliver(db)
    worker.start("a").deliver(db)
    assert results() == []

    worker.abandon(db)

    assert results() == [("a", 1, "interrupted")]


def test_a_worker_that_goes_on_after_its_controllers_end_keeps_its_test(db, family, flying, results):
    controller, worker = family
    worker.start("a").deliver(db)
    controller.close().deliver(db)
    assert flying() == [("a", 1)]

    worker.end("a").close(None).deliver(db)

    assert (flying(), results()) == ([], [("a", 1, "passed")])


def test_a_report_about_one_worker_leaves_the_same_test_of_another(db, family, flying):
    # --dist each runs every test in every worker.
    controller, first = family
    second = Segment(controller.run_id, parent=controller.writer, worker="gw1")
    for segment in (controller, first.start("a"), second.start("a")):
        segment.deliver(db)

    controller.end("a", "error", worker="gw1").deliver(db)

    assert flying() == [("a", 1)]
    assert db.execute("SELECT worker FROM crossbridge.in_flight").fetchone() == ("gw0",)


def test_a_grandchild_waits_for_its_own_parent(db, family, flying, results):
    controller, worker = family
    forked = Segment(controller.run_id, parent=worker.writer)
    for segment in (controller, worker, forked.start("a")):
        segment.deliver(db)
    forked.abandon(db)
    assert flying() == [("a", 1)]

    worker.close(None).deliver(db)

    assert results() == [("a", 1, "interrupted")]
