"""Every rule's own query and threshold, evaluated as Grafana does, over real histories."""

from __future__ import annotations

import json
from itertools import product

import psycopg
import pytest
from psycopg import sql

from crossbridge.analysis.flaky import flaky_tests
from crossbridge.analysis.scope import Scope
from crossbridge.database.connection import connect
from crossbridge.database.roles import grant_roles
from crossbridge.grafana import alerts
from support.alerting import firing
from support.feed import Segment

RULES = {rule["title"]: rule for rule in alerts.rule_group("crossbridge")["rules"]}


@pytest.fixture
def alarms(history):
    """Which alerts a rule has now: the labels of each with its value."""
    return lambda title: firing(history.connection, RULES[title])


def test_an_empty_database_is_silent(alarms):
    assert {title: alarms(title) for title in RULES} == {title: {} for title in RULES}


def test_success_rate_drop_fires_for_the_environment_that_dropped(history, alarms):
    passing = [(f"test_{n}", "passed") for n in range(20)]
    for environment in ("ci", "staging", "nightly"):
        history.run(*passing, hours_ago=50, environment=environment)
    history.run(
        *passing[:17],
        ("test_17", "failed"),
        ("test_18", "error"),
        ("test_19", "interrupted"),
        environment="ci",
    )
    history.run(*passing[:18], ("test_18", "failed"), ("test_19", "failed"), environment="staging")

    (alert,) = alarms("Success rate dropped").items()

    assert alert == (("ci",), pytest.approx(15))  # staging lost 10 points, which is not above 10


def test_success_rate_ignores_what_cannot_pass_or_fail_and_small_numbers(history, alarms):
    passing = [(f"test_{n}", "passed") for n in range(20)]
    history.run(*passing, hours_ago=50)
    history.run(*passing, *[(f"skip_{n}", "skipped") for n in range(20)], environment="ci")
    history.run(*passing, hours_ago=50, environment="tiny")
    history.run(*[(f"test_{n}", "failed") for n in range(19)], environment="tiny")

    assert alarms("Success rate dropped") == {}


def test_success_rate_forgets_what_is_older_than_the_windows(history, alarms):
    failing = [(f"test_{n}", "failed") for n in range(20)]
    passing = [(f"test_{n}", "passed") for n in range(20)]
    history.run(*passing, hours_ago=190)
    history.run(*failing, hours_ago=1)
    assert alarms("Success rate dropped") == {}

    history.run(*passing, hours_ago=160)
    assert alarms("Success rate dropped") == {("ci",): pytest.approx(100)}


def test_p95_fires_by_environment_and_framework(history, alarms):
    slow = [(f"test_{n}", "passed:6000" if n < 2 else "passed:10") for n in range(20)]
    fine = [(f"test_{n}", "passed:4900") for n in range(20)]
    history.run(*slow, framework="robot")
    history.run(*fine, framework="pytest")
    history.run(*slow[:19], framework="behave")  # too few to say
    history.run(*slow, framework="playwright", hours_ago=26)

    (alert,) = alarms("Tests are slow").items()

    assert alert == (("ci", "robot"), pytest.approx(6.0, rel=0.03))


def test_new_flaky_fires_for_a_retry_that_passed(history, alarms):
    history.run(("test_a", "failed", "passed"), ("test_b", "failed", "failed"), ("test_c", "passed"))

    assert alarms("New flaky test") == {("pytest", "test_a"): 1}


def test_new_flaky_fires_for_one_commit_with_both_outcomes(history, alarms):
    history.run(("test_a", "passed"), ("test_b", "passed"), hours_ago=30, commit="aaaa")
    history.run(("test_a", "failed"), ("test_b", "failed"), hours_ago=2, commit="aaaa", environment="staging")
    assert alarms("New flaky test") == {}  # elsewhere is another place

    history.run(("test_a", "failed"), ("test_b", "passed"), hours_ago=1, commit="aaaa")
    assert alarms("New flaky test") == {("pytest", "test_a"): 1}


def test_new_flaky_is_silent_for_broken_mended_and_known_flaky_tests(history, alarms):
    history.run(
        ("mended", "failed"),
        ("broken", "passed"),
        ("known", "failed", "passed"),
        hours_ago=100,
        commit="aaaa",
    )
    history.run(
        ("mended", "passed"), ("broken", "failed"), ("known", "failed", "passed"), hours_ago=2, commit="bbbb"
    )

    assert alarms("New flaky test") == {}


def test_new_flaky_fires_again_after_a_quiet_fortnight(history, alarms):
    history.run(("test_a", "failed", "passed"), hours_ago=15 * 24)
    assert alarms("New flaky test") == {}

    history.run(("test_a", "failed", "passed"), hours_ago=2)
    assert alarms("New flaky test") == {("pytest", "test_a"): 1}


def test_new_flaky_wants_two_changes_at_a_desk(history, alarms):
    desk = {"environment": "local", "commit": "aaaa"}
    history.run(("test_a", "passed"), hours_ago=5, **desk)
    history.run(("test_a", "failed"), hours_ago=4, **desk)
    assert alarms("New flaky test") == {}

    history.run(("test_a", "passed"), hours_ago=3, **desk)
    assert alarms("New flaky test") == {("pytest", "test_a"): 1}


@pytest.mark.parametrize("seed", range(3))
def test_new_flaky_agrees_with_the_flaky_command(history, alarms, seed):
    history.random_runs(30, days=1.9, seed=seed)

    def flaky_since(hours):
        found = flaky_tests(history.connection, Scope(history.ago(hours=hours), None, None, None, 1000))
        return {(test.framework, test.test_id): test.last_flaked_at for test in found}

    lately = {test for test, at in flaky_since(14 * 24).items() if at >= history.ago(hours=24)}
    alerts_now = {labels for labels, _ in alarms("New flaky test").items()}
    assert alerts_now <= lately
    # What is missing had evidence already a day ago.
    with history.connection.transaction(force_rollback=True):
        history.connection.execute(
            "DELETE FROM crossbridge.tests WHERE created_at >= %s", [history.ago(hours=24)]
        )
        for hours in (0, 24):
            history.connection.execute(
                "SELECT crossbridge.rebuild_day(%s)", [history.ago(hours=hours).date()]
            )
        assert lately - alerts_now <= set(flaky_since(14 * 24))
        assert not alerts_now & set(flaky_since(14 * 24))


def test_hostile_names_stay_labels(history, alarms):
    name = """tests/'q"; DROP TABLE crossbridge.tests; -- {{ .Labels }} $HOME ünï.py::x"""
    history.run((name, "failed", "passed"))

    assert alarms("New flaky test") == {("pytest", name): 1}


def test_no_data_fires_when_nothing_arrived_for_a_day(history, alarms):
    history.run(("test_a", "passed"), hours_ago=25)
    assert alarms("No test results") == {(): pytest.approx(25, abs=0.1)}

    history.run(("test_a", "passed"), hours_ago=23)
    assert alarms("No test results") == {}


def test_no_data_is_not_fooled_by_a_clock_that_runs_ahead(history, alarms):
    history.run(("test_a", "passed"), hours_ago=30)
    history.run(("test_a", "passed"), hours_ago=-48)

    assert alarms("No test results") == {(): pytest.approx(30, abs=0.1)}


def test_no_data_counts_from_the_schema_when_nothing_ever_arrived(history, alarms):
    history.connection.execute(
        "UPDATE crossbridge.schema_migrations SET applied_at = now() - interval '3 days'"
    )

    assert alarms("No test results") == {(): pytest.approx(72, abs=0.1)}


@pytest.mark.parametrize(("dropped", "torn"), [(7, 0), (0, 1)])
def test_dropped_events_fire(history, alarms, dropped, torn):
    history.run(("test_a", "passed"))
    at_us = history.runs[0].started_us
    segment = (
        Segment(at_us=at_us, environment="ci", framework="pytest").end("test_a").deliver(history.connection)
    )
    segment.abandon(history.connection, dropped=dropped, torn=torn)

    assert alarms("Events dropped") == {("ci",): dropped + torn}


def test_dropped_events_of_yesterday_are_over(history, alarms):
    at_us = history.run(("test_a", "passed"), hours_ago=25).started_us
    segment = Segment(at_us=at_us, environment="ci", framework="pytest").deliver(history.connection)
    segment.abandon(history.connection, dropped=3)

    assert alarms("Events dropped") == {}


def test_limits_move_the_thresholds(history):
    history.run(*[(f"test_{n}", "passed:2000") for n in range(20)], hours_ago=3)
    limits = alerts.Limits(lost_points=1, p95_s=1, no_data_hours=2)

    made = alerts.rule_group("crossbridge", limits=limits)["rules"]

    fired = {rule["title"] for rule in made if firing(history.connection, rule)}
    assert fired == {"Tests are slow", "No test results"}


def test_a_reader_may_run_every_rule(migrated, history):
    history.run(("test_a", "failed", "passed"))
    with connect(migrated) as admin:
        admin.execute("DROP ROLE IF EXISTS alert_reader")
        admin.execute("CREATE ROLE alert_reader LOGIN PASSWORD 'x'")
        grant_roles(admin, migrated, readers=["alert_reader"])
    try:
        reader = migrated.parameters() | {"user": "alert_reader", "password": "x"}
        with psycopg.connect(**reader, autocommit=True) as connection:
            fired = {title for title, rule in RULES.items() if firing(connection, rule)}
        assert fired == {"New flaky test"}
    finally:
        with connect(migrated) as admin:
            admin.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier("alert_reader")))


def test_queries_answer_as_grafana_needs_them(history):
    """One number a row and texts for labels; no time column. Otherwise Grafana finds no alerts in a table."""
    for rule in RULES.values():
        with history.connection.cursor() as cursor:
            cursor.execute(rule["data"][0]["model"]["rawSql"].encode())
            types = [column.type_code for column in cursor.description]
        assert max(types) == 701, rule["title"]  # float8
        assert types.count(701) == 1
        assert set(types) <= {701, 25}  # text


def test_nothing_in_a_rule_is_expanded_by_grafana():
    """Provisioning files expand $NAME, and a template has to name what there is."""
    for rule, word in product(alerts.rule_file("crossbridge")["groups"][0]["rules"], ["$", "{{ index"]):
        assert word not in json.dumps(rule), rule["title"]
