from __future__ import annotations

import gc
import json
import sys
import threading
from itertools import count

import pytest

import crossbridge
from crossbridge.errors import ConfigError
from crossbridge.profiling import collector as module
from crossbridge.profiling import dispatch, guard
from crossbridge.profiling.collector import MetricsCollector
from crossbridge.profiling.context import Active
from crossbridge.profiling.models import PerformanceEvent, ProfileConfig, StorageBackendType
from crossbridge.profiling.real import now_us
from support.segments import collecting, only_segment, read_events, read_spool, segment_paths


@pytest.fixture(autouse=True)
def _no_instance(monkeypatch):
    monkeypatch.setattr(MetricsCollector, "_instance", None)
    monkeypatch.setattr(guard.Faults, "first", None)
    monkeypatch.setattr(guard.Faults, "number", 0)
    monkeypatch.setattr(guard.Faults, "_count", count())
    yield
    assert Active.collector is None


@pytest.fixture
def config(tmp_path):
    return ProfileConfig(enabled=True, backend=StorageBackendType.NONE, project_root=tmp_path)


# What is recorded


def test_a_test_with_steps_calls_and_commands(tmp_path):
    before = now_us()
    with collecting(tmp_path) as collector:
        assert collector.record_test_start("t::a", "pytest", attempt=2, suite="t", file="t.py", worker="gw0")
        assert collector.record_step_start("t::a", "log in", event_type="keyword")
        assert collector.record_http_call("db/users/{id}", "GET", 200, 1500)
        assert collector.record_driver_command("click", 700, target="css selector", retry_count=1)
        assert collector.record_step_end("t::a", "log in", status="failed")
        assert collector.record_test_end(
            "t::a",
            status="failed",
            attempt=2,
            setup_us=1,
            teardown_us=2,
            error_type="ValueError",
            error_message="no",
        )
    start, step_start, call, command, step_end, end = read_spool(tmp_path)
    assert start == {
        "type": "test_start",
        "at_us": start["at_us"],
        "test_id": "t::a",
        "attempt": 2,
        "suite": "t",
        "file": "t.py",
        "framework": "pytest",
        "worker": "gw0",
    }
    assert (step_start["type"], step_start["step_name"], step_start["step_index"]) == (
        "step_start",
        "log in",
        0,
    )
    assert (call["endpoint"], call["method"], call["status_code"]) == ("db/users/{id}", "GET", 200)
    assert (command["command"], command["target"], command["retry_count"]) == ("click", "css selector", 1)
    assert (step_end["status"], step_end["event_type"], step_end["step_index"]) == ("failed", "keyword", 0)
    assert {event["test_id"] for event in (call, command, step_start, step_end)} == {"t::a"}
    assert {event["attempt"] for event in (call, command, step_start, step_end)} == {2}
    assert end["duration_us"] == end["at_us"] - start["at_us"]
    assert step_end["duration_us"] == step_end["at_us"] - step_start["at_us"]
    assert (end["setup_us"], end["teardown_us"], end["error_type"]) == (1, 2, "ValueError")
    assert end["framework"] == "pytest"
    times = [event["at_us"] for event in (start, step_start, call, command, step_end, end)]
    assert before <= times[0]
    assert times == sorted(times)
    assert times[-1] <= now_us()


@pytest.mark.parametrize(
    ("given", "recorded"),
    [
        ({"duration_ms": 1.2345}, 1234),
        ({"duration_us": 7}, 7),
        ({"duration_ms": 0}, 0),
        ({"duration_us": 0}, 0),
    ],
)
def test_a_duration_that_is_given_is_the_one_recorded(tmp_path, given, recorded):
    with collecting(tmp_path) as collector:
        collector.record_test_start("a")
        collector.record_test_end("a", **given)
        collector.record_test_start("a")
        collector.record_step_start("a", "s")
        collector.record_step_end("a", "s", **given)
    durations = [event["duration_us"] for event in read_spool(tmp_path) if event["type"].endswith("_end")]
    assert durations == [recorded, recorded]


def test_the_end_of_a_test_that_never_began_is_recorded_all_the_same(tmp_path):
    with collecting(tmp_path) as collector:
        assert collector.record_test_end("a", "behave", 5, "skipped")
    (end,) = read_spool(tmp_path)
    assert (end["duration_us"], end["status"], end["framework"]) == (5000, "skipped", "behave")


def test_calls_outside_a_test_belong_to_none(tmp_path):
    with collecting(tmp_path) as collector:
        assert collector.record_http_call("h/", "GET", None, 1, error="refused")
        assert collector.record_driver_command("get", 1)
        assert not collector.record_step_start("a", "step")
        assert not collector.record_step_end("a", "step")
    assert ["test_id" in event for event in read_spool(tmp_path)] == [False, False]


def test_a_step_ends_as_the_innermost_of_its_name(tmp_path):
    with collecting(tmp_path) as collector:
        collector.record_test_start("a")
        for name in ("outer", "same", "same"):
            collector.record_step_start("a", name)
        for name in ("same", "outer"):
            assert collector.record_step_end("a", name)
        assert not collector.record_step_end("a", "outer")
        assert collector.record_step_end("a", "same")
        assert not collector.record_step_end("a", "same")
        assert not collector.record_step_end("b", "outer")
        assert not collector.record_step_start("b", "another test's")
    ends = [
        (event["step_name"], event["step_index"], event.get("depth", 0))
        for event in read_spool(tmp_path)
        if event["type"] == "step_end"
    ]
    assert ends == [("same", 2, 2), ("outer", 0, 0), ("same", 1, 1)]


def test_an_event_with_a_time_of_its_own_keeps_it(tmp_path):
    with collecting(tmp_path) as collector:
        collector.collect(PerformanceEvent("system_metric", 1_700_000_000_000_000, cpu_percent=1.5))
    assert read_spool(tmp_path)[0]["at_us"] == 1_700_000_000_000_000


def test_recording_from_threads_counts_exactly_and_keeps_lines_whole(tmp_path):
    with collecting(tmp_path) as collector:
        collector.record_test_start("a")

        def record() -> None:
            for number in range(500):
                assert collector.record_http_call("h/", "GET", number, number, error="x" * (number * 7))

        threads = [threading.Thread(target=record) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert collector.get_stats()["collected"] == 2001
    calls = [event["status_code"] for event in read_spool(tmp_path) if event["type"] == "http_call"]
    assert sorted(calls) == sorted(list(range(500)) * 4)


def test_recording_leaves_nothing_behind_in_memory(tmp_path):
    with collecting(tmp_path) as collector:
        collector.record_test_start("a")

        def record() -> None:
            for _ in range(1000):
                with crossbridge.step("s"):
                    collector.record_http_call("h/", "GET", 200, 1)
                collector.record_http_call("h/\0", "GET", 200, 1, error="x" * 2000)

        record()
        gc.collect()
        gc.disable()
        objects, blocks = len(gc.get_objects()), sys.getallocatedblocks()
        record()
        objects, blocks = len(gc.get_objects()) - objects, sys.getallocatedblocks() - blocks
        gc.enable()
    assert objects < 500  # of 2,000 events
    assert blocks < 500


# What cannot be recorded


class Hostile:
    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize("also", [{}, {"suite": "\ud800"}, {"suite": "x" * 2000}])
def test_what_cannot_be_encoded_is_dropped_and_counted(tmp_path, also):
    with collecting(tmp_path) as collector:
        assert not collector.collect(PerformanceEvent("test_end", test_id=Hostile(), **also))
        stats = collector.get_stats()
        assert (stats["collected"], stats["dropped"], stats["spooled"]) == (1, 1, 0)
        assert (stats["faults"], stats["first_fault"]) == (1, "collect: RuntimeError: no text")
        assert collector.record_test_end("a")
    header = read_events(only_segment(tmp_path))[0]
    assert header["dropped"] == 1


def test_what_the_database_will_refuse_is_left_to_it(tmp_path):
    with collecting(tmp_path) as collector:
        assert collector.record_test_end("a", status="weird", duration_us=1 << 70)
    (end,) = read_spool(tmp_path)
    assert (end["status"], end["duration_us"]) == ("weird", 1 << 70)


def test_an_object_is_recorded_as_its_text(tmp_path):
    with collecting(tmp_path) as collector:
        assert collector.collect(
            PerformanceEvent("test_end", test_id=tmp_path, error_message=ValueError("why"))
        )
    (end,) = read_spool(tmp_path)
    assert (end["test_id"], end["error_message"]) == (str(tmp_path), "why")


# Begin and end


def test_while_off_nothing_is_recorded_or_made(tmp_path, config):
    collector = MetricsCollector.get_instance(config.replace(enabled=False))
    assert not collector.start()
    assert not collector.record_test_start("a")
    assert not collector.record_test_end("a")
    assert collector.shutdown()
    assert collector.get_stats()["collected"] == 0
    assert not collector.get_stats()["running"]
    assert list(tmp_path.iterdir()) == []


def test_each_start_wants_a_shutdown(tmp_path, config):
    collector = MetricsCollector.get_instance(config)
    assert collector.start(framework="pytest")
    assert collector.start(framework="another")
    assert collector.running
    collector.shutdown(status="failed")
    assert collector.running
    assert Active.collector is collector
    assert collector.record_test_end("a")
    collector.shutdown()
    assert not collector.running
    assert not collector.record_test_end("b")
    header, _event, end = read_events(only_segment(tmp_path))
    assert header["framework"] == "pytest"
    assert end["status"] == "failed"
    assert collector.shutdown()


def test_after_the_last_shutdown_a_start_begins_anew(tmp_path, config):
    collector = MetricsCollector.get_instance(config)
    for status in ("passed", "failed"):
        assert collector.start()
        assert collector.record_test_end("a")
        assert collector.get_stats()["collected"] == 1
        collector.shutdown(status=status)
    segments = [read_events(path) for path in segment_paths(tmp_path)]
    assert {events[0]["run_id"] for events in segments} == {collector.run_id}
    assert len({events[0]["writer"] for events in segments}) == 2
    assert sorted(events[-1]["status"] for events in segments) == ["failed", "passed"]


def test_the_instance_is_one_while_it_runs(tmp_path, config):
    collector = MetricsCollector.get_instance(config)
    assert MetricsCollector.get_instance() is collector
    collector.start()
    assert MetricsCollector.get_instance(config.replace(environment="other")) is collector
    collector.shutdown()
    assert MetricsCollector.get_instance() is collector
    other = MetricsCollector.get_instance(config.replace(environment="other"))
    assert other is not collector
    assert other.config.environment == "other"


def test_without_a_config_the_settings_are_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(
        "CROSSBRIDGE_PROFILING=on\nCROSSBRIDGE_RUN_ID=0190A4BE11117000800000000000000A\n"
    )
    collector = MetricsCollector.get_instance()
    assert collector.config.enabled
    assert collector.run_id == "0190a4be-1111-7000-8000-00000000000a"


def test_a_wrong_setting_made_in_code_is_told_in_one_line_and_nothing_is_recorded(tmp_path, config, capfd):
    collector = MetricsCollector.get_instance(config.replace(flush_interval_s=0))
    assert not collector.start()
    assert not collector.running
    assert capfd.readouterr().err == (
        "crossbridge: profiling is off for this run: CROSSBRIDGE_FLUSH_INTERVAL must be a number of seconds "
        "from 0.01 to 60, got '0'. Unset it to use the default.\n"
    )


def test_a_fault_at_the_start_leaves_profiling_off(config, monkeypatch):
    monkeypatch.setattr(module, "run_info", lambda *_: 1 / 0)
    collector = MetricsCollector.get_instance(config)
    assert not collector.start()
    assert guard.Faults.first == "start: ZeroDivisionError: division by zero"
    assert Active.collector is None


def test_a_bad_spool_path_drops_and_counts(tmp_path, config):
    (tmp_path / "file").write_text("")
    collector = MetricsCollector.get_instance(config.replace(spool_dir=tmp_path / "file" / "spool"))
    assert collector.start()
    assert not collector.record_test_end("a")
    stats = collector.get_stats()
    assert (stats["collected"], stats["written"], stats["spooled"], stats["dropped"]) == (1, 0, 0, 1)
    collector.shutdown(status="passed")
    assert (tmp_path / "file").read_text() == ""


def test_a_child_names_its_parent_and_starts_no_shipper(tmp_path, config, monkeypatch):
    monkeypatch.setattr(dispatch, "start_shipper", lambda *_: pytest.fail("started"))
    collector = MetricsCollector.get_instance(config.replace(backend=StorageBackendType.LOCAL))
    parent = "0190a4be-1111-7000-8000-00000000000a"
    collector.start(parent=parent, worker="gw0")
    tell(collector)
    monkeypatch.setattr(dispatch.Real, "sleep", lambda _s: pytest.fail("waited"))
    assert not collector.shutdown(status=None)
    header, end = read_events(only_segment(tmp_path))
    assert (header["parent"], header["role"], header["worker"]) == (parent, "child", "gw0")
    assert end["status"] is None


# Delivery, as far as the collector sees it


def tell(collector, *, state="delivering", error=None, at_us=None):
    path = collector.config.spool_path / "shipper.json"
    told = {"pid": 1, "state": state, "error": error, "at_us": at_us or now_us(), "target": "db:5432/x"}
    path.write_text(json.dumps(told))


def acknowledge(path, **values):
    path.with_suffix(".ack").write_text(json.dumps(values))


def test_the_counts_add_up(tmp_path, config):
    collector = MetricsCollector.get_instance(config)
    collector.start()
    for _ in range(5):
        collector.record_test_end("a")
    collector.collect(PerformanceEvent("test_end", test_id=Hostile()))

    def counts():
        stats = collector.get_stats()
        assert stats["collected"] == stats["written"] + stats["spooled"] + stats["dropped"]
        return stats["written"], stats["spooled"], stats["dropped"]

    assert counts() == (0, 5, 1)
    path = only_segment(tmp_path)
    acknowledge(path, offset=900, events=2, dropped=1, closed=False)
    assert counts() == (2, 3, 1)
    acknowledge(path, offset=1500, events=4, dropped=2, closed=False)  # one was set aside
    assert counts() == (4, 0, 2)
    collector.shutdown()
    acknowledge(path, offset=path.stat().st_size, events=4, dropped=2, closed=True)
    path.unlink()
    assert counts() == (4, 0, 2)


@pytest.mark.parametrize("garbage", ["", "{", "[]", "null", '{"offset": "x"}', '{"offset": 1e400}', "\0"])
def test_garbage_beside_the_segment_means_nothing(tmp_path, config, garbage):
    collector = MetricsCollector.get_instance(config)
    collector.start()
    collector.record_test_end("a")
    only_segment(tmp_path).with_suffix(".ack").write_text(garbage)
    (config.spool_path / "shipper.json").write_text(garbage)
    assert collector.get_stats()["spooled"] == 1
    assert collector.shipper.state is None
    assert not collector.shipper.alive
    collector.shutdown()


def test_flush_asks_the_shipper_and_waits_until_all_is_acknowledged(tmp_path, config, monkeypatch):
    monkeypatch.setattr(dispatch, "start_shipper", lambda *_: True)
    collector = MetricsCollector.get_instance(config.replace(backend=StorageBackendType.LOCAL))
    collector.start()
    collector.record_test_end("a")
    tell(collector)
    path = only_segment(tmp_path)
    looks = []

    def deliver(_seconds):
        looks.append(0)
        if len(looks) == 3:
            acknowledge(path, offset=path.stat().st_size, events=1)

    monkeypatch.setattr(dispatch.Real, "sleep", deliver)
    assert collector.flush(timeout_s=30)
    assert len(looks) == 3
    assert (config.spool_path / "shipper.flush").exists()
    assert (
        collector.shutdown() is False
    )  # segment_end is not acknowledged, and the shipper is not asked for long


@pytest.mark.parametrize(
    ("backend", "spawned", "state", "waits"),
    [
        ("none", True, None, False),
        ("local", True, None, True),  # it has only just been started
        ("local", False, None, False),  # it could not be started
        ("local", True, "delivering", True),
        ("local", False, "retrying", True),  # another one is at work
        ("local", False, "ended", False),
    ],
)
def test_only_a_shipper_that_may_deliver_is_waited_for(config, monkeypatch, backend, spawned, state, waits):
    monkeypatch.setattr(dispatch, "start_shipper", lambda *_: spawned)
    collector = MetricsCollector.get_instance(config.replace(backend=backend))
    collector.start()
    collector.record_test_end("a")
    if state:
        tell(collector, state=state)
    waited = []
    monkeypatch.setattr(dispatch.Real, "sleep", waited.append)
    assert not collector.flush(timeout_s=0.05)
    assert bool(waited) is waits
    collector.shutdown(timeout_s=0)


def test_a_shipper_that_has_died_is_started_again_at_the_end(config, monkeypatch):
    started = []
    monkeypatch.setattr(dispatch, "start_shipper", lambda *_: started.append(1) or True)
    collector = MetricsCollector.get_instance(config.replace(backend=StorageBackendType.LOCAL))
    collector.start()
    collector.record_test_end("a")
    (config.spool_path / "shipper.json").write_text('{"pid": 4194304, "state": "delivering", "at_us": 1}')
    collector.shutdown(timeout_s=0)
    assert len(started) == 2


def test_a_shipper_whose_word_was_removed_is_started_again_when_it_has_been_silent_for_long(
    config, monkeypatch
):
    started = []
    monkeypatch.setattr(dispatch, "start_shipper", lambda *_: started.append(1) or True)
    collector = MetricsCollector.get_instance(config.replace(backend=StorageBackendType.LOCAL))
    for limit_us, starts in ((60_000_000, 1), (0, 3)):
        monkeypatch.setattr(dispatch, "SILENCE_LIMIT_US", limit_us)
        collector.start()
        collector.record_test_end("a")
        collector.shutdown(timeout_s=0)
        assert len(started) == starts


def test_settings_that_cannot_be_read_raise_what_is_meant_for_people(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CROSSBRIDGE_DB_PORT", "x")
    with pytest.raises(ConfigError, match="CROSSBRIDGE_DB_PORT must be a whole number"):
        MetricsCollector.get_instance()
