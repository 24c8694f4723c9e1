from __future__ import annotations

import json
import os

import pytest

from crossbridge.profiling import progress as module
from crossbridge.profiling.progress import RunProgress, is_delivered, run_progress, shipper_state
from support.segments import append, new_writer, segment_paths


@pytest.fixture
def writers(tmp_path):
    run_id = "0190a4be-1111-7000-8000-000000000001"
    return lambda n: [new_writer(tmp_path, run_id=run_id) for _ in range(n)]


def acknowledge(path, **values):
    path.with_suffix(".ack").write_text(json.dumps(values))


def folder_of(spool):
    return str(segment_paths(spool)[0].parent)


def test_events_are_counted_over_all_processes_of_a_run(tmp_path, writers):
    one, two, three = writers(3)
    for writer in (one, two, three):
        for number in range(10):
            append(writer, number)
    two.drop()
    three.close("passed")
    folder = folder_of(tmp_path)
    assert run_progress(folder) == RunProgress(0, 30, 1, 3)
    first = tmp_path / folder / f"{one.writer}.jsonl"
    offset = len(b"".join(first.read_bytes().splitlines(keepends=True)[:5]))
    acknowledge(first, offset=offset, events=4)
    assert run_progress(folder) == RunProgress(4, 26, 1, 3)
    last = tmp_path / folder / f"{three.writer}.jsonl"
    acknowledge(last, offset=last.stat().st_size, events=10, closed=True)
    assert run_progress(folder) == RunProgress(14, 16, 1, 2)
    last.unlink()
    assert run_progress(folder) == RunProgress(14, 16, 1, 2)
    acknowledge(tmp_path / folder / f"{two.writer}.jsonl", offset=0, dropped=3)
    assert run_progress(folder) == RunProgress(14, 16, 3, 2)


def test_bookkeeping_empty_lines_and_a_torn_line_are_no_events(tmp_path, writers):
    (writer,) = writers(1)
    append(writer, 1)
    path = segment_paths(tmp_path)[0]
    with path.open("ab") as file:
        file.write(
            b'\n{"type":"dropped","at_us":1,"count":2}\n{"type":"test_end"}\n{"type":"segment_end"}\n{"type":"to'
        )
    folder = folder_of(tmp_path)
    assert run_progress(folder) == RunProgress(0, 2, 0, 1)
    end = path.read_bytes().index(b'{"type":"segment_end"')
    acknowledge(path, offset=end, events=2)
    assert run_progress(folder) == RunProgress(2, 0, 0, 1)


def test_a_long_segment_is_counted_in_pieces(tmp_path, writers, monkeypatch):
    (writer,) = writers(1)
    for number in range(100):
        append(writer, number, size=60 + number)
    writer.close(None)
    folder = folder_of(tmp_path)
    for chunk in (1, 7, 64, 1000, 1 << 20):
        monkeypatch.setattr(module, "_CHUNK_BYTES", chunk)
        assert run_progress(folder) == RunProgress(0, 100, 0, 1)


def test_delivered_is_what_has_no_byte_left(tmp_path, writers):
    one, _two = writers(2)
    append(one)
    folder = folder_of(tmp_path)
    first, second = segment_paths(tmp_path)
    assert not is_delivered(folder)
    acknowledge(first, offset=first.stat().st_size)
    assert not is_delivered(folder)
    acknowledge(second, offset=second.stat().st_size)
    assert is_delivered(folder)
    with first.open("ab") as file:
        file.write(b"x")
    assert not is_delivered(folder)
    first.unlink()
    assert is_delivered(folder)
    second.unlink()
    second.symlink_to("nowhere")
    assert is_delivered(folder)


def test_a_run_without_a_folder_has_nothing_to_deliver(tmp_path):
    assert is_delivered(str(tmp_path / "nowhere"))
    assert run_progress(str(tmp_path / "nowhere")) == RunProgress(0, 0, 0, 0)


def test_the_shippers_state(tmp_path):
    assert (shipper_state(str(tmp_path)).state, shipper_state(str(tmp_path)).alive) == (None, False)
    told = {
        "pid": os.getpid(),
        "backend": "postgres",
        "target": "db:5432/x",
        "state": "retrying",
        "error": "no",
        "at_us": 5,
    }
    (tmp_path / "shipper.json").write_text(json.dumps(told))
    state = shipper_state(str(tmp_path))
    assert (state.state, state.error, state.target, state.at_us, state.alive) == (
        "retrying",
        "no",
        "db:5432/x",
        5,
        True,
    )
    (tmp_path / "shipper.json").write_text(json.dumps(told | {"pid": 1 << 22}))
    assert not shipper_state(str(tmp_path)).alive


@pytest.mark.parametrize(
    ("pid", "alive"), [(1, True), (0, False), (-1, False), (1 << 22, False), (1 << 70, False)]
)
def test_a_shipper_lives_when_its_process_does(tmp_path, pid, alive):
    (tmp_path / "shipper.json").write_text(json.dumps({"pid": pid, "state": "delivering"}))
    assert shipper_state(str(tmp_path)).alive is alive


def test_another_users_shipper_lives_too(tmp_path, monkeypatch):
    def refuse(_pid: int, _signal: int) -> None:
        raise PermissionError(1, "not permitted")

    monkeypatch.setattr(module.Real, "kill", refuse)
    (tmp_path / "shipper.json").write_text('{"pid": 1, "state": "delivering"}')
    assert shipper_state(str(tmp_path)).alive
