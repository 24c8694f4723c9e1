"""Every panel shows what plain Python makes of the same rows, whatever the window and the variables."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, time, timedelta, timezone
from uuid import uuid4

import psycopg
import pytest

from crossbridge.database.connection import connect
from crossbridge.database.migrate import migrate
from crossbridge.database.roles import grant_roles
from crossbridge.grafana.dashboards import annotation_queries, built, panel_queries, variable_queries
from support.feed import Segment
from support.grafana import Page
from support.history import EPOCH, History
from support.panel_facts import (
    DAY,
    DECISIVE,
    FAILING,
    Facts,
    average_ms,
    bucket,
    count,
    day_of,
    failed,
    grouped,
    hour_of,
    longest_ms,
    may_be,
    outcomes,
    percentile,
    span,
    wilson_low,
)
from support.panels import panel_rows
from support.rollups import differences, rows_rolled_up

HOSTILE = "tests/test_o'brien.py::test_\"x\"['; DROP TABLE crossbridge.runs; --\\' ${branch} $1]"
VERSIONS = ("1.0", "1.1", "2.0 'beta'")
BUILT = built()
QUERIES = {query.panel: query.sql for dashboard in BUILT.values() for query in panel_queries(dashboard)}
VARIABLES = {
    query.panel: query.sql
    for dashboard in BUILT.values()
    for query in variable_queries(dashboard) + annotation_queries(dashboard)
}


@pytest.fixture(scope="module")
def database(server):
    """A database with a history of two weeks, for all tests of this module."""
    maintenance = replace(server.start(), dbname="postgres")
    target = replace(maintenance, dbname=f"test_{uuid4().hex}")
    with connect(maintenance) as admin:
        admin.execute(f"CREATE DATABASE {target.dbname} TEMPLATE template0")
        try:
            migrate(target)
            with connect(target) as connection:
                connection.execute("SET TIME ZONE 'UTC'")
                yield target, connection, _seed(connection)
        finally:
            admin.execute(f"DROP DATABASE {target.dbname} WITH (FORCE)")


@pytest.fixture(scope="module")
def db(database):
    return database[1]


@pytest.fixture(scope="module")
def history(database):
    return database[2]


@pytest.fixture(scope="module")
def facts(db, history):
    return Facts.read(db)


@pytest.fixture
def show(db):
    def show(panel, page):
        return db.execute(page.query(QUERIES[panel]).encode()).fetchall()

    return show


def _seed(connection):
    history = History(connection)
    history.random_runs(60, days=14, seed=6)
    rng = random.Random(7)
    for number in range(30):
        version = VERSIONS[number % 3]
        tests = rng.sample(range(8), 5) if version != "1.1" else [*rng.sample(range(8), 4), 9]
        history.run(
            *(
                (
                    f"tests/test_v.py::test_{n}",
                    *(["failed:7", "passed:30"] if rng.random() < 0.2 else ["passed:20"]),
                )
                for n in tests
            ),
            hours_ago=rng.uniform(1, 200),
            environment=rng.choice(["ci", "staging"]),
            branch=rng.choice(["main", "feature/x"]),
            commit=rng.choice(["v1", "v2"]),
            app_version=version,
            ci_provider="github",
        )
    history.run((HOSTILE, "failed:5", "passed:9"), hours_ago=30, commit="aaaa", app_version=VERSIONS[2])
    history.run(("tests/broken.py::test_a", "passed"), hours_ago=20, commit="good")
    for hours in (9, 5):
        history.run(("tests/broken.py::test_a", "failed"), hours_ago=hours, commit="bad", status="failed")
    _details(history, rng)
    _unfinished(history)
    return history


def _details(history, rng):
    """Steps, calls and figures of machines, in runs of two frameworks."""
    for number in range(12):
        started_us = (history.ago(hours=rng.uniform(0.2, 250)) - EPOCH) // timedelta(microseconds=1)
        segment = Segment(
            str(uuid4()),
            at_us=started_us,
            framework=rng.choice(["pytest", "robot"]),
            environment=rng.choice(["ci", "staging"]),
            git_branch="main",
        )
        for _ in range(40):
            test = f"tests/test_web.py::test_{rng.randrange(3)}"
            segment.start(test)
            for step in ("open", "it's slow"):
                segment.step(test, step, rng.randrange(10**6), status=rng.choice(["passed", "failed"]))
            for _ in range(3):
                segment.add(
                    "http_call",
                    test_id=test,
                    endpoint=rng.choice(["shop/api/users/{id}", "shop/api/cart"]),
                    method=rng.choice(["GET", "POST"]),
                    status_code=rng.choice([200, 201, 404, 500, None]),
                    duration_us=round(rng.lognormvariate(10, 1)),
                )
                segment.add(
                    "driver_command",
                    test_id=test,
                    command=rng.choice(["click", "find"]),
                    retry_count=rng.randrange(2),
                    duration_us=round(rng.lognormvariate(9, 1)),
                    error=rng.choice([None, None, "NoSuchElement"]),
                )
            segment.add("system_metric", cpu_percent=rng.uniform(0, 100), memory_mb=rng.uniform(50, 90))
            segment.end(
                test,
                rng.choice(["passed", "passed", "error"]),
                round(rng.lognormvariate(11, 1)),
                error_type="E" * 300,
            )
        if number % 4 == 0:
            segment.close(dropped=number, collected=len(segment.lines) - 1 + number + 5)
        segment.close("passed", collected=None) if number % 4 == 1 else None
        segment.deliver(history.connection)


def _unfinished(history):
    running = Segment(
        str(uuid4()), at_us=(history.ago(minutes=9) - EPOCH) // timedelta(microseconds=1), environment="ci"
    )
    running.end("a", "failed").start("b").start("c").deliver(history.connection)
    killed = Segment(
        str(uuid4()), at_us=(history.ago(hours=3) - EPOCH) // timedelta(microseconds=1), environment="ci"
    )
    killed.end("a").start("b").deliver(history.connection)
    killed.abandon(history.connection)


# From the first moment to the last, before now or, with a time of day, of days before today. Days of rollups are read whole
# to the nearest midnight, and rows added or taken off: both at either end.
WINDOWS = {
    "hour": (timedelta(hours=4, minutes=3), timedelta(hours=3, minutes=50)),
    "day": (timedelta(hours=24), timedelta()),
    "week": (timedelta(days=7), timedelta()),
    "morning to evening": ((13, time(5)), (2, time(19))),
    "evening to morning": ((9, time(19)), (1, time(5))),
    "all": (timedelta(days=15), timedelta()),
}


CHOICES = {
    "everything": {},
    "an environment": {"environment": ["ci"]},
    "two environments": {"environment": ["ci", "staging"]},
    "a branch": {"branch": ["feature/x"]},
    "two branches": {"branch": ["main", "feature/x"]},
    "a framework": {"framework": ["pytest"]},
    "branch, environment and frameworks": {
        "branch": ["main"],
        "environment": ["staging"],
        "framework": ["pytest", "robot"],
    },
    "a test": {"test_id": "tests/test_1.py::test_1"},
    "a hostile test": {"test_id": HOSTILE},
    "nothing": {"environment": ["no'where"]},
}


@pytest.fixture(params=WINDOWS)
def window(request, history):
    def moment(ago):
        if isinstance(ago, timedelta):
            return history.now - ago
        days, at = ago
        return datetime.combine(history.now.date() - days * DAY, at, timezone.utc)

    since, until = WINDOWS[request.param]
    return moment(since), moment(until)


@pytest.fixture(params=[*CHOICES, "a run"])
def page(request, window, history):
    values = {"run": history.runs[3].run_id} if request.param == "a run" else CHOICES[request.param]
    return Page(*window, values)


# -- tests ------------------------------------------------------------------------------------------------------------


def test_execution_trends(show, facts, page):
    by_hour = grouped(facts.chosen("tests", page), lambda row: hour_of(row["created_at"]))

    assert show("Test execution trends", page) == [
        (hour, pytest.approx(average_ms(rows)), longest_ms(rows), min(row["duration_ms"] for row in rows))
        for hour, rows in sorted(by_hour.items())
    ]


def test_framework_comparison_and_success_rate(show, facts, page):
    rows = facts.chosen("tests", page)

    shown = dict(show("Framework performance comparison", page))
    assert shown == {
        framework: pytest.approx(average_ms(of), abs=0.5)
        for framework, of in grouped(rows, lambda row: row["framework"]).items()
    }
    ((rate,),) = show("Test success rate", page)
    assert rate == (pytest.approx(100 * count(rows, "passed") / len(rows), abs=0.006) if rows else None)


def test_branches_have_runs_with_and_without_days_of_their_own(db, history):
    ways = db.execute(
        "SELECT git_branch, rolled_branch FROM crossbridge.runs WHERE git_branch IN ('main', 'feature/x') GROUP BY 1, 2"
    ).fetchall()

    assert len(ways) == 4


def test_flaky_and_slowest_tests(show, facts, page):
    rows = facts.chosen("tests", page)

    flaky = [
        (
            test,
            len(of),
            count(of, "passed"),
            count(of, "failed"),
            pytest.approx(100 * count(of, "failed") / len(of), abs=0.006),
        )
        for test, of in grouped(rows, lambda row: row["test_id"]).items()
        if count(of, "failed") and count(of, "passed")
    ]
    flaky.sort(key=lambda line: (-round(line[3] / line[1], 6), -line[1], line[0]))
    assert show("Flaky tests", page) == flaky[:10]
    slowest = sorted(
        (-average_ms(of), test, framework, len(of))
        for (test, framework), of in grouped(rows, lambda row: (row["test_id"], row["framework"])).items()
    )
    assert show("Top 10 slowest tests", page) == [
        (test, framework, pytest.approx(-average, abs=0.51), n)
        for average, test, framework, n in slowest[:10]
    ]


@pytest.mark.parametrize("name", ["tests/test_web.py::test_1", HOSTILE])
@pytest.mark.parametrize("choice", ["everything", "an environment", "a framework"])
def test_steps(show, facts, window, name, choice):
    page = Page(*window, CHOICES[choice] | {"test_id": name})
    unit = (
        day_of if window[1] - window[0] > 7 * DAY else lambda moment: moment.replace(second=0, microsecond=0)
    )
    steps = grouped(facts.chosen("steps", page), lambda row: (unit(row["created_at"]), row["step_name"]))

    assert show("Step-level profiling", page) == [
        (at, step, pytest.approx(average_ms(rows))) for (at, step), rows in sorted(steps.items())
    ]


def test_steps_of_no_test_are_none(show, window):
    assert show("Step-level profiling", Page(*window)) == []


def test_the_six_panels_agree_with_the_guides_sql(show, db, history):
    since, until = history.ago(days=6), history.now.replace(microsecond=0)
    since = since.replace(microsecond=0)
    page = Page(since, until, {"test_id": "tests/test_web.py::test_1"})
    everything = Page(since, until)

    def guide(title):
        return panel_rows(db, title, since=since, until=until, test_id="tests/test_web.py::test_1")

    def nearly(rows):
        return [
            tuple(
                pytest.approx(float(v), abs=0.51)
                if isinstance(v, (int, float)) or hasattr(v, "quantize")
                else v
                for v in row
            )
            for row in rows
        ]

    assert show("Test execution trends", everything) == nearly(guide("Test Execution Trends (Time Series)"))
    assert sorted(show("Framework performance comparison", everything)) == nearly(
        sorted(guide("Framework Performance Comparison (Bar Chart)"))
    )
    assert show("Test success rate", everything) == nearly(guide("Test Success Rate (Gauge)"))
    assert [row[4] for row in show("Flaky tests", everything)] == [
        float(row[4]) for row in guide("Flaky Tests Detection (Table)")
    ]
    assert [row[2] for row in show("Top 10 slowest tests", everything)] == [
        pytest.approx(row[2], abs=1) for row in guide("Top 10 Slowest Tests (Table)")
    ]
    assert show("Step-level profiling", page) == nearly(sorted(guide("Step-Level Profiling (Time Series)")))
    assert len(show("Step-level profiling", page)) > 10


# -- runs, causes, machines -------------------------------------------------------------------------------------------


def test_runs_in_progress_and_interrupted(show, facts, page):
    for panel, status in (("Runs in progress", "running"), ("Interrupted runs", "interrupted")):
        runs = [run for run in facts.chosen_runs(page) if run["status"] == status]
        assert {row[0] for row in show(panel, page)} == {run["run_id"] for run in runs}


def test_a_run_in_progress_tells_what_runs(show, history):
    (row,) = show("Runs in progress", Page(history.ago(minutes=20), history.now))
    _, _, environment, _, framework, tests, failures, in_flight, longest, since = row

    assert (environment, framework, tests, failures, in_flight, longest) == ("ci", "pytest", 1, 1, 2, "b")
    assert since > history.ago(minutes=10)


def test_failures_by_error_type(show, facts, page):
    failures = [row for row in facts.chosen("tests", page) if row["status"] in FAILING]
    by_type = grouped(failures, lambda row: (row["error_type"] or "not told")[:200])

    assert sorted(show("Failures by error type", page)) == [
        (name, count(rows, "failed"), count(rows, "error"), max(row["created_at"] for row in rows))
        for name, rows in sorted(by_type.items())
    ]


def _call_figures(rows, is_error):
    return (
        len(rows),
        pytest.approx(average_ms(rows)),
        pytest.approx(100 * sum(map(is_error, rows)) / len(rows), abs=0.006),
    )


def test_http_endpoints(show, facts, page):
    def is_error(row):
        return row["status_code"] is None or row["status_code"] >= 400

    calls = grouped(facts.chosen("http_calls", page), lambda row: (row["endpoint"], row["method"]))
    shown = {row[:2]: row[2:] for row in show("HTTP endpoints", page)}

    assert {key: (n, average, rate) for key, (n, average, _, rate) in shown.items()} == {
        key: _call_figures(rows, is_error) for key, rows in calls.items()
    }
    for key, (_, _, p95, _) in shown.items():
        assert may_be(p95, [row["duration_us"] / 1000 for row in calls[key]], 0.95)


def test_driver_commands(show, facts, page):
    calls = grouped(facts.chosen("driver_commands", page), lambda row: row["command"])
    shown = {row[0]: row[1:] for row in show("Driver commands", page)}

    assert {key: (n, average, rate) for key, (n, average, _, _, _, rate) in shown.items()} == {
        key: _call_figures(rows, lambda row: row["error"] is not None) for key, rows in calls.items()
    }
    for key, (_, _, p95, longest, retries, _) in shown.items():
        assert longest == longest_ms(calls[key])
        assert retries == sum(row["retry_count"] for row in calls[key])
        assert may_be(p95, [row["duration_us"] / 1000 for row in calls[key]], 0.95)


def test_cpu_and_memory(show, facts, window, history):
    page = Page(*window, {"environment": ["ci"]})
    unit = hour_of if window[1] - window[0] > DAY else lambda moment: moment.replace(second=0, microsecond=0)
    figures = grouped(facts.chosen("system_metrics", page), lambda row: unit(row["created_at"]))

    for panel, column in (("CPU", "cpu_percent"), ("Memory", "memory_mb")):
        assert show(panel, page) == [
            (
                at,
                pytest.approx(sum(row[column] for row in rows) / len(rows)),
                max(row[column] for row in rows),
            )
            for at, rows in sorted(figures.items())
        ]


def test_collector_health(show, facts, page):
    unit = day_of if span(page) > 7 * DAY else hour_of
    runs = grouped(facts.chosen_runs(page), lambda run: unit(run["started_at"]))

    assert show("Collector health", page) == [
        (at, *(sum(run[f"events_{what}"] for run in of) for what in ("written", "spooled", "dropped")))
        for at, of in sorted(runs.items())
    ]


# -- flaky tests ------------------------------------------------------------------------------------------------------


def _suspect_outcomes(facts, page):
    """Outcomes of the tests that failed in the last 14 days of the window: fewer than the panels look at."""
    chosen = outcomes(facts.chosen("tests", page), facts.runs)
    since = day_of(page.until) - 13 * DAY
    suspects = {
        (o.framework, o.test_id)
        for o in chosen
        for row in o.rows
        if row["status"] in FAILING and row["created_at"] >= since
    }
    return [o for o in chosen if (o.framework, o.test_id) in suspects]


# The panels look at 15 tests of a window; these choices have no more.
FEW = {
    "a test": {"test_id": "tests/test_1.py::test_1"},
    "a hostile test": {"test_id": HOSTILE},
    "another": {"test_id": "tests/test_v.py::test_3", "environment": ["ci"]},
    "one on a branch": {"test_id": "tests/test_3.py::test_3", "branch": ["main"]},
}


@pytest.fixture(params=FEW)
def few(request, window):
    return Page(*window, FEW[request.param])


def test_flaky_score(show, facts, few):
    expected = []
    found = _suspect_outcomes(facts, few)
    for key in {(o.test_id, o.framework) for o in found}:
        of = [o for o in found if (o.test_id, o.framework) == key]
        if not any(o.flaky for o in of):
            continue
        expected.append(
            (
                *key,
                pytest.approx(100 * wilson_low(sum(o.flaky for o in of), len(of)), abs=0.01),
                len(of),
                sum(not o.passed for o in of),
                sum(o.retried for o in of),
                sum(o.same_commit for o in of),
                sum(o.across_commits for o in of),
                sum(o.lost_us for o in of) // 1000,
                max(o.last_at for o in of if o.flaky),
            )
        )
    assert sorted(show("Flaky score", few), key=lambda row: row[:2]) == sorted(
        expected, key=lambda row: row[:2]
    )


def test_flaky_score_over_time_and_flips(show, facts, few):
    found = _suspect_outcomes(facts, few)
    flaky = {(o.framework, o.test_id) for o in found if o.flaky}
    history = {}
    for o in found:
        if (o.framework, o.test_id) in flaky:
            history.setdefault((bucket(few, o.last_at), o.test_id), []).append(o.flaky)
    flips = {}
    for o in found:
        flips.setdefault(bucket(few, o.last_at), []).append((o.same_commit, o.across_commits))

    assert show("Flaky score over time", few) == [
        (at, test, pytest.approx(100 * sum(of) / len(of))) for (at, test), of in sorted(history.items())
    ]
    counted = [(at, sum(s for s, _ in of), sum(a for _, a in of)) for at, of in sorted(flips.items())]
    shown = show("Flips on the same commit and across commits", few)
    assert [row for row in shown if any(row[1:])] == [row for row in counted if any(row[1:])]


def test_there_is_flakiness_of_every_kind(facts, history):
    found = outcomes(facts.chosen("tests", Page(history.ago(days=15), history.now)), facts.runs)

    assert (
        min(
            sum(o.retried for o in found),
            sum(o.same_commit for o in found),
            sum(o.across_commits for o in found),
        )
        > 5
    )


def test_retries(show, facts, page):
    saved = [o for o in outcomes(facts.chosen("tests", page), facts.runs) if o.retried]
    days = {}
    for o in saved:
        passed_at = max(row["created_at"] for row in o.rows if row["status"] == "passed")
        days.setdefault(bucket(page, passed_at), []).append(o)

    assert show("Retries that saved a run", page) == [
        (at, len(of), len({o.run["run_id"] for o in of if o.run["status"] == "passed"}))
        for at, of in sorted(days.items())
    ]
    assert show("Time lost to flakiness", page) == [
        (at, sum(o.lost_us for o in of) // 1000) for at, of in sorted(days.items())
    ]
    tests = {}
    for o in saved:
        tests.setdefault((o.test_id, o.framework), []).append(o)
    shown = show("Tests that retries saved", page)
    assert len(shown) == min(20, len(tests))
    for test, framework, times, _, lost, _ in shown:
        of = tests[test, framework]
        assert (times, lost) == (len(of), sum(o.lost_us for o in of) // 1000)


def test_who_broke_first(show, facts, few):
    rows = [row for row in facts.chosen("tests", few) if row["status"] in DECISIVE]
    expected = []
    for (test, framework), of in grouped(rows, lambda row: (row["test_id"], row["framework"])).items():
        passes = [row["created_at"] for row in of if row["status"] == "passed"]
        since = sorted(
            (
                row
                for row in of
                if row["status"] in FAILING and (not passes or row["created_at"] > max(passes))
            ),
            key=lambda row: row["created_at"],
        )
        if since and since[0]["created_at"] > few.until - 7 * DAY:
            first = since[0]
            expected.append(
                (test, framework, first["created_at"], first["git_commit"], first["run_id"], len(since))
            )
    shown = [(*row[:4], row[6], row[8]) for row in show("Who broke first", few)]
    assert [row for row in sorted(shown) if row[2] > few.until - 7 * DAY] == sorted(expected)


def test_who_broke_first_names_the_commit(show, history):
    (row,) = show(
        "Who broke first", Page(history.ago(days=2), history.now, {"test_id": "tests/broken.py::test_a"})
    )

    assert row[3] == "bad"
    assert (row[8], row[9]) == (2, pytest.approx(history.ago(hours=20), abs=timedelta(minutes=1)))


# -- versions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("panel", "attribute"),
    [
        ("version", "app_version"),
        ("commit", "git_commit"),
        ("branch", "git_branch"),
        ("environment", "environment"),
    ],
)
def test_by_what_ran(show, facts, page, panel, attribute):
    groups = grouped(facts.chosen("tests", page), lambda row: row[attribute] or "not told")

    assert {row[0]: row[1:] for row in show(f"By {panel}", page)} == {
        name: (
            len({row["run_id"] for row in rows}),
            len(rows),
            pytest.approx(100 * count(rows, "passed") / len(rows), abs=0.006),
            failed(rows),
            pytest.approx(average_ms(rows)),
            max(row["run_started_at"] for row in rows),
        )
        for name, rows in groups.items()
    }


def _compared(facts, page, base, head):
    whole = replace(page, since=datetime(2000, 1, 1, tzinfo=timezone.utc), until=page.until + 400 * DAY)
    rows = facts.chosen("tests", whole)
    return [
        grouped(
            [row for row in rows if row["app_version"] == v], lambda row: (row["test_id"], row["framework"])
        )
        for v in (base, head)
    ]


def _passed_ms(rows):
    passed = [row for row in rows if row["status"] == "passed"]
    return average_ms(passed) if passed else None


@pytest.mark.parametrize(
    "choice", ["everything", "an environment", "a branch", "a framework", "a hostile test"]
)
@pytest.mark.parametrize("versions", [("1.0", "1.1"), ("1.1", "2.0 'beta'"), ("1.0", "unknown'")])
def test_two_versions(show, facts, history, choice, versions):
    base, head = versions
    page = Page(history.ago(days=1), history.now, CHOICES[choice] | {"base": base, "head": head})
    before, after = _compared(facts, page, base, head)

    for panel, sign in (("Slower tests", 1), ("Faster tests", -1)):
        assert {row[:2]: row[2:] for row in show(panel, page)} == {
            key: (
                pytest.approx(old := _passed_ms(before[key])),
                pytest.approx(new := _passed_ms(after[key])),
                pytest.approx(new - old, abs=1e-6),
                pytest.approx(100 * (new / old - 1), abs=1e-6),
            )
            for key in before.keys() & after.keys()
            if _passed_ms(before[key])
            and sign * ((_passed_ms(after[key]) or 0) - _passed_ms(before[key])) > 1e-9
        }
    for panel, here, there in (("New tests", after, before), ("Vanished tests", before, after)):
        assert {row[:2]: row[2:4] for row in show(panel, page)} == {
            key: (len(rows), failed(rows)) for key, rows in here.items() if key not in there
        }


def test_there_are_new_and_vanished_tests(show, history):
    page = Page(history.ago(days=1), history.now, {"base": "1.0", "head": "1.1"})

    assert [row[0] for row in show("New tests", page)] == ["tests/test_v.py::test_9"]
    assert len(show("Slower tests", page)) > 1


def test_percentiles_of_many_are_within_two_percent(migrated):
    rng = random.Random(9)
    now = datetime.now(timezone.utc)
    page = Page(now - 20 * DAY, now)
    with psycopg.connect(**migrated.parameters(), autocommit=True) as db:
        for days in (5, 9):
            segment = Segment(str(uuid4()), at_us=(now - days * DAY - EPOCH) // timedelta(microseconds=1))
            for _ in range(1500):
                segment.end("many", duration_us=round(rng.lognormvariate(11, 1)))
                segment.add(
                    "http_call", endpoint="e", method="GET", duration_us=round(rng.lognormvariate(9, 1))
                )
                segment.add("driver_command", command="c", duration_us=round(rng.lognormvariate(7, 1)))
            segment.deliver(db, 1500, 3000)
        facts = Facts.read(db)
        durations, http, driver = (
            db.execute(page.query(QUERIES[panel]).encode()).fetchall()
            for panel in ("Durations over time", "HTTP endpoints", "Driver commands")
        )

    days = grouped(facts.chosen("tests", page), lambda row: day_of(row["created_at"]))
    assert [row[0] for row in durations] == sorted(days)
    for day, *read in durations:
        values = [row["duration_us"] / 1000 for row in days[day]]
        assert read[:2] == [pytest.approx(percentile(values, part), rel=0.02) for part in (0.5, 0.95)]
        assert may_be(read[2], values, 0.99)
    for (*_, p95, _), table in ((http[0], "http_calls"), ((*driver[0][:4], None), "driver_commands")):
        values = [row["duration_us"] / 1000 for row in facts.chosen(table, page)]
        assert p95 == pytest.approx(percentile(values, 0.95), rel=0.02)


def test_percentiles_of_few_attempts_are_among_them(show, facts, page):
    rows = grouped(facts.chosen("tests", page), lambda row: bucket(page, row["created_at"]))
    shown = show("Durations over time", page)

    assert [row[0] for row in shown] == sorted(rows)
    for at, *read in shown:
        durations = [row["duration_us"] / 1000 for row in rows[at]]
        assert all(
            may_be(value, durations, part) for value, part in zip(read, (0.5, 0.95, 0.99), strict=True)
        )


@pytest.mark.parametrize("path", BUILT)
def test_columns_have_names_for_people(db, path):
    page = Page(datetime.now(timezone.utc) - DAY, datetime.now(timezone.utc))
    for panel in BUILT[path]["panels"]:
        for target in panel.get("targets", []):
            columns = {
                column.name for column in db.execute(page.query(target["rawSql"]).encode()).description
            }
            named = {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]}
            if "metric" in columns:  # which names the series
                assert named == set()
            else:
                assert named == columns - {"time", "framework"} | (named & {"framework"}), panel["title"]


# -- variables, roles, rollups ----------------------------------------------------------------------------------------


def test_variables(db, facts, history):
    page = Page(history.ago(days=15), history.now, {"__searchFilter": "o'brien%"})

    def offered(name):
        return [row[0] for row in db.execute(page.query(VARIABLES[name]).encode()).fetchall()]

    assert offered("environment") == ["ci", "staging"]
    assert set(offered("branch")) == {"main", "feature/x"}
    assert offered("framework") == ["playwright", "pytest", "robot"]
    assert offered("test_id") == [HOSTILE]
    assert set(offered("run")) == {run["run_id"] for run in facts.chosen_runs(page)}
    newest = sorted(
        VERSIONS,
        key=lambda v: max(run["started_at"] for run in facts.runs if run["app_version"] == v),
        reverse=True,
    )
    assert offered("head") == newest
    assert offered("base") == [newest[1], newest[0], newest[2]]
    assert sorted(
        row[1] for row in db.execute(page.query(VARIABLES["Versions"]).encode()).fetchall()
    ) == sorted(VERSIONS)


def test_without_a_search_every_test_is_offered(db, facts, history):
    rows = db.execute(Page(history.ago(days=1), history.now).query(VARIABLES["test_id"]).encode()).fetchall()

    assert {row[0] for row in rows} >= {row["test_id"] for row in facts.tables["tests"]}


def test_a_name_cannot_break_out(db, history):
    page = Page(history.ago(days=15), history.now, dict.fromkeys(("test_id", "base", "head"), HOSTILE))
    page.values |= {name: [HOSTILE, "'"] for name in ("environment", "branch", "framework")}

    for sql in (*QUERIES.values(), *VARIABLES.values()):
        db.execute(page.query(sql).encode())
    assert db.execute("SELECT count(*) > 0 FROM crossbridge.runs").fetchone() == (True,)


def test_a_reader_may_ask_everything(database, history):
    target, db, _ = database
    name = f"reader_{target.dbname[-20:]}"
    db.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'pw'")
    try:
        grant_roles(db, target, readers=[name])
        with connect(replace(target, user=name, password="pw")) as reader:
            for sql in (*QUERIES.values(), *VARIABLES.values()):
                reader.execute(Page(history.ago(days=15), history.now).query(sql).encode())
    finally:
        db.execute(f"DROP OWNED BY {name}")
        db.execute(f"DROP ROLE {name}")


def test_an_empty_database_has_nothing_to_show(migrated):
    with psycopg.connect(**migrated.parameters(), autocommit=True) as db:
        page = Page(datetime.now(timezone.utc) - DAY, datetime.now(timezone.utc))
        shown = {
            name: db.execute(page.query(sql).encode()).fetchall()
            for name, sql in (QUERIES | VARIABLES).items()
        }

    assert {name: rows for name, rows in shown.items() if rows} == {"Test success rate": [(None,)]}


def test_a_version_that_becomes_known_late_is_counted(migrated):
    with psycopg.connect(**migrated.parameters(), autocommit=True) as db:
        for number in range(3):
            segment = Segment(environment="ci").end("a").end("b", "failed").deliver(db)
            if number:
                told = {"type": "run_info", "app_version": "3.0", "at_us": segment.now_us}
                segment.call(db, segment.offsets[-1], segment.offsets[-1], [told])
            segment.end("a").deliver(db)

        assert rows_rolled_up(db) == 9
        assert differences(db) == {}
        assert db.execute("SELECT sum(n), sum(passed) FROM crossbridge.rollup_test_version").fetchone() == (
            6,
            4,
        )
