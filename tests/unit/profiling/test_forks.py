"""A forked child writes segments of its own. Each test forks in a process of its own, not in pytest's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.children import run_in_child
from support.segments import numbers, read_events, segment_paths

if TYPE_CHECKING:
    from pathlib import Path


def headers_by_number(spool: Path) -> dict[int, dict]:
    """The header of the segment in which each numbered event lies."""
    segments = [read_events(path) for path in segment_paths(spool)]
    return {event["number"]: segment[0] for segment in segments for event in segment if "number" in event}


FORK = """
def in_fork(function):
    pid = os.fork()
    if pid == 0:
        try:
            function()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0

writer = new_writer(spool)
append(writer, 0)
"""


def test_a_forked_child_writes_a_segment_of_its_own(tmp_path):
    run_in_child(
        FORK
        + """
number = writer._file.fd
def child():
    append(writer, 1)
    append(writer, 2)
    assert (writer.collected, writer.dropped, len(writer.segment_ids)) == (2, 0, 1)
in_fork(child)
append(writer, 3)
assert writer.collected == 2
writer.close("passed")
""",
        tmp_path,
    )
    headers = headers_by_number(tmp_path)
    assert sorted(headers) == numbers(tmp_path) == [0, 1, 2, 3]
    parent, child = headers[0], headers[1]
    assert headers[3] == parent
    assert headers[2] == child
    assert child["parent"] == parent["writer"]
    assert (child["role"], parent["role"]) == ("child", "main")
    assert child["writer"] == child["segment_id"] != parent["writer"]
    assert child["run_id"] == parent["run_id"]
    assert child["pid"] != parent["pid"]
    assert child["seq"] == 0


def test_nested_forks_name_the_process_they_were_forked_from(tmp_path):
    run_in_child(
        FORK
        + """
def child():
    append(writer, 1)
    in_fork(lambda: append(writer, 2))
    append(writer, 3)
def silent_child():
    in_fork(lambda: append(writer, 4))
in_fork(child)
in_fork(silent_child)
""",
        tmp_path,
    )
    headers = headers_by_number(tmp_path)
    assert sorted(headers) == numbers(tmp_path) == [0, 1, 2, 3, 4]
    assert headers[2]["parent"] == headers[1]["writer"]
    assert headers[1] == headers[3]
    # One that has recorded nothing has no segment: its child answers to the nearest that has.
    assert headers[4]["parent"] == headers[0]["writer"]


def test_a_child_that_records_nothing_leaves_no_trace_and_closes_nothing(tmp_path):
    run_in_child(
        FORK
        + """
def child():
    assert writer.close("failed") is False
in_fork(child)
append(writer, 1)
writer.close("passed")
""",
        tmp_path,
    )
    (path,) = segment_paths(tmp_path)
    assert [event.get("status") for event in read_events(path) if event["type"] == "segment_end"] == [
        "passed"
    ]
    assert numbers(tmp_path) == [0, 1]


def test_a_child_counts_what_it_drops_in_its_own_header(tmp_path):
    run_in_child(FORK + "in_fork(writer.drop)\nassert (writer.collected, writer.dropped) == (1, 0)", tmp_path)
    dropped = {header["role"]: header["dropped"] for header, *_ in map(read_events, segment_paths(tmp_path))}
    assert dropped == {"main": 0, "child": 1}


def test_a_child_leaves_the_parents_broken_off_line_alone(tmp_path):
    run_in_child(
        FORK
        + """
writer._rest = b"the parent's to complete"
in_fork(lambda: append(writer, 1))
writer._rest = b""
""",
        tmp_path,
    )
    assert numbers(tmp_path) == [0, 1]


def test_a_fork_while_another_thread_is_in_the_slow_part_does_not_block_the_child(tmp_path):
    run_in_child(
        FORK
        + """
from crossbridge.profiling.segment import slow_lock
held, done = threading.Event(), threading.Event()
def hold():
    with slow_lock():
        held.set()
        done.wait(30)
threading.Thread(target=hold).start()
held.wait()
signal.alarm(20)
import warnings
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # 3.12: the fork of a process with threads
    in_fork(lambda: append(writer, 1))
done.set()
""",
        tmp_path,
    )
    assert numbers(tmp_path) == [0, 1]


def test_a_fork_in_the_midst_of_an_append_by_a_signal_handler(tmp_path):
    printed = run_in_child(
        FORK
        + """
forks = 0
def record_in_child(*_):
    global forks
    forks += 1
    in_fork(lambda: append(writer, 10_000_000 + forks))
    signal.setitimer(signal.ITIMER_REAL, 0.001)
signal.signal(signal.SIGALRM, record_in_child)
signal.setitimer(signal.ITIMER_REAL, 0.001)
n = 0
while forks < 30:
    n += 1
    append(writer, n)
signal.setitimer(signal.ITIMER_REAL, 0)
print(n)
""",
        tmp_path,
    )
    assert numbers(tmp_path) == [*range(int(printed) + 1), *range(10_000_001, 10_000_031)]


def test_what_a_child_executes_holds_no_descriptor_of_ours(tmp_path):
    run_in_child(
        FORK
        + """
def child():
    os.execv(sys.executable, [sys.executable, "-c", f"import os; os.fstat({writer._file.fd})"])
pid = os.fork()
if pid == 0:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    child()
assert os.waitpid(pid, 0)[1] != 0
append(writer, 1)
""",
        tmp_path,
    )
    assert numbers(tmp_path) == [0, 1]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(tmp_path, method):
    # The children of spawn and forkserver are new interpreters: what is pickled there is no writer.
    run_in_child(
        """
import multiprocessing
from crossbridge.profiling.context import Active
def child(number):
    if Active.collector is not None:
        append(Active.collector._segment, number)
if __name__ == "__main__":
    with collecting(spool) as collector:
        append(collector._segment, 0)
        context = multiprocessing.get_context(METHOD)
        processes = [context.Process(target=print if METHOD != "fork" else child, args=[n]) for n in (1, 2)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
            assert process.exitcode == 0
        append(collector._segment, 3)
""".replace("METHOD", repr(method)),
        tmp_path,
    )
    headers = headers_by_number(tmp_path)
    assert sorted(headers) == numbers(tmp_path) == ([0, 1, 2, 3] if method == "fork" else [0, 3])
    assert len(segment_paths(tmp_path)) == (3 if method == "fork" else 1)
