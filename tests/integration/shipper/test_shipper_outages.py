"""A database that is away, refuses or breaks: nothing is lost or doubled, and the shipper says what is the matter."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from crossbridge.database.migrate import migrate
from support.segment_file import SegmentFile, gone
from support.shipping import read_status, shipper, stored_tests, value, wait_until

SECRET = "s3cret-f0r-tests"


class Recording:
    """Tests recorded at an even pace by a thread of this process, until `close`."""

    def __init__(self, segment: SegmentFile, pause_s: float = 0.002) -> None:
        self.segment = segment
        self.recorded = 0
        self._pause_s = pause_s
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._record)
        self._thread.start()

    def close(self) -> None:
        self._enough.set()
        self._thread.join()

    def _record(self) -> None:
        while not self._enough.wait(self._pause_s):
            self.segment.test(f"a::{self.recorded}")
            self.recorded += 1


def test_nothing_is_lost_or_doubled_when_the_server_is_stopped_for_ten_seconds(spool, postgres_control):
    migrate(postgres_control.target)
    segment = SegmentFile(spool)
    with shipper(spool, postgres_control.target, flush_interval=0.1) as process:
        with closing(Recording(segment)) as recording:
            wait_until(lambda: len(stored_tests(postgres_control.target)) > 20, "the first tests stored")
            postgres_control.stop()
            stopped_s = time.monotonic()
            status = process.wait_for_state("retrying")
            assert "unreachable" in status["error"] or "lost" in status["error"]
            wait_until(lambda: time.monotonic() - stopped_s > 10, "ten seconds", timeout_s=11)
            postgres_control.start()
            process.wait_for_state("delivering")
        segment.end()
        assert process.wait(30) == 0
    assert len(stored_tests(postgres_control.target)) == recording.recorded


def test_nothing_is_lost_or_doubled_when_the_server_is_killed(spool, postgres_control):
    migrate(postgres_control.target)
    segment = SegmentFile(spool)
    with shipper(spool, postgres_control.target, flush_interval=0.05, batch_size=5) as process:
        with closing(Recording(segment, pause_s=0.001)) as recording:
            for killed in range(1, 4):
                enough = killed * 50
                wait_until(lambda enough=enough: recording.recorded > enough, "more tests recorded")
                postgres_control.kill9()
                process.wait_for_state("retrying")
                postgres_control.start()
                process.wait_for_state("delivering")
        segment.end()
        assert process.wait(30) == 0
    assert len(stored_tests(postgres_control.target)) == recording.recorded
    assert (
        value(postgres_control.target, "SELECT events_written FROM crossbridge.runs")
        == 2 * recording.recorded
    )


def test_keeps_the_spool_and_says_why_when_the_server_was_never_there(spool, migrated):
    nobody = replace(migrated, host="127.0.0.1", port=1)
    segment = SegmentFile(spool)
    with shipper(spool, nobody) as process:
        segment.test("a::one")
        status = process.wait_for_state("retrying")
        assert "127.0.0.1:1" in status["error"]
        assert process.returncode is None  # the writer lives: the server may come up yet
    assert segment.path.exists()


def test_gives_up_a_server_that_stays_away_once_nobody_writes(spool, migrated):
    nobody = replace(migrated, host="127.0.0.1", port=1)
    segment = SegmentFile(spool, **gone())
    segment.test("a::one")
    impatient = "from crossbridge.profiling import storage, shipper; storage.PostgresBackend.patience_s = 1; shipper.main()"
    with shipper(spool, nobody, program=impatient) as process:
        process.wait()
    status = read_status(spool)
    assert status["state"] == "ended"
    assert "127.0.0.1:1" in status["error"]
    assert segment.path.exists()
    with shipper(spool, migrated) as process:
        process.wait()
    assert stored_tests(migrated) == {"a::one": "passed"}


def test_gives_up_a_wrong_password_at_once_when_nobody_writes_and_tells_it_to_nobody(spool, migrated):
    segment = SegmentFile(spool)
    segment.test("a::one")
    segment.end()
    with shipper(spool, replace(migrated, password=SECRET)) as process:
        command_line = _read(f"/proc/{process.pid}/cmdline")
        process.wait(10)
    status = read_status(spool)
    assert status["state"] == "ended"
    assert "password authentication failed" in status["error"]
    assert segment.path.exists()
    for text in (command_line, str(status), *(_read(path) for path in spool.glob("shipper.*"))):
        assert SECRET not in text


def test_a_flush_tries_at_once_what_is_seldom_tried(spool, migrated):
    """Whoever has mended a password and waits at the end of a run is not kept waiting for half a minute."""
    segment = SegmentFile(spool)
    with psycopg.connect(**migrated.parameters(), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE late_owner SUPERUSER LOGIN PASSWORD '{SECRET}'")
        try:
            with shipper(spool, replace(migrated, user="late_owner", password="mended")) as process:
                process.wait_for_state("retrying")
                connection.execute("ALTER ROLE late_owner PASSWORD 'mended'")
                (spool / "shipper.flush").touch()
                process.wait_for_state("delivering", timeout_s=10)
                segment.end()
                process.wait()
        finally:
            connection.execute("DROP ROLE late_owner")


def test_the_user_may_lack_the_right_to_make_the_schema(spool, database):
    with psycopg.connect(**database.parameters(), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE writer_only LOGIN PASSWORD '{SECRET}'")
        segment = SegmentFile(spool)
        segment.end()
        try:
            with shipper(spool, replace(database, user="writer_only", password=SECRET)) as process:
                process.wait()
        finally:
            connection.execute("DROP ROLE writer_only")
    assert "may not change the schema" in read_status(spool)["error"]
    assert segment.path.exists()


def test_a_read_only_database_is_waited_for_and_no_event_set_aside(spool, migrated):
    read_only = f'ALTER DATABASE "{migrated.dbname}" SET default_transaction_read_only = '
    maintenance = replace(migrated, dbname="postgres")
    execute(maintenance, read_only + "on")
    segment = SegmentFile(spool)
    with shipper(spool, migrated) as process:
        segment.test("a::one")
        assert "read-only" in process.wait_for_state("retrying")["error"]
        execute(maintenance, read_only + "off")
        process.wait_for_state("delivering")
        segment.end()
        process.wait()
    assert stored_tests(migrated) == {"a::one": "passed"}
    assert not (spool / "rejected").exists()


def test_a_database_made_anew_gets_the_schema_and_all_that_lies_in_the_spool(spool, migrated):
    segment = SegmentFile(spool)
    segment.test("a::one")
    with shipper(spool, migrated, flush_interval=0.1):
        wait_until(lambda: stored_tests(migrated), "the first test stored")
        execute(migrated, "DROP SCHEMA crossbridge CASCADE")
        segment.test("a::two")
        wait_until(
            lambda: value(migrated, "SELECT to_regclass('crossbridge.tests')"), "the schema made again"
        )
        wait_until(lambda: len(stored_tests(migrated)) == 2, "both tests stored")


def test_one_segment_that_cannot_be_stored_holds_up_no_other(spool, migrated):
    stuck, fine = SegmentFile(spool), SegmentFile(spool)
    execute(migrated, "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA crossbridge FROM PUBLIC")
    # A constraint of somebody's own, refused with an SQLSTATE that says nothing of the data.
    execute(
        migrated,
        f"""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.run_id = '{stuck.run_id}' THEN RAISE EXCEPTION 'not today'; END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON crossbridge.segments FOR EACH ROW EXECUTE FUNCTION refuse();
        """,
    )
    for segment in (stuck, fine):
        segment.test(f"{segment.run_id}::one")
    with shipper(spool, migrated, flush_interval=0.1) as process:
        wait_until(lambda: stored_tests(migrated), "the other segment's test stored")
        fine.test("fine::two")
        wait_until(lambda: len(stored_tests(migrated)) == 2, "more of it stored")
        assert "not today" in process.wait_for_state("retrying")["error"]
        assert stuck.path.exists()
        assert not (spool / "rejected").exists()
        execute(migrated, "DROP TRIGGER refuse ON crossbridge.segments")
        wait_until(lambda: len(stored_tests(migrated)) == 3, "the refused segment stored")
        process.wait_for_state("delivering")


@pytest.mark.parametrize("limit_s", [2])
def test_a_shipper_that_hangs_in_the_database_dies_and_the_next_one_goes_on(spool, postgres_control, limit_s):
    migrate(postgres_control.target)
    segment = SegmentFile(spool)
    segment.test("a::one")
    program = f"from crossbridge.profiling import shipper; shipper.STALL_LIMIT_S = {limit_s}; shipper.main()"
    with shipper(spool, postgres_control.target, program=program, flush_interval=0.1) as process:
        wait_until(lambda: stored_tests(postgres_control.target), "the first test stored")
        postgres_control.freeze()
        try:
            segment.test("a::two")
            segment.end()
            assert process.wait(15) != 0
        finally:
            postgres_control.thaw()
    with shipper(spool, postgres_control.target) as process:
        process.wait()
    assert stored_tests(postgres_control.target) == {"a::one": "passed", "a::two": "passed"}


def execute(target, statement: str) -> None:
    with psycopg.connect(**target.parameters(), autocommit=True) as connection:
        connection.execute(statement)


def _read(path: Path | str) -> str:
    return Path(path).read_text(errors="replace")
