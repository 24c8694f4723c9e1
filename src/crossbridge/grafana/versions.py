"""The dashboard of versions: how tests behave from one version of the application to the next."""

from __future__ import annotations

from crossbridge.grafana.panels import TEST, Annotation, Column, Dashboard, Panel, Row, Variable

_COMPARE = "crossbridge.panel_compare($scope, ${base:sqlstring}, ${head:sqlstring})"
_NO_PAIR = (
    "Nothing to compare: runs need a version (CROSSBRIDGE_APP_VERSION, or git describe), and two of them."
)


def _groups(attribute: str, title: str, what: str) -> Panel:
    return Panel(
        "table",
        f"By {what}",
        f"Attempts, share that passed and duration by {what} of the run, the latest first.",
        "No test ran in this window.",
        "short",
        12,
        f"""SELECT name AS {attribute}, runs, n AS attempts, round(100.0 * passed / n, 2)::float8 AS success_rate,
  failed, (sum_us / n::numeric / 1000)::float8 AS avg_duration, last_at
FROM crossbridge.panel_groups($scope, '{attribute}')
ORDER BY last_at DESC, 1 LIMIT 50""",
        columns={
            attribute: Column(title),
            "runs": Column("Runs", width=60),
            "attempts": Column("Attempts", width=80),
            "success_rate": Column("Passed", "percent", 80, share=True),
            "failed": Column("Failed", width=70),
            "avg_duration": Column("Average", "ms", 80),
            "last_at": Column("Last run began", width=130),
        },
    )


def _moved(title: str, description: str, sign: str) -> Panel:
    return Panel(
        "table",
        title,
        description,
        _NO_PAIR,
        "short",
        12,
        f"""SELECT test_id, framework, base_us / 1000 AS base, head_us / 1000 AS head,
  (head_us - base_us) / 1000 AS change, 100 * (head_us / nullif(base_us, 0) - 1) AS change_rate
FROM {_COMPARE}
WHERE head_us {sign} base_us
ORDER BY abs(head_us - base_us) DESC, 1, 2 LIMIT 20""",
        columns={
            "test_id": TEST,
            "framework": Column("Framework", width=90),
            "base": Column("Base", "ms", 80),
            "head": Column("Head", "ms", 80),
            "change": Column("Change", "ms", 80),
            "change_rate": Column("Change", "percent", 80),
        },
        height=10,
    )


def _only(title: str, description: str, there: str, not_there: str) -> Panel:
    return Panel(
        "table",
        title,
        description,
        f"Every test of {there} ran in {not_there} too.",
        "short",
        12,
        f"""SELECT test_id, framework, {there}_n AS attempts, {there}_failed AS failed,
  {there}_us / 1000 AS avg_duration
FROM {_COMPARE}
WHERE {there}_n > 0 AND {not_there}_n = 0
ORDER BY 1, 2 LIMIT 200""",
        columns={
            "test_id": TEST,
            "framework": Column("Framework", width=90),
            "attempts": Column("Attempts", width=90),
            "failed": Column("Failed", width=80),
            "avg_duration": Column("Average", "ms", 100),
        },
    )


DASHBOARD = Dashboard(
    uid="crossbridge-versions",
    title="CrossBridge test behaviour by version",
    description="Durations and outcomes by version, commit, branch and environment, and what two versions differ in.",
    path="dashboard_test_behaviour_and_version_aware_ready_template.json",
    since="now-30d",
    rows=(
        Row(
            "Durations",
            (
                Panel(
                    "timeseries",
                    "Durations over time",
                    "Median, 95th and 99th percentile of attempts by hour, over more than two days by day; a line"
                    " marks the first run of a version.",
                    "No test ran in this window.",
                    "ms",
                    24,
                    """SELECT "time", p50_us / 1000 AS p50, p95_us / 1000 AS p95, p99_us / 1000 AS p99
FROM crossbridge.panel_percentiles($scope)
ORDER BY 1""",
                    columns={
                        "p50": Column("p50", color="green"),
                        "p95": Column("p95", color="orange"),
                        "p99": Column("p99", color="red"),
                    },
                    height=9,
                ),
            ),
        ),
        Row(
            "By what ran",
            (
                _groups("app_version", "Version", "version"),
                _groups("git_commit", "Commit", "commit"),
                _groups("git_branch", "Branch", "branch"),
                _groups("environment", "Environment", "environment"),
            ),
        ),
        Row(
            "From version $base to $head",
            (
                _moved(
                    "Slower tests",
                    "Tests whose passed attempts take longer on average in the head than in the base version.",
                    ">",
                ),
                _moved(
                    "Faster tests",
                    "Tests whose passed attempts take less time on average in the head than in the base version.",
                    "<",
                ),
                _only(
                    "New tests",
                    "Tests that ran in the head version and not in the base version.",
                    "head",
                    "base",
                ),
                _only(
                    "Vanished tests",
                    "Tests that ran in the base version and not in the head version.",
                    "base",
                    "head",
                ),
            ),
        ),
    ),
    variables=(
        Variable(
            "base",
            "Base version",
            "The version to compare with; at first the one before the latest.",
            """SELECT app_version
FROM crossbridge.panel_versions($scope)
ORDER BY number <> 2, number LIMIT 500""",
            all_=False,
        ),
        Variable(
            "head",
            "Head version",
            "The version to look at; at first the latest.",
            """SELECT app_version
FROM crossbridge.panel_versions($scope)
ORDER BY number LIMIT 500""",
            all_=False,
        ),
    ),
    annotations=(
        Annotation(
            "Versions",
            """SELECT first_at AS "time", app_version AS text, 'version' AS tags
FROM crossbridge.panel_versions($scope)
WHERE $__timeFilter(first_at)
ORDER BY 1 LIMIT 200""",
            "purple",
        ),
    ),
)
