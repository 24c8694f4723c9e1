-- run_trend --
-- The latest runs up to a moment, oldest first; counts are of attempts.
SELECT run_id, started_at, status, git_commit, tests AS attempts, passed, failed, error, skipped, xfailed, xpassed,
       interrupted,
       (extract(epoch FROM ended_at - started_at) * 1000000)::bigint AS duration_us
  FROM (SELECT *
          FROM crossbridge.runs
         WHERE started_at <= %(until)s
           AND (%(environment)s::text IS NULL OR environment = %(environment)s)
           AND (%(branch)s::text IS NULL OR git_branch = %(branch)s)
           AND (%(framework)s::text IS NULL OR %(framework)s = ANY (string_to_array(framework, ',')))
         ORDER BY started_at DESC, run_id
         LIMIT %(limit)s) AS latest
 ORDER BY started_at, run_id;

-- hour_trend --
-- Attempts by hour, or by day when `step` says so (UTC), from the first that saw any to the last, none left out.
WITH seen AS (
    SELECT date_trunc(%(step)s, hour AT TIME ZONE 'UTC') AS at,
           sum(n)::bigint AS attempts, sum(passed)::bigint AS passed, sum(failed)::bigint AS failed,
           sum(error)::bigint AS error, sum(skipped)::bigint AS skipped, sum(xfailed)::bigint AS xfailed,
           sum(xpassed)::bigint AS xpassed, sum(interrupted)::bigint AS interrupted, sum(sum_us)::bigint AS total_us
      FROM crossbridge.rollup_hour
     WHERE hour >= date_trunc(%(step)s, %(since)s AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
       AND (%(environment)s::text IS NULL OR environment = %(environment)s)
       AND (%(branch)s::text IS NULL OR git_branch = %(branch)s)
       AND (%(framework)s::text IS NULL OR framework = %(framework)s)
     GROUP BY 1
)
SELECT step.at AT TIME ZONE 'UTC' AS started_at,
       coalesce(attempts, 0) AS attempts, coalesce(passed, 0) AS passed, coalesce(failed, 0) AS failed,
       coalesce(error, 0) AS error, coalesce(skipped, 0) AS skipped, coalesce(xfailed, 0) AS xfailed,
       coalesce(xpassed, 0) AS xpassed, coalesce(interrupted, 0) AS interrupted, coalesce(total_us, 0) AS total_us
  FROM (SELECT generate_series(min(at), max(at), ('1 ' || %(step)s)::interval) AS at FROM seen) AS step
  LEFT JOIN seen USING (at)
 ORDER BY step.at;

-- outcome_history --
-- How each of these tests ended in its latest runs, oldest first: the worst of the last attempts, or 'flaky' when a
-- failing attempt was followed by a passing one.
WITH outcomes AS (
    SELECT w.place, t.run_id, max(t.created_at) AS ended_at,
           CASE WHEN min(t.attempt) FILTER (WHERE t.status IN ('failed', 'error'))
                     < max(t.attempt) FILTER (WHERE t.status = 'passed') THEN 'flaky'
                ELSE (array_agg(t.status ORDER BY t.attempt DESC, array_position(%(worst_first)s::text[], t.status)))[1]
           END AS status
      FROM unnest(%(frameworks)s::text[], %(test_ids)s::text[]) WITH ORDINALITY AS w(framework, test_id, place)
      JOIN crossbridge.tests AS t USING (framework, test_id)
     WHERE t.created_at >= %(since)s AND t.created_at <= %(until)s
       AND (%(environment)s::text IS NULL AND %(branch)s::text IS NULL
            OR t.run_id IN (SELECT run_id FROM crossbridge.runs
                             WHERE (%(environment)s::text IS NULL OR environment = %(environment)s)
                               AND (%(branch)s::text IS NULL OR git_branch = %(branch)s)))
     GROUP BY w.place, t.run_id
), latest AS (
    SELECT *, row_number() OVER (PARTITION BY place ORDER BY ended_at DESC, run_id) AS age FROM outcomes
)
SELECT place - 1 AS place, array_agg(status ORDER BY age DESC) AS outcomes
  FROM latest
 WHERE age <= %(limit)s
 GROUP BY place
 ORDER BY place;
