"""When a run has ended and how, and what its counts say."""

from __future__ import annotations

from itertools import permutations

import pytest

from support.feed import NOON_US, Segment, new_id


@pytest.fixture
def run(one):
    def fetch(columns="status"):
        row = tuple(one(f"SELECT {columns} FROM crossbridge.runs").values())
        return row[0] if len(row) == 1 else row

    return fetch


COUNTS = "events_collected, events_written, events_dropped, events_spooled"


@pytest.mark.parametrize("status", ["passed", "failed", "interrupted"])
def test_a_run_ends_as_its_writer_says(db, run, status):
    segment = Segment().deliver(db)
    assert run("status, ended_at") == ("running", None)

    segment.close(status, at_us=NOON_US).deliver(db)

    assert run("status, extract(epoch FROM ended_at) * 1000000") == (status, NOON_US)


@pytest.mark.parametrize("order", list(permutations(["passed", "failed", "interrupted"])))
def test_a_run_ends_as_badly_as_the_worst_of_its_writers(db, run, order):
    first = Segment()
    segments = [first, Segment(first.run_id), Segment(first.run_id)]
    for segment in segments:
        segment.deliver(db)
    for segment, status in zip(segments, order, strict=True):
        assert run() == "running"
        segment.close(status).deliver(db)

    assert run() == "interrupted"


def test_a_run_goes_on_when_another_writer_joins(db, run):
    first = Segment().close("failed").deliver(db)
    assert run() == "failed"

    second = Segment(first.run_id).deliver(db)
    assert run("status, ended_at") == ("running", None)

    second.close("passed").deliver(db)
    assert run() == "failed"


def test_children_decide_nothing(db, run):
    main = Segment().deliver(db)
    child = Segment(main.run_id, parent=main.writer).deliver(db)
    main.close("passed").deliver(db)
    assert run() == "passed"

    child.abandon(db)
    assert run() == "passed"


def test_a_run_of_which_only_a_child_has_come_is_running(db, run):
    Segment(parent=new_id()).close(None).deliver(db)

    assert run() == "running"


def test_a_rotated_writer_ends_with_its_last_segment(db, run):
    first, second = Segment(), new_id()
    first.close(None, next=second).deliver(db)
    assert run() == "running"

    Segment(first.run_id, segment_id=second, writer=first.writer, seq=1).close("passed").deliver(db)
    assert run() == "passed"


@pytest.mark.parametrize(
    ("outcome", "status"), [("passed", "passed"), ("failed", "failed"), ("error", "failed")]
)
def test_a_writer_that_does_not_say_is_judged_by_its_tests(db, run, outcome, status):
    Segment().end("a", outcome).close(None).deliver(db)

    assert run() == status


def test_a_segment_that_goes_on_after_it_was_taken_for_dead_opens_again(db, run, rows):
    segment = Segment().end("a").deliver(db)
    segment.abandon(db)
    assert run() == "interrupted"

    segment.end("b").deliver(db)
    assert run("status, ended_at") == ("running", None)

    segment.close("passed").deliver(db)
    assert run() == "passed"
    assert len(rows("SELECT FROM crossbridge.tests")) == 2


def test_counts_follow_the_events(db, run):
    segment = Segment().start("a").step("a", "s").end("a").deliver(db)
    assert run(COUNTS) == (3, 3, 0, 0)

    segment.add("http_call", endpoint="e", method="GET", duration_us=1)
    segment.add("driver_command", command="c", duration_us=1).add("system_metric", cpu_percent=1)
    segment.add("step_start", test_id="a", step_name="s").deliver(db)
    assert run(COUNTS) == (7, 7, 0, 0)


def test_tests_are_counted_by_status(db, run):
    statuses = ["passed", "failed", "error", "skipped", "xfailed", "xpassed", "interrupted"]
    segment = Segment()
    for number, status in enumerate(statuses):
        for attempt in range(number + 1):
            segment.end(status, status, attempt=attempt + 1)
    segment.deliver(db, 3, 9)

    assert run(", ".join(["tests", *statuses])) == (28, 1, 2, 3, 4, 5, 6, 7)


def test_what_the_writer_recorded_and_is_not_there_is_spooled(db, run):
    Segment().end("a").close(collected=5, dropped=1).deliver(db)

    assert run(COUNTS) == (5, 1, 1, 3)


def test_counts_of_all_segments_are_added(db, run):
    first = Segment().end("a").close(collected=2, dropped=1).deliver(db)
    Segment(first.run_id).end("b").end("c").close(collected=2).deliver(db)

    assert run(COUNTS) == (4, 3, 1, 0)


def test_a_torn_line_is_a_dropped_event(db, run, one):
    Segment().end("a").deliver(db).abandon(db, torn=1)

    assert run(COUNTS) == (2, 1, 1, 0)
    assert one("SELECT torn, collected FROM crossbridge.segments") == {"torn": 1, "collected": None}


def test_dropped_events_are_counted_once_whoever_tells(db, run):
    # The header, `dropped` lines and segment_end each tell the segment's total so far.
    segment = Segment(dropped=2).deliver(db)
    assert run("events_dropped") == 2

    segment.add("dropped", count=5).deliver(db)
    assert run("events_dropped") == 5

    segment.add("dropped", count=7).close(dropped=7, collected=7).deliver(db)
    assert run(COUNTS) == (7, 0, 7, 0)


def test_a_reader_that_closes_tells_what_the_header_counted(db, run):
    Segment().end("a").deliver(db).abandon(db, dropped=4)

    assert run(COUNTS) == (5, 1, 4, 0)


def test_collected_is_never_less_than_written(db, run):
    Segment().end("a").end("b").close(collected=1).deliver(db)

    assert run(COUNTS) == (2, 2, 0, 0)


def test_an_end_repeated_counts_once(db, run):
    segment = Segment().end("a").close(collected=3, dropped=1).deliver(db)
    size = segment.offsets[-1]
    for _ in range(2):
        segment.call(db, size, size, [segment.lines[-1]])
    segment.abandon(db, dropped=9)

    assert run(COUNTS) == (3, 1, 1, 1)
    assert run() == "passed"
