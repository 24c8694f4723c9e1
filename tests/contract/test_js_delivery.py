"""Delivery from JavaScript through the real `pg` into a real database: exactly once, and never in the test run's way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from crossbridge.profiling.shipping.folder import SetAside
from support.node import DRIVER, NodeProcess, install
from support.postgres import db_environment
from support.segments import segment_paths
from support.shipping import deliver, rows
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from crossbridge.database.target import Target

SWITCH = {"CROSSBRIDGE_PROFILING": "true", "CROSSBRIDGE_FLUSH_INTERVAL": "0.05"}
BATCH = 50


@pytest.fixture
def project(tmp_path: Path) -> Path:
    install(tmp_path, DRIVER)
    return tmp_path


@pytest.fixture
def node(tmp_path: Path) -> Iterator[NodeProcess]:
    process = NodeProcess(tmp_path)
    yield process
    process.kill9()


def spool_of(project: Path) -> Path:
    return project / ".crossbridge" / "spool"


def start(node: NodeProcess, project: Path, target: Target, **settings: Any) -> str:
    ours = {f"CROSSBRIDGE_{name.upper()}": str(value) for name, value in settings.items()}
    return str(node.call("start", SWITCH | db_environment(target) | ours, str(project)))


def ends_of(first: int, count: int = BATCH) -> list[dict[str, Any]]:
    return [
        {"type": "test_end", "test_id": f"t{number}", "status": "passed", "duration_us": number}
        for number in range(first, first + count)
    ]


def stored(target: Target) -> list[str]:
    found = rows(target, "SELECT test_id FROM crossbridge.tests ORDER BY duration_us")
    return [test_id for (test_id,) in found]


def named(count: int) -> list[str]:
    return [f"t{number}" for number in range(count)]


def test_a_run_is_in_the_database_when_it_ends(node, project, migrated):
    run_id = start(node, project, migrated, labels="team=core", environment="ci")
    node.call("record", ends_of(0))
    assert node.call("shutdown", "passed") is True
    assert stored(migrated) == named(BATCH)
    ((found, status, environment, dropped),) = rows(
        migrated, "SELECT run_id::text, status, environment, events_dropped FROM crossbridge.runs"
    )
    assert (found, status, environment, dropped) == (run_id, "passed", "ci", 0)
    assert node.call("stats")["written"] == BATCH
    assert segment_paths(spool_of(project)) == []


def test_events_arrive_while_the_run_goes_on(node, project, migrated):
    start(node, project, migrated)
    node.call("record", ends_of(0))
    until(lambda: stored(migrated) == named(BATCH))
    node.call("record", ends_of(BATCH))
    until(lambda: stored(migrated) == named(2 * BATCH))
    assert node.call("stats") | {"runId": 0} == {
        "runId": 0, "collected": 2 * BATCH, "written": 2 * BATCH, "spooled": 0, "dropped": 0, "faults": 0,
    }  # fmt: skip


@pytest.mark.parametrize("seen", [0, BATCH])
def test_a_killed_process_leaves_every_event_for_ingest_once(node, project, migrated, seen):
    start(node, project, migrated)
    node.call("record", ends_of(0, seen))
    until(lambda: len(stored(migrated)) == seen)
    node.call("record", ends_of(seen))
    node.kill9()
    report = deliver(spool_of(project), migrated)
    assert (report.segments_closed, report.segments_left) == (1, 0)
    assert stored(migrated) == named(seen + BATCH)
    assert rows(migrated, "SELECT status FROM crossbridge.runs") == [("interrupted",)]


def test_two_readers_of_one_segment_do_no_harm(node, project, migrated):
    start(node, project, migrated, flush_interval="0.01")
    for number in range(20):
        node.call("record", ends_of(number * BATCH))
        deliver(spool_of(project), migrated)
    node.call("shutdown", "passed")
    deliver(spool_of(project), migrated)
    assert stored(migrated) == named(20 * BATCH)
    assert segment_paths(spool_of(project)) == []


def test_a_line_the_database_refuses_is_set_aside_and_its_neighbours_are_stored(node, project, migrated):
    run_id = start(node, project, migrated, flush_interval="60")
    events = ends_of(0)
    events[7]["status"] = "unheard of"
    events[31]["duration_us"] = 1 << 60
    node.call("record", events)
    assert node.call("shutdown", "passed") is True
    assert stored(migrated) == [name for name in named(BATCH) if name not in {"t7", "t31"}]
    assert rows(migrated, "SELECT status, events_dropped FROM crossbridge.runs") == [("passed", 2)]
    spool = spool_of(project)
    (path,) = (spool / "rejected").iterdir()
    kept = [json.loads(line) for line in path.read_text().splitlines()]
    assert [json.loads(each["line"])["test_id"] for each in kept] == ["t7", "t31"]
    assert all(each["reason"] for each in kept)
    ack = json.loads((spool / run_id / path.with_suffix(".ack").name).read_text())
    assert (ack["events"], ack["dropped"], ack["closed"]) == (BATCH - 2, 2, True)
    assert SetAside(spool, path.stem).count_before(1 << 30) == 2  # as our own reader has it


def test_a_batch_is_sent_before_the_interval_is_over(node, project, migrated):
    start(node, project, migrated, flush_interval="60", batch_size=BATCH)
    node.call("record", ends_of(0))
    until(lambda: stored(migrated) == named(BATCH))


def test_without_the_driver_all_is_left_for_ingest(node, tmp_path, migrated):
    start(node, tmp_path, migrated)
    node.call("record", ends_of(0))
    assert node.call("shutdown", "failed") is False
    assert deliver(spool_of(tmp_path), migrated).delivered == BATCH
    assert stored(migrated) == named(BATCH)
    assert rows(migrated, "SELECT status FROM crossbridge.runs") == [("failed",)]


def test_a_database_without_the_schema_leaves_all_for_ingest(node, project, database):
    start(node, project, database)
    node.call("record", ends_of(0))
    assert node.call("shutdown", "passed") is False
    assert deliver(spool_of(project), database).delivered == BATCH
    assert stored(database) == named(BATCH)


def test_a_database_that_goes_and_comes_back_gets_everything_once(node, project, postgres_control):
    from crossbridge.database.migrate import migrate

    migrate(postgres_control.target)
    start(node, project, postgres_control.target, drain_timeout="20")
    node.call("record", ends_of(0))
    until(lambda: len(stored(postgres_control.target)) == BATCH)
    postgres_control.kill9()
    node.call("record", ends_of(BATCH))
    postgres_control.start()
    assert node.call("shutdown", "passed") is True
    assert stored(postgres_control.target) == named(2 * BATCH)


def test_nobody_answers_and_the_process_still_ends_by_itself(node, project, postgres_control):
    target = postgres_control.target
    postgres_control.stop("immediate")
    start(node, project, target, drain_timeout="0.1")
    node.call("record", ends_of(0))
    assert node.call("shutdown", "passed") is False
    assert node.end() == 0
    assert len(segment_paths(spool_of(project))) == 1


def test_a_run_that_is_never_shut_down_does_not_keep_the_process_alive(node, project, migrated):
    start(node, project, migrated)
    node.call("record", ends_of(0))
    until(lambda: len(stored(migrated)) == BATCH)  # connected by now
    assert node.end() == 0


def test_no_listener_is_added_to_the_process(node, project, migrated):
    before = node.call("listeners")
    start(node, project, migrated)
    node.call("record", ends_of(0))
    until(lambda: len(stored(migrated)) == BATCH)
    assert node.call("listeners") == before
