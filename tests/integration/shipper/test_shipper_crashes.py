"""Shippers killed at any point, several at once, writers that die: each event is stored once."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import textwrap
import time
from collections import Counter
from pathlib import Path

from crossbridge.profiling.spool import find_segments
from support.cli import run_cli, start_cli
from support.segment_file import SegmentFile, gone, start_ticks
from support.shipping import (
    ShipperProcess,
    rejected_lines,
    rows,
    shipper,
    shipper_environment,
    stored_tests,
    value,
    wait_until,
)

KILLS = 50
TESTS = str(Path(__file__).parents[2])

# A test process: records tests until its standard input ends, with a bad line now and then.
WRITER = """
import sys, select, time
sys.path.insert(0, {tests!r})
from pathlib import Path
from support.segment_file import SegmentFile
segment = SegmentFile(Path({spool!r}))
number = 0
while not select.select([sys.stdin], [], [], 0.001)[0]:
    segment.test(f"a::{{number}}")
    number += 1
    if number % 97 == 0:
        segment.raw(b'{{"type":"test_end","test_id":"bad","status":"unheard of"}}\\n')
        segment = segment.rotate() if number % 485 == 0 else segment
segment.end()
print(number, flush=True)
"""


def start_writer(spool: Path, program: str = WRITER) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program).format(tests=TESTS, spool=str(spool))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_each_event_is_stored_once_however_often_the_shipper_is_killed(spool, migrated):
    """Killed at 50 random moments between its start and some batches later; a random seed, named when it fails."""
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    writer = start_writer(spool)
    wait_until(spool.exists, "the writer began")
    for _ in range(KILLS):
        process = ShipperProcess(spool, migrated, flush_interval=0.01, batch_size=20)
        if chance.random() < 0.8:  # most of them once they are at it
            wait_until(lambda process=process: _is_at_it(process), "the shipper began")
        time.sleep(chance.uniform(0, 0.15))
        process.kill9()
    recorded = int(writer.communicate("enough\n")[0])
    done = run_cli("ingest", "--json", env=shipper_environment(spool, migrated), cwd=spool.parent)
    assert done.returncode == 0, done.stderr
    tests = rows(migrated, "SELECT test_id FROM crossbridge.tests")
    assert Counter(test for (test,) in tests) == Counter(f"a::{n}" for n in range(recorded)), f"seed {seed}"
    assert len(rejected_lines(spool)) == recorded // 97
    assert rows(migrated, "SELECT status, events_written, events_dropped FROM crossbridge.runs") == [
        ("passed", 2 * recorded, recorded // 97)
    ]
    assert not find_segments([spool])


def test_several_at_once_store_each_event_once(spool, migrated):
    """Two shippers that know nothing of each other (the lock's file is removed), and two ingests."""
    writer = start_writer(spool)
    wait_until(spool.exists, "the writer began")
    environment = shipper_environment(spool, migrated)
    settings = {"flush_interval": 0.01, "batch_size": 7}
    with shipper(spool, migrated, **settings) as first:
        wait_until(lambda: _is_at_it(first), "the first shipper began")
        (spool / "shipper.lock").unlink()
        with shipper(spool, migrated, **settings) as second:
            wait_until(lambda: _is_at_it(second), "the second shipper began")
            for _ in range(3):
                ingests = [start_cli("ingest", env=environment, cwd=spool.parent) for _ in range(2)]
                for ingest in ingests:
                    _, errors = ingest.communicate()
                    assert ingest.returncode == 0, errors
            recorded = int(writer.communicate("enough\n")[0])
            assert first.wait() == second.wait() == 0
    assert stored_tests(migrated) == dict.fromkeys((f"a::{n}" for n in range(recorded)), "passed")
    assert value(migrated, "SELECT events_written FROM crossbridge.runs") == 2 * recorded
    assert value(migrated, "SELECT events_dropped FROM crossbridge.runs") == recorded // 97


def test_the_lock_ends_with_the_process_that_held_it(spool, migrated):
    segment = SegmentFile(spool)
    with shipper(spool, migrated) as first:
        wait_until(lambda: _is_at_it(first), "the first shipper began")
        with shipper(spool, migrated) as second:
            assert second.wait() == 0  # somebody is there already
        assert first.returncode is None
        first.kill9()
        with shipper(spool, migrated) as third:
            segment.test("a::one")
            segment.end()
            third.wait()
    assert stored_tests(migrated) == {"a::one": "passed"}


def test_the_test_a_killed_process_was_running_is_stored_as_interrupted(spool, migrated):
    program = """
        import sys
        sys.path.insert(0, {tests!r})
        from pathlib import Path
        from support.segment_file import SegmentFile
        segment = SegmentFile(Path({spool!r}))
        segment.test("a::finished")
        segment.event("test_start", test_id="a::running")
        segment.event("step_start", test_id="a::running", step_name="press the button")
        segment.raw(b'{{"type":"test_end","test_id":"a::run')
        print("there", flush=True)
        input()
    """
    writer = start_writer(spool, program)
    writer.stdout.readline()
    with shipper(spool, migrated, flush_interval=0.1) as process:
        wait_until(lambda: stored_tests(migrated), "the finished test stored")
        killed_s = time.time()
        writer.kill()
        process.wait()
    writer.communicate()
    assert stored_tests(migrated) == {"a::finished": "passed", "a::running": "interrupted"}
    assert rows(migrated, "SELECT status, events_dropped FROM crossbridge.runs") == [("interrupted", 1)]
    message, ended_s = rows(
        migrated,
        "SELECT error_message, extract(epoch FROM created_at)::float FROM crossbridge.tests WHERE status = 'interrupted'",
    )[0]
    assert "press the button" in message
    assert killed_s - 0.1 < ended_s < killed_s + 3


def test_a_process_long_dead_is_taken_to_have_died_when_it_last_wrote(spool, migrated):
    segment = SegmentFile(spool, **gone())
    segment.event("test_start", test_id="a::running")
    hour_ago = time.time() - 3600
    os.utime(segment.path, (hour_ago, hour_ago))
    with shipper(spool, migrated) as process:
        process.wait()
    ended_s = value(migrated, "SELECT extract(epoch FROM ended_at)::float FROM crossbridge.runs")
    assert abs(ended_s - hour_ago) < 0.01


def test_a_zombie_counts_as_gone(spool, migrated):
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    segment = SegmentFile(spool, pid=child.pid, pid_start=start_ticks(child.pid))
    with shipper(spool, migrated) as process:
        wait_until(segment.ack_path.exists, "the header delivered")
        child.stdin.close()  # it ends, and nobody asks how
        process.wait()
    child.wait()
    assert rows(migrated, "SELECT status FROM crossbridge.runs") == [("interrupted",)]


def test_a_torn_last_line_is_left_alone_while_its_writer_lives(spool, migrated):
    segment = SegmentFile(spool)
    with shipper(spool, migrated, flush_interval=0.05) as process:
        line = json.dumps(
            {
                "type": "test_end",
                "at_us": time.time_ns() // 1000,
                "test_id": "a::one",
                "status": "passed",
                "duration_us": 1,
            }
        ).encode()
        segment.raw(line[:20])
        segment_bytes = segment.size - 20
        wait_until(lambda: _offset(segment) == segment_bytes, "the header delivered")
        segment.raw(line[20:] + b"\n")
        segment.end()
        process.wait()
    assert stored_tests(migrated) == {"a::one": "passed"}
    assert not (spool / "rejected").exists()


def test_a_writer_on_another_machine_lives_until_its_file_has_rested_ten_minutes(spool, migrated):
    elsewhere = {"host": "another-machine", "pid": 1, "pid_start": 1}
    alive, dead = SegmentFile(spool, **elsewhere), SegmentFile(spool, **elsewhere)
    for segment in (alive, dead):
        segment.event("test_start", test_id=segment.run_id)
    eleven_minutes_ago = time.time() - 660
    os.utime(dead.path, (eleven_minutes_ago, eleven_minutes_ago))
    with shipper(spool, migrated) as process:
        wait_until(lambda: not dead.path.exists(), "the dead one's segment closed")
        wait_until(lambda: value(migrated, "SELECT count(*) FROM crossbridge.runs") == 2, "both runs shown")
        assert process.returncode is None
        assert alive.path.exists()
    statuses = "SELECT status FROM crossbridge.runs WHERE run_id = %s"
    assert value(migrated, statuses, alive.run_id) == "running"
    assert value(migrated, statuses, dead.run_id) == "interrupted"


def test_a_segment_deleted_under_its_feet_is_forgotten(spool, migrated):
    doomed, other = SegmentFile(spool), SegmentFile(spool)
    with shipper(spool, migrated, flush_interval=0.1) as process:
        wait_until(lambda: value(migrated, "SELECT count(*) FROM crossbridge.runs") == 2, "both runs shown")
        doomed.path.unlink()
        other.test("a::one")
        other.end()
        assert process.wait() == 0
    assert stored_tests(migrated) == {"a::one": "passed"}


def test_a_spool_deleted_under_its_feet_ends_it(spool, migrated):
    segment = SegmentFile(spool)
    with shipper(spool, migrated) as process:
        wait_until(segment.ack_path.exists, "the header delivered")
        subprocess.run(["rm", "-rf", spool], check=True)
        assert process.wait() == 0


def test_an_ack_that_is_wrong_costs_nothing(spool, migrated):
    """As after a database was set back, or the settings name another one: only the database knows where it stands."""
    segment = SegmentFile(spool)
    segment.test("a::one")
    segment.end()
    segment.ack_path.write_text(
        json.dumps({"offset": segment.size, "events": 2, "dropped": 0, "closed": True})
    )
    with shipper(spool, migrated) as process:
        process.wait()
    assert stored_tests(migrated) == {"a::one": "passed"}


def test_a_run_that_begins_while_the_last_shipper_ends_is_served(spool, migrated):
    """Its own shipper finds the lock taken and leaves: the old one looks once more when it has let go."""
    program = """
        import sys
        sys.path.insert(0, {tests!r})
        from pathlib import Path
        from support.segment_file import SegmentFile
        from crossbridge.profiling import shipper
        def release(tenure, release=shipper.Tenure.release):
            if len(list(Path({spool!r}).glob("*-*"))) == 1:
                segment = SegmentFile(Path({spool!r}))
                segment.test("late::one")
                segment.end()
            release(tenure)
        shipper.Tenure.release = release
        shipper.main()
    """
    program = textwrap.dedent(program).format(tests=TESTS, spool=str(spool))
    SegmentFile(spool).end()
    with shipper(spool, migrated, program=program) as process:
        assert process.wait() == 0
    assert stored_tests(migrated) == {"late::one": "passed"}


def _is_at_it(process: ShipperProcess) -> bool:
    try:
        return json.loads((process.spool / "shipper.json").read_text())["pid"] == process.pid
    except FileNotFoundError:
        return False


def _offset(segment: SegmentFile) -> int | None:
    return json.loads(segment.ack_path.read_text())["offset"] if segment.ack_path.exists() else None
