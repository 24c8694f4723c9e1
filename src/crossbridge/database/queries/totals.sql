-- run_totals --
-- A run by framework. A test counts once, with the worst status among its last attempts; times are of all attempts.
WITH attempts AS (
    SELECT framework, status, duration_us, max(attempt) OVER test > 1 AS retried,
           row_number() OVER (test ORDER BY attempt DESC, array_position(%(worst_first)s::text[], status)) = 1 AS is_last
      FROM crossbridge.tests
     WHERE run_id = %(run_id)s AND created_at BETWEEN %(since)s AND %(until)s
       AND (%(framework)s::text IS NULL OR framework = %(framework)s)
    WINDOW test AS (PARTITION BY framework, test_id)
)
SELECT framework,
       count(*) FILTER (WHERE is_last) AS tests,
       count(*) AS attempts,
       count(*) FILTER (WHERE is_last AND retried) AS retried,
       count(*) FILTER (WHERE is_last AND status = 'passed') AS passed,
       count(*) FILTER (WHERE is_last AND status = 'failed') AS failed,
       count(*) FILTER (WHERE is_last AND status = 'error') AS error,
       count(*) FILTER (WHERE is_last AND status = 'skipped') AS skipped,
       count(*) FILTER (WHERE is_last AND status = 'xfailed') AS xfailed,
       count(*) FILTER (WHERE is_last AND status = 'xpassed') AS xpassed,
       count(*) FILTER (WHERE is_last AND status = 'interrupted') AS interrupted,
       sum(duration_us)::bigint AS total_us,
       avg(duration_us)::float8 AS average_us,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_us) AS p95_us,
       max(duration_us) AS max_us
  FROM attempts
 GROUP BY framework
 ORDER BY average_us, framework;

-- window_totals --
-- Attempts of a window by framework: whole hours from the rollup, what lies before the first of them from the rows.
WITH parts AS (
    SELECT framework, n, passed, failed, error, skipped, xfailed, xpassed, interrupted, sum_us, max_us
      FROM crossbridge.rollup_hour
     WHERE hour >= %(first_hour)s
       AND (%(environment)s::text IS NULL OR environment = %(environment)s)
       AND (%(branch)s::text IS NULL OR git_branch = %(branch)s)
       AND (%(framework)s::text IS NULL OR framework = %(framework)s)
     UNION ALL
    SELECT framework, count(*),
           count(*) FILTER (WHERE status = 'passed'), count(*) FILTER (WHERE status = 'failed'),
           count(*) FILTER (WHERE status = 'error'), count(*) FILTER (WHERE status = 'skipped'),
           count(*) FILTER (WHERE status = 'xfailed'), count(*) FILTER (WHERE status = 'xpassed'),
           count(*) FILTER (WHERE status = 'interrupted'), sum(duration_us), max(duration_us)
      FROM crossbridge.tests
     WHERE created_at >= %(since)s AND created_at < %(first_hour)s
       AND (%(framework)s::text IS NULL OR framework = %(framework)s)
       AND (%(environment)s::text IS NULL AND %(branch)s::text IS NULL
            OR run_id IN (SELECT run_id FROM crossbridge.runs
                           WHERE (%(environment)s::text IS NULL OR environment = %(environment)s)
                             AND (%(branch)s::text IS NULL OR git_branch = %(branch)s)))
     GROUP BY framework
)
SELECT framework,
       sum(n)::bigint AS attempts,
       sum(passed)::bigint AS passed,
       sum(failed)::bigint AS failed,
       sum(error)::bigint AS error,
       sum(skipped)::bigint AS skipped,
       sum(xfailed)::bigint AS xfailed,
       sum(xpassed)::bigint AS xpassed,
       sum(interrupted)::bigint AS interrupted,
       sum(sum_us)::bigint AS total_us,
       (sum(sum_us) / sum(n))::float8 AS average_us,
       max(max_us) AS max_us
  FROM parts
 GROUP BY framework
 ORDER BY average_us, framework;

-- window_p95 --
-- 95th percentile of a window by framework: whole days and hours from histograms, what lies before them from the rows.
WITH parts AS (
    SELECT framework, packed
      FROM crossbridge.hist_day
     WHERE day >= %(first_day)s::date
       AND (%(environment)s::text IS NULL OR environment = %(environment)s)
       AND (%(framework)s::text IS NULL OR framework = %(framework)s)
     UNION ALL
    SELECT framework, packed
      FROM crossbridge.hist_hour
     WHERE hour >= %(first_hour)s AND hour < %(first_day)s::timestamp AT TIME ZONE 'UTC'
       AND (%(environment)s::text IS NULL OR environment = %(environment)s)
       AND (%(branch)s::text IS NULL OR git_branch = %(branch)s)
       AND (%(framework)s::text IS NULL OR framework = %(framework)s)
     UNION ALL
    SELECT edge.framework, crossbridge.hist_pack((edge.hist).lo, (edge.hist).cnt)
      FROM (SELECT framework, crossbridge.hist_of(array_agg(crossbridge.hist_bin(duration_us))) AS hist
              FROM crossbridge.tests
             WHERE created_at >= %(since)s AND created_at < %(first_hour)s
               AND (%(framework)s::text IS NULL OR framework = %(framework)s)
               AND (%(environment)s::text IS NULL AND %(branch)s::text IS NULL
                    OR run_id IN (SELECT run_id FROM crossbridge.runs
                                   WHERE (%(environment)s::text IS NULL OR environment = %(environment)s)
                                     AND (%(branch)s::text IS NULL OR git_branch = %(branch)s)))
             GROUP BY framework) AS edge
)
SELECT framework, crossbridge.hist_percentile((whole.hist).lo, (whole.hist).cnt, 0.95) AS p95_us
  FROM (SELECT framework, crossbridge.hist_sum(packed) AS hist FROM parts GROUP BY framework) AS whole;
