"""What the rollups must hold, computed from the rows: no difference is allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

_STATUSES = ("passed", "failed", "error", "skipped", "xfailed", "xpassed", "interrupted")
_BY_STATUS = ", ".join(f"count(*) FILTER (WHERE t.status = '{status}')" for status in _STATUSES)
_SUMMED = ", ".join(f"sum({status})" for status in _STATUSES)
_US = "sum(t.duration_us), min(t.duration_us), max(t.duration_us)"
_SUMMED_US = "sum(sum_us), min(min_us), max(max_us)"
_DAY = "(t.created_at AT TIME ZONE 'UTC')::date"
_ENVIRONMENT = "coalesce(r.environment, '')"
_LN = "round(ln(greatest(t.duration_us, 1)::float8) * 10000)::bigint"
_LNS = ", ".join(
    f"coalesce(sum({power}) FILTER (WHERE t.status = 'passed'), 0)" for power in (_LN, f"{_LN} * {_LN}")
)
_SLICES = f"SELECT '*' UNION SELECT {_ENVIRONMENT} UNION SELECT '*' || r.git_branch WHERE r.rolled_branch AND r.git_branch <> ''"

_CELLS = (
    f"CROSS JOIN LATERAL (SELECT {_ENVIRONMENT} AS environment, '' AS git_branch"
    " UNION ALL SELECT '', r.git_branch WHERE r.rolled_branch AND r.git_branch <> '') AS c"
)

# name: (from the rows, from the rollup)
_PAIRS = {
    "rollup_hour": (
        (
            f"SELECT date_trunc('hour', t.created_at, 'UTC'), t.framework, {_ENVIRONMENT}, coalesce(r.git_branch, ''), count(*),"
            f" {_BY_STATUS}, {_US} FROM crossbridge.tests AS t JOIN crossbridge.runs AS r USING (run_id) GROUP BY 1, 2, 3, 4"
        ),
        (
            f"SELECT hour, framework, environment, git_branch, sum(n), {_SUMMED}, {_SUMMED_US}"
            " FROM crossbridge.rollup_hour GROUP BY 1, 2, 3, 4"
        ),
    ),
    "rollup_test_day": (
        (
            f"SELECT e.environment, {_DAY}, t.test_id, t.framework, count(*), {_BY_STATUS}, {_US}, {_LNS}"
            f" FROM crossbridge.tests AS t JOIN crossbridge.runs AS r USING (run_id)"
            f" CROSS JOIN LATERAL ({_SLICES}) AS e(environment) GROUP BY 1, 2, 3, 4"
        ),
        (
            f"SELECT environment, day, test_id, framework, n, {', '.join(_STATUSES)}, sum_us, min_us, max_us, ln_sum, ln_sq"
            " FROM crossbridge.rollup_test_day JOIN crossbridge.test_dim USING (test_key)"
        ),
    ),
    "rollup_test_week": (
        (
            f"SELECT e.environment, date_trunc('week', {_DAY}::timestamp)::date AS week, t.test_id, t.framework, count(*),"
            f" count(*) FILTER (WHERE t.status IN ('failed', 'error')), sum(t.duration_us), max(t.duration_us)"
            f" FROM crossbridge.tests AS t JOIN crossbridge.runs AS r USING (run_id)"
            f" CROSS JOIN LATERAL ({_SLICES}) AS e(environment)"
            f" WHERE (e.environment, date_trunc('week', {_DAY}::timestamp)::date) IN"
            "  (SELECT environment, week FROM crossbridge.rolled_weeks) GROUP BY 1, 2, 3, 4"
        ),
        (
            "SELECT environment, week, test_id, framework, n, failed, sum_us, max_us"
            " FROM crossbridge.rollup_test_week JOIN crossbridge.rolled_weeks USING (environment, week)"
            " JOIN crossbridge.test_dim USING (test_key)"
        ),
    ),
    "rollup_step_day": (
        (
            f"SELECT t.test_id, t.framework, {_DAY}, t.step_name, count(*), count(*) FILTER (WHERE t.status = 'failed'), {_US}"
            " FROM crossbridge.steps AS t GROUP BY 1, 2, 3, 4"
        ),
        (
            "SELECT test_id, framework, day, step_name, n, failed, sum_us, min_us, max_us"
            " FROM crossbridge.rollup_step_day JOIN crossbridge.test_dim USING (test_key)"
        ),
    ),
    "hist_hour": (
        (
            f"SELECT date_trunc('hour', t.created_at, 'UTC'), t.framework, {_ENVIRONMENT}, coalesce(r.git_branch, ''),"
            " crossbridge.hist_bin(t.duration_us), count(*)"
            " FROM crossbridge.tests AS t JOIN crossbridge.runs AS r USING (run_id) GROUP BY 1, 2, 3, 4, 5"
        ),
        (
            "SELECT hour, framework, environment, git_branch, lo + i - 1, sum(cnt[i])"
            " FROM crossbridge.hist_hour, generate_subscripts(cnt, 1) AS i WHERE cnt[i] <> 0 GROUP BY 1, 2, 3, 4, 5"
        ),
    ),
    "hist_day": (
        (
            f"SELECT {_DAY}, t.framework, {_ENVIRONMENT}, crossbridge.hist_bin(t.duration_us), count(*)"
            " FROM crossbridge.tests AS t JOIN crossbridge.runs AS r USING (run_id) GROUP BY 1, 2, 3, 4"
        ),
        (
            "SELECT day, framework, environment, lo + i - 1, sum(cnt[i])"
            " FROM crossbridge.hist_day, generate_subscripts(cnt, 1) AS i WHERE cnt[i] <> 0 GROUP BY 1, 2, 3, 4"
        ),
    ),
    "rollup_run_hour": (
        (
            "SELECT t.run_id, date_trunc('hour', t.created_at, 'UTC'), t.framework, count(*),"
            " count(*) FILTER (WHERE t.status = 'passed'), count(*) FILTER (WHERE t.status = 'failed'),"
            f" count(*) FILTER (WHERE t.status = 'error'), count(*) FILTER (WHERE t.status = 'skipped'), {_US}"
            " FROM crossbridge.tests AS t GROUP BY 1, 2, 3"
        ),
        (
            "SELECT run_id, hour, framework, n, passed, failed, error, skipped, sum_us, min_us, max_us"
            " FROM crossbridge.rollup_run_hour"
        ),
    ),
    "rollup_error_day": (
        (
            f"SELECT {_DAY}, left(coalesce(t.error_type, ''), 200), t.framework, {_ENVIRONMENT}, coalesce(r.git_branch, ''),"
            " count(*) FILTER (WHERE t.status = 'failed'), count(*) FILTER (WHERE t.status = 'error'), max(t.created_at)"
            " FROM crossbridge.tests AS t JOIN crossbridge.runs AS r USING (run_id)"
            " WHERE t.status IN ('failed', 'error') GROUP BY 1, 2, 3, 4, 5"
        ),
        (
            "SELECT day, error_type, framework, environment, git_branch, sum(failed), sum(error), max(last_at)"
            " FROM crossbridge.rollup_error_day GROUP BY 1, 2, 3, 4, 5"
        ),
    ),
    "rollup_call_day": (
        (
            f"SELECT {_DAY}, 'http', left(t.endpoint, 300), left(t.method, 20), c.environment, c.git_branch, count(*),"
            " count(*) FILTER (WHERE t.error IS NOT NULL OR t.status_code IS NULL OR t.status_code >= 400), 0,"
            " sum(t.duration_us), max(t.duration_us), crossbridge.hist_of(array_agg(crossbridge.hist_bin(t.duration_us)))"
            f" FROM crossbridge.http_calls AS t JOIN crossbridge.runs AS r USING (run_id) {_CELLS} GROUP BY 1, 3, 4, 5, 6 UNION ALL "
            f"SELECT {_DAY}, 'driver', left(t.command, 300), '', c.environment, c.git_branch, count(*),"
            " count(*) FILTER (WHERE t.error IS NOT NULL), sum(t.retry_count),"
            " sum(t.duration_us), max(t.duration_us), crossbridge.hist_of(array_agg(crossbridge.hist_bin(t.duration_us)))"
            f" FROM crossbridge.driver_commands AS t JOIN crossbridge.runs AS r USING (run_id) {_CELLS} GROUP BY 1, 3, 5, 6"
        ),
        (
            "SELECT day, kind, name, method, environment, git_branch, n, errors, retries, sum_us, max_us,"
            " ROW(lo, cnt)::crossbridge.histogram FROM crossbridge.rollup_call_day"
        ),
    ),
    "troubles": (
        (
            "SELECT t.created_at, t.test_id, t.framework, t.run_id, t.attempt, t.status = 'passed', t.duration_us, count(*)"
            " FROM crossbridge.tests AS t WHERE t.status IN ('failed', 'error') OR t.status = 'passed' AND t.attempt > 1"
            " GROUP BY 1, 2, 3, 4, 5, 6, 7"
        ),
        (
            "SELECT x.created_at, d.test_id, d.framework, r.run_id, x.attempt, x.passed, x.duration_us, count(*)"
            " FROM crossbridge.troubles AS x JOIN crossbridge.test_dim AS d USING (test_key)"
            " JOIN crossbridge.runs AS r USING (run_key) GROUP BY 1, 2, 3, 4, 5, 6, 7"
        ),
    ),
    "first_passes": (
        (
            f"SELECT DISTINCT {_DAY}, t.run_id, t.test_id, t.framework FROM crossbridge.tests AS t"
            " WHERE t.status = 'passed' AND t.attempt = 1"
        ),
        (
            "SELECT p.day, r.run_id, d.test_id, d.framework FROM crossbridge.first_passes AS p"
            " JOIN crossbridge.runs AS r USING (run_key) CROSS JOIN generate_series(0, 511) AS bit"
            " LEFT JOIN crossbridge.test_dim AS d ON d.test_key = 512 * p.chunk + bit WHERE get_bit(p.tests, bit) = 1"
        ),
    ),
    "rollup_test_version": (
        (
            f"SELECT left(r.app_version, 200), {_ENVIRONMENT}, coalesce(r.git_branch, ''), {_DAY}, t.test_id, t.framework,"
            " count(*), count(*) FILTER (WHERE t.status = 'passed'), count(*) FILTER (WHERE t.status = 'failed'),"
            " count(*) FILTER (WHERE t.status = 'error'),"
            " coalesce(sum(t.duration_us) FILTER (WHERE t.status = 'passed'), 0)"
            " FROM crossbridge.tests AS t JOIN crossbridge.runs AS r USING (run_id)"
            " WHERE r.app_version IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6"
        ),
        (
            "SELECT app_version, environment, git_branch, day, test_id, framework, n, passed, failed, error, passed_us"
            " FROM crossbridge.rollup_test_version JOIN crossbridge.version_dim USING (version_key)"
            " JOIN crossbridge.test_dim USING (test_key)"
        ),
    ),
    "runs": (
        f"SELECT t.run_id, count(*), {_BY_STATUS} FROM crossbridge.tests AS t GROUP BY 1",
        f"SELECT run_id, tests, {', '.join(_STATUSES)} FROM crossbridge.runs WHERE tests > 0",
    ),
}


def differences(connection: psycopg.Connection[Any]) -> dict[str, list[Any]]:
    """Rows in which a rollup and the rows it stands for differ, by rollup; empty when all is well."""
    found = {}
    for name, (raw, rolled) in _PAIRS.items():
        connection.execute("SET TIME ZONE 'UTC'")
        query = f"(({raw}) EXCEPT ({rolled})) UNION ALL (({rolled}) EXCEPT ({raw}))"
        if rows := connection.execute(query.encode()).fetchall():
            found[name] = rows
    return found


def roll_up_weeks(connection: psycopg.Connection[Any]) -> int:
    """Roll up all weeks that are over, and return how many they were."""
    return len(
        connection.execute(
            "SELECT crossbridge.roll_up_week(environment, week)"
            " FROM crossbridge.due_weeks(ARRAY(SELECT crossbridge.rollup_environments()), NULL)"
        ).fetchall()
    )


def rows_rolled_up(connection: psycopg.Connection[Any]) -> int:
    """How many attempts the hour series holds: a comparison of nothing proves nothing."""
    row = connection.execute("SELECT coalesce(sum(n), 0) FROM crossbridge.rollup_hour").fetchone()
    assert row is not None
    return int(row[0])
