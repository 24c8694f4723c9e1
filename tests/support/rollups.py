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


def rows_rolled_up(connection: psycopg.Connection[Any]) -> int:
    """How many attempts the hour series holds: a comparison of nothing proves nothing."""
    row = connection.execute("SELECT coalesce(sum(n), 0) FROM crossbridge.rollup_hour").fetchone()
    assert row is not None
    return int(row[0])
