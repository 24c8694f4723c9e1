"""Everything works behind PgBouncer in transaction mode, where two statements seldom meet the same session."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from dataclasses import replace
from uuid import uuid4

import pytest

from crossbridge.database.connection import connect
from crossbridge.database.embedded.account import Account
from crossbridge.database.migrate import migrate, migrations
from crossbridge.errors import DatabaseUnreachable
from support.feed import Segment
from support.rollups import differences, rows_rolled_up

PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
SETTINGS = """
[databases]
* = host={host} port={port} user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen_port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
server_tls_sslmode = disable
"""


@pytest.fixture
def pooled(database, scratch):
    """The fresh database as seen through a pool of 3 sessions."""
    if PROGRAM is None:
        pytest.skip("pgbouncer is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listen_port = probe.getsockname()[1]
    folder = scratch / f"pgbouncer-{uuid4().hex[:8]}"
    folder.mkdir()
    settings = folder / "pgbouncer.ini"
    settings.touch(mode=0o600)
    settings.write_text(
        SETTINGS.format(
            host=database.host,
            port=database.port,
            user=database.user,
            password=database.password,
            listen_port=listen_port,
        )
    )
    account = Account.for_cluster(folder / "none")
    for path in (settings, folder):
        account.give(path)
    options = {"user": account.uid, "group": account.gid, "extra_groups": []} if account.switch else {}
    process = subprocess.Popen(
        [PROGRAM, "-q", str(settings)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        **options,
    )
    target = replace(database, port=listen_port, user="anybody", password=None)
    try:
        _wait_for(target)
        yield target
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(target):
    deadline = time.monotonic() + 10
    while True:
        try:
            connect(target).close()
        except DatabaseUnreachable:
            if time.monotonic() > deadline:
                raise
        else:
            return


def test_migrating_and_delivering_through_a_pool(pooled, database):
    barrier, applied, failures = threading.Barrier(8), [], []

    def work(number):
        segment = Segment(environment="ci")
        for test in range(60):
            segment.start(f"t{test}").end(f"t{(test * 7 + number) % 60}").step(f"t{test}", "s")
        try:
            barrier.wait()
            applied.extend(migrate(pooled))
            with connect(pooled, application_name=f"writer {number}") as connection:
                segment.close().deliver(connection, *range(20, 180, 20))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert sorted(applied) == [step.version for step in migrations()]
    with connect(database) as db:
        assert db.execute("SELECT count(*) FROM crossbridge.tests WHERE status = 'passed'").fetchone() == (
            480,
        )
        assert rows_rolled_up(db) >= 480
        assert differences(db) == {}
