"""The main dashboard: the six panels of the deployment guide, then what runs, what fails, what is slow beside tests."""

from __future__ import annotations

from crossbridge.grafana.panels import TEST, Column, Dashboard, Panel, Row

_RUN = Column("Run", width=130, link="run")
_RUN_OF = {
    "environment": Column("Environment", width=110),
    "git_branch": Column("Branch", width=110),
    "framework": Column("Framework", width=110),
    "tests": Column("Attempts", width=80),
    "failed": Column("Failed", width=70),
}
_AVERAGE = Column("Average", "ms", 110)
_P95 = Column("p95", "ms", 110)
_NO_RUNS = "No test ran in this window: look at a longer one, or at 'crossbridge doctor'."

_TESTS = Row(
    "Tests",
    (
        Panel(
            "timeseries",
            "Test execution trends",
            "Average, longest and shortest duration of an attempt of a test, by hour.",
            _NO_RUNS,
            "ms",
            24,
            """SELECT hour AS "time",
  (sum(sum_us) / sum(n) / 1000)::float8 AS avg_duration,
  (max(max_us) + 500) / 1000 AS max_duration,
  (min(min_us) + 500) / 1000 AS min_duration
FROM crossbridge.panel_hours($scope)
GROUP BY 1 ORDER BY 1""",
            columns={
                "avg_duration": Column("Average"),
                "max_duration": Column("Longest", color="orange"),
                "min_duration": Column("Shortest", color="blue"),
            },
        ),
        Panel(
            "barchart",
            "Framework performance comparison",
            "Average duration of an attempt of a test in each framework.",
            _NO_RUNS,
            "ms",
            8,
            """SELECT framework, round(sum(sum_us) / sum(n) / 1000)::bigint AS avg_duration
FROM crossbridge.panel_hours($scope)
GROUP BY 1 ORDER BY 2 DESC, 1""",
            columns={"avg_duration": Column("Average duration")},
        ),
        Panel(
            "gauge",
            "Test success rate",
            "Share of all attempts that passed; skipped ones count as not passed, as in the deployment guide.",
            _NO_RUNS,
            "percent",
            4,
            """SELECT round(100.0 * sum(passed) / sum(n), 2)::float8 AS success_rate
FROM crossbridge.panel_hours($scope)""",
            columns={"success_rate": Column("Success rate")},
        ),
        Panel(
            "table",
            "Flaky tests",
            "The ten tests with the highest share of failures among those that both passed and failed.",
            "No test both passed and failed in this window.",
            "short",
            12,
            """SELECT test_id, sum(n)::bigint AS total_runs, sum(passed)::bigint AS passed,
  sum(failed)::bigint AS failed,  round(100.0 * sum(failed) / sum(n), 2)::float8 AS failure_rate
FROM crossbridge.panel_tests($scope)
GROUP BY 1 HAVING sum(failed) > 0 AND sum(passed) > 0
ORDER BY failure_rate DESC, total_runs DESC, test_id LIMIT 10""",
            columns={
                "test_id": TEST,
                "total_runs": Column("Attempts", width=90),
                "passed": Column("Passed", width=80),
                "failed": Column("Failed", width=80),
                "failure_rate": Column("Failure rate", "percent", 110),
            },
        ),
        Panel(
            "table",
            "Top 10 slowest tests",
            "The ten tests whose attempts take longest on average.",
            _NO_RUNS,
            "short",
            12,
            """SELECT test_id, framework, round(sum_us::numeric / n / 1000)::bigint AS avg_duration,
  n AS execution_count
FROM crossbridge.panel_tests($scope)
ORDER BY sum_us::numeric / n DESC, test_id, framework LIMIT 10""",
            columns={
                "test_id": TEST,
                "framework": Column("Framework", width=130),
                "avg_duration": _AVERAGE,
                "execution_count": Column("Attempts", width=90),
            },
            height=9,
        ),
        Panel(
            "timeseries",
            "Step-level profiling",
            "Average duration of each step of the test chosen in Test, by minute, over more than a week by day.",
            "Choose a test that has steps in the variable Test.",
            "ms",
            12,
            """SELECT "time", step_name AS metric, (sum_us / n::numeric / 1000)::float8 AS avg_duration
FROM crossbridge.panel_steps($scope)
ORDER BY 1, 2""",
            height=9,
            points=True,
        ),
    ),
)

_RUNS = Row(
    "Runs",
    (
        Panel(
            "table",
            "Runs in progress",
            "Runs that began in the window and have not ended, with the test that has been running longest.",
            "No run is in progress.",
            "short",
            24,
            """SELECT run_id, started_at, environment, git_branch, framework, tests, failed, in_flight, longest_test,
  longest_since
FROM crossbridge.panel_runs_of($scope, 'running')""",
            columns={
                "run_id": _RUN,
                "started_at": Column("Began", width=150),
                **_RUN_OF,
                "in_flight": Column("Running", width=70),
                "longest_test": Column("Longest running", link="test_id"),
                "longest_since": Column("Since", width=150),
            },
            height=6,
        ),
        Panel(
            "table",
            "Interrupted runs",
            "Runs that began in the window and were killed or cut off before they had ended.",
            "No run was interrupted.",
            "short",
            24,
            """SELECT run_id, started_at, ended_at, environment, git_branch, framework, tests, failed, interrupted
FROM crossbridge.panel_runs_of($scope, 'interrupted')""",
            columns={
                "run_id": _RUN,
                "started_at": Column("Began", width=150),
                "ended_at": Column("Ended", width=160),
                **_RUN_OF,
                "interrupted": Column("Interrupted", width=100),
            },
            height=6,
        ),
    ),
)

_CAUSES = Row(
    "Failures, HTTP and driver",
    (
        Panel(
            "table",
            "Failures by error type",
            "Attempts that failed or broke (error), by the type of what was raised, the most frequent first.",
            "Nothing failed in this window.",
            "short",
            8,
            """SELECT error_type, failed, error, last_at
FROM crossbridge.panel_errors($scope)
ORDER BY failed + error DESC, error_type LIMIT 50""",
            columns={
                "error_type": Column("Error type"),
                "failed": Column("Failed", width=80),
                "error": Column("Broke", width=80),
                "last_at": Column("Last", width=160),
            },
            height=9,
        ),
        Panel(
            "table",
            "HTTP endpoints",
            "Calls of each endpoint, their 95th percentile and the share that failed (no answer, or status from 400).",
            "No HTTP call was recorded in this window.",
            "short",
            16,
            """SELECT name AS endpoint, method, n AS calls, (sum_us / n::numeric / 1000)::float8 AS avg_duration,
  p95_us / 1000 AS p95, round(100.0 * errors / n, 2)::float8 AS error_rate
FROM crossbridge.panel_calls($scope, 'http')
ORDER BY calls DESC, 1, 2 LIMIT 50""",
            columns={
                "endpoint": Column("Endpoint"),
                "method": Column("Method", width=90),
                "calls": Column("Calls", width=90),
                "avg_duration": _AVERAGE,
                "p95": _P95,
                "error_rate": Column("Error rate", "percent", 110),
            },
            height=9,
        ),
        Panel(
            "table",
            "Driver commands",
            "Browser commands by name, with their 95th percentile, errors and retries.",
            "No driver command was recorded in this window.",
            "short",
            24,
            """SELECT name AS command, n AS calls, (sum_us / n::numeric / 1000)::float8 AS avg_duration,
  p95_us / 1000 AS p95, (max_us + 500) / 1000 AS max_duration, retries,
  round(100.0 * errors / n, 2)::float8 AS error_rate
FROM crossbridge.panel_calls($scope, 'driver')
ORDER BY calls DESC, 1 LIMIT 50""",
            columns={
                "command": Column("Command"),
                "calls": Column("Calls", width=100),
                "avg_duration": _AVERAGE,
                "p95": _P95,
                "max_duration": Column("Longest", "ms", 110),
                "retries": Column("Retries", width=90),
                "error_rate": Column("Error rate", "percent", 110),
            },
        ),
    ),
)

_MACHINE = Row(
    "Machines and collector",
    (
        Panel(
            "timeseries",
            "CPU",
            "CPU of the processes that ran tests, average and highest, by minute, over more than a day by hour.",
            "No CPU figure was recorded in this window.",
            "percent",
            8,
            """SELECT "time", cpu_average, cpu_highest
FROM crossbridge.panel_system($scope)
ORDER BY 1""",
            columns={"cpu_average": Column("Average"), "cpu_highest": Column("Highest", color="orange")},
        ),
        Panel(
            "timeseries",
            "Memory",
            "Memory of the processes that ran tests, average and highest, by minute, over more than a day by hour.",
            "No memory figure was recorded in this window.",
            "decmbytes",
            8,
            """SELECT "time", memory_average, memory_highest
FROM crossbridge.panel_system($scope)
ORDER BY 1""",
            columns={
                "memory_average": Column("Average"),
                "memory_highest": Column("Highest", color="orange"),
            },
        ),
        Panel(
            "timeseries",
            "Collector health",
            "Events of the runs that began then: stored here, still in a spool, or dropped.",
            "No run began in this window.",
            "short",
            8,
            """SELECT "time", written, spooled, dropped
FROM crossbridge.panel_health($scope)
ORDER BY 1""",
            columns={
                "written": Column("Written", color="green"),
                "spooled": Column("Spooled", color="orange"),
                "dropped": Column("Dropped", color="red"),
            },
            stacked=True,
        ),
    ),
)

DASHBOARD = Dashboard(
    uid="crossbridge-overview",
    title="CrossBridge overview",
    description="Where the time in the tests goes, what fails, what runs now.",
    path="dashboards/crossbridge_overview.json",
    rows=(_TESTS, _RUNS, _CAUSES, _MACHINE),
)
