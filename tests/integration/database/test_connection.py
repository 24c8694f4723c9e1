"""The driver's errors become one line that says what, where and the mend, and never the password."""

from __future__ import annotations

import socket
from dataclasses import replace

import psycopg
import pytest

from crossbridge.database.connection import connect, translated
from crossbridge.database.target import Target
from crossbridge.errors import BadData, DatabaseError, DatabaseUnreachable, SchemaError

SECRET = "s3cret-word"


def _refusal(target, **options):
    with pytest.raises(DatabaseUnreachable) as caught:
        connect(target, timeout_s=2, **options)
    text = str(caught.value)
    assert SECRET not in text
    assert "\n" not in text
    assert str(target) in text
    return text, caught.value.permanent


def test_a_connection_names_its_program(database):
    with connect(database, application_name="crossbridge shipper") as connection:
        assert connection.autocommit
        assert connection.prepare_threshold is None
        assert connection.execute("SHOW application_name").fetchone() == ("crossbridge shipper",)


def test_a_wrong_password(database):
    text, permanent = _refusal(replace(database, password=SECRET))

    assert "password authentication failed" in text
    assert "CROSSBRIDGE_DB_PASSWORD" in text
    assert permanent


def test_a_missing_password(database, tmp_path, monkeypatch):
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))

    text, permanent = _refusal(replace(database, password=None))

    assert "asks for a password" in text
    assert permanent


def test_an_unknown_user(database):
    # PostgreSQL does not tell it from a wrong password.
    text, permanent = _refusal(replace(database, user="nobody", password=SECRET))

    assert "CROSSBRIDGE_DB_USER" in text
    assert permanent


def test_a_missing_database(database):
    text, permanent = _refusal(replace(database, dbname="not_there"))

    assert 'database "not_there" does not exist' in text
    assert "crossbridge db init" in text
    assert permanent


def test_a_user_who_may_not_connect(database):
    with connect(database) as admin:
        admin.execute("CREATE ROLE unwelcome LOGIN PASSWORD 'pw'")
        admin.execute(f"REVOKE CONNECT ON DATABASE {database.dbname} FROM PUBLIC")
        try:
            text, permanent = _refusal(replace(database, user="unwelcome", password="pw"))
        finally:
            admin.execute("DROP ROLE unwelcome")

    assert "GRANT CONNECT" in text
    assert permanent


def test_a_role_that_may_not_log_in(database):
    with connect(database) as admin:
        admin.execute("CREATE ROLE sleeper NOLOGIN PASSWORD 'pw'")
        try:
            text, permanent = _refusal(replace(database, user="sleeper", password="pw"))
        finally:
            admin.execute("DROP ROLE sleeper")

    assert "not permitted to log in" in text
    assert permanent


def test_a_server_without_tls_where_tls_is_asked_for(database):
    text, permanent = _refusal(replace(database, sslmode="require"))

    assert "CROSSBRIDGE_DB_SSLMODE" in text
    assert permanent


def test_nobody_listening():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))

        text, permanent = _refusal(Target("127.0.0.1", taken.getsockname()[1], "x", "x", SECRET))

    assert "refused" in text
    assert "CROSSBRIDGE_DB_HOST" in text
    assert not permanent


def test_a_port_that_never_answers():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(1)

        text, permanent = _refusal(Target("127.0.0.1", silent.getsockname()[1], "x", "x", SECRET))

    assert "timeout" in text
    assert not permanent


def test_a_host_without_address():
    text, permanent = _refusal(Target("no-such-host.invalid", 5432, "x", "x", SECRET))

    assert "no-such-host.invalid" in text
    assert not permanent


def test_a_server_full_of_clients(database):
    with connect(database) as admin:
        admin.execute("CREATE ROLE plain LOGIN PASSWORD 'pw' CONNECTION LIMIT 0")
        try:
            text, permanent = _refusal(replace(database, user="plain", password="pw"))
        finally:
            admin.execute("DROP ROLE plain")

    assert "too many connections" in text
    assert not permanent


def test_a_server_that_shuts_down(postgres_control):
    target = postgres_control.target
    with connect(target) as connection:
        postgres_control.stop()

        with pytest.raises(DatabaseUnreachable) as caught, translated(target):
            connection.execute("SELECT 1")

    assert not caught.value.permanent
    assert str(target) in str(caught.value)


def test_a_connection_already_closed(database):
    connection = connect(database)
    connection.close()

    with pytest.raises(DatabaseUnreachable), translated(database):
        connection.execute("SELECT 1")


@pytest.mark.parametrize(
    ("statement", "error", "text"),
    [
        ("SELECT 'x'::integer", BadData, "invalid input syntax"),
        (
            "CREATE TEMP TABLE t (a integer CHECK (a > 0)); INSERT INTO t VALUES (-1)",
            BadData,
            "violates check",
        ),
        (f"SELECT '{'[' * 50000}'::jsonb", BadData, "stack depth"),
        ("SELECT * FROM crossbridge.tests", SchemaError, "crossbridge db migrate"),
        ("SELECT crossbridge.ingest()", SchemaError, "crossbridge db migrate"),
        ("CREATE TABLE t (a integer); SELECT b FROM t", SchemaError, "crossbridge db migrate"),
        ("SET transaction_read_only = on; CREATE TABLE t ()", DatabaseError, "read-only"),
        ("SELEKT", DatabaseError, "42601"),
        ("SET statement_timeout = 1; SELECT pg_sleep(9)", DatabaseError, "statement timeout"),
    ],
)
def test_what_a_statement_raises(database, statement, error, text):
    with connect(database) as connection, pytest.raises(error) as caught, translated(database):
        connection.execute(statement)

    assert type(caught.value) is error
    assert text in str(caught.value)
    assert isinstance(caught.value.__cause__, psycopg.Error)


def test_text_with_nul_is_bad_data(database):
    with connect(database) as connection, pytest.raises(BadData), translated(database):
        connection.execute("SELECT %s::text", ("\x00",))
