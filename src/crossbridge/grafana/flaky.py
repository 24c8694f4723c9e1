"""The dashboard of flaky tests: which, since when, at what price, and who broke what."""

from __future__ import annotations

from crossbridge.grafana.panels import TEST, Column, Dashboard, Panel, Row

_NONE = "No evidence of flakiness in this window."

_WHICH = Row(
    "Flaky tests",
    (
        Panel(
            "table",
            "Flaky score",
            "Share of a test's runs that at least (97.5 % confidence) passed only when retried, or ended otherwise"
            " than a run of the same code.",
            _NONE,
            "short",
            24,
            """SELECT test_id, framework, score, runs, failed_runs, retried, same_commit, across_commits,
  lost_us / 1000 AS lost, last_at
FROM crossbridge.panel_flaky($scope)
ORDER BY score DESC, test_id LIMIT 20""",
            height=10,
            columns={
                "test_id": TEST,
                "framework": Column("Framework", width=100),
                "score": Column("Score", "percent", 80),
                "runs": Column("Runs", width=70),
                "failed_runs": Column("Failed", width=70),
                "retried": Column("Saved by retry", width=120),
                "same_commit": Column("Same-commit flips", width=140),
                "across_commits": Column("New-commit flips", width=140),
                "lost": Column("Time lost", "ms", 90),
                "last_at": Column("Last flaky", width=150),
            },
        ),
        Panel(
            "timeseries",
            "Flaky score over time",
            "Share of the runs that were flaky, of the ten tests with the highest score.",
            _NONE,
            "percent",
            12,
            """SELECT "time", test_id AS metric, share AS score
FROM crossbridge.panel_flaky_history($scope)
ORDER BY 1, 2""",
            height=9,
            points=True,
        ),
        Panel(
            "timeseries",
            "Flips on the same commit and across commits",
            "How often the 15 most suspect tests ended otherwise than before, with the same code or a new commit.",
            "No test changed its outcome in this window.",
            "short",
            12,
            """SELECT crossbridge.bucket_of(s, last_at) AS "time",
  count(*) FILTER (WHERE same_commit) AS same_commit, count(*) FILTER (WHERE across_commits) AS across_commits
FROM $scope AS s, crossbridge.panel_outcomes(s)
GROUP BY 1 ORDER BY 1""",
            height=9,
            columns={
                "same_commit": Column("Same commit", color="red"),
                "across_commits": Column("New commit", color="blue"),
            },
            stacked=True,
        ),
    ),
)

_PRICE = Row(
    "Retries",
    (
        Panel(
            "timeseries",
            "Retries that saved a run",
            "Tests that failed and passed when retried, and runs that passed only because of that.",
            "No retry turned a failure into a pass in this window.",
            "short",
            12,
            """SELECT "time", saved_tests, saved_runs
FROM crossbridge.panel_retries($scope)
ORDER BY 1""",
            columns={"saved_tests": Column("Tests"), "saved_runs": Column("Runs", color="orange")},
        ),
        Panel(
            "timeseries",
            "Time lost to flakiness",
            "What the failing attempts took of tests that passed when retried.",
            "No retry turned a failure into a pass in this window.",
            "ms",
            12,
            """SELECT "time", lost_us / 1000 AS lost
FROM crossbridge.panel_retries($scope)
ORDER BY 1""",
            columns={"lost": Column("Time lost", color="orange")},
        ),
        Panel(
            "table",
            "Tests that retries saved",
            "The tests that cost most by failing first and passing when retried.",
            "No retry turned a failure into a pass in this window.",
            "short",
            24,
            """SELECT test_id, framework, count(*) AS saved, sum(failed_attempts)::bigint AS failed_attempts,
  sum(lost_us)::bigint / 1000 AS lost, max(saved_at) AS last_at
FROM crossbridge.panel_saved($scope)
GROUP BY 1, 2 ORDER BY lost DESC, 1, 2 LIMIT 20""",
            columns={
                "test_id": TEST,
                "framework": Column("Framework", width=100),
                "saved": Column("Saved runs", width=110),
                "failed_attempts": Column("Failed attempts", width=130),
                "lost": Column("Time lost", "ms", 90),
                "last_at": Column("Last", width=160),
            },
        ),
    ),
)

_WHO = Row(
    "Broken tests",
    (
        Panel(
            "table",
            "Who broke first",
            "Tests that failed when they last ran, and the first run, with its commit, in which they did.",
            "Every test passed when it last ran.",
            "short",
            24,
            """SELECT test_id, framework, broken_at, git_commit, git_branch, environment, run_id, error_type,
  failed_since, passed_before
FROM crossbridge.panel_broken($scope)
ORDER BY broken_at DESC, test_id LIMIT 20""",
            height=10,
            columns={
                "test_id": TEST,
                "framework": Column("Framework", width=100),
                "broken_at": Column("First failure", width=150),
                "git_commit": Column("Commit", width=90),
                "git_branch": Column("Branch", width=100),
                "environment": Column("Environment", width=100),
                "run_id": Column("Run", width=90, link="run"),
                "error_type": Column("Error type", width=120),
                "failed_since": Column("Failures", width=80),
                "passed_before": Column("Passed before", width=150),
            },
        ),
    ),
)

DASHBOARD = Dashboard(
    uid="crossbridge-flaky",
    title="CrossBridge flaky tests",
    description="Which tests are flaky, since when, what that costs, and who broke what.",
    path="flaky_dashboard_ready_template.json",
    rows=(_WHICH, _PRICE, _WHO),
)
