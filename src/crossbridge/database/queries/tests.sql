-- ranked_tests --
-- Tests by what their attempts took (average, longest, total) or how many of them failed, each with its share of the time
-- of all. Whole days come from the rollup, from slice_day on; what lies before, and all of it for one run or for a branch
-- in one environment, comes from the rows, and so do a branch's runs that the rollup has no days for. OFFSET 0 keeps the
-- planner from reading all rows to find those of some runs.
WITH unrolled AS (
    SELECT r.run_id, min(s.started_at) AS since, max(greatest(s.last_at, s.closed_at)) AS until
      FROM crossbridge.runs AS r
      JOIN crossbridge.segments AS s USING (run_id)
     WHERE r.git_branch = %(sliced_branch)s AND NOT r.rolled_branch
     GROUP BY 1
    HAVING max(greatest(s.last_at, s.closed_at)) >= %(slice_rows_until)s
), parts AS (
    SELECT d.framework, d.test_id, r.attempts, r.failed, r.total_us, r.max_us
      FROM (SELECT test_key, sum(n) AS attempts, sum(failed + error) AS failed, sum(sum_us) AS total_us, max(max_us) AS max_us
              FROM crossbridge.rollup_test_day
             WHERE environment = %(slice)s AND day >= %(slice_day)s::date
             GROUP BY test_key) AS r
      JOIN crossbridge.test_dim AS d USING (test_key)
     WHERE %(framework)s::text IS NULL OR d.framework = %(framework)s
     UNION ALL
    SELECT framework, test_id, count(*), count(*) FILTER (WHERE status IN ('failed', 'error')), sum(duration_us),
           max(duration_us)
      FROM crossbridge.tests
     WHERE created_at >= %(since)s AND created_at < %(slice_rows_until)s
       AND (%(run_id)s::uuid IS NULL OR run_id = %(run_id)s)
       AND (%(framework)s::text IS NULL OR framework = %(framework)s)
       AND (%(environment)s::text IS NULL AND %(branch)s::text IS NULL
            OR run_id IN (SELECT run_id FROM crossbridge.runs
                           WHERE (%(environment)s::text IS NULL OR environment = %(environment)s)
                             AND (%(branch)s::text IS NULL OR git_branch = %(branch)s)))
     GROUP BY framework, test_id
     UNION ALL
    SELECT t.framework, t.test_id, count(*), count(*) FILTER (WHERE t.status IN ('failed', 'error')), sum(t.duration_us),
           max(t.duration_us)
      FROM unrolled
     CROSS JOIN LATERAL (
         SELECT * FROM crossbridge.tests AS t
          WHERE t.run_id = unrolled.run_id AND t.created_at BETWEEN unrolled.since AND unrolled.until
            AND t.created_at >= %(slice_rows_until)s
            AND (%(framework)s::text IS NULL OR t.framework = %(framework)s)
         OFFSET 0) AS t
     GROUP BY 1, 2
), tests AS (
    SELECT framework, test_id,
           sum(attempts)::bigint AS attempts,
           sum(failed)::bigint AS failed,
           sum(total_us)::bigint AS total_us,
           (sum(total_us) / sum(attempts))::float8 AS average_us,
           max(max_us) AS max_us,
           coalesce(sum(total_us)::float8 / nullif(sum(sum(total_us)) OVER (), 0)::float8, 0) AS share
      FROM parts
     GROUP BY framework, test_id
)
SELECT *
  FROM tests
 WHERE %(rank)s <> 'failed' OR failed > 0
 ORDER BY CASE %(rank)s WHEN 'average' THEN total_us::numeric / attempts
                        WHEN 'max' THEN max_us
                        WHEN 'total' THEN total_us
                        WHEN 'failed' THEN failed END DESC,
          framework, test_id
 LIMIT %(limit)s;

-- percentiles_of_tests --
-- Percentiles of some tests' attempts, each from a moment of its own on.
SELECT wanted.place::integer - 1 AS place, count(*) AS measured,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY t.duration_us) AS p50_us,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY t.duration_us) AS p95_us
  FROM unnest(%(frameworks)s::text[], %(test_ids)s::text[], %(sinces)s::timestamptz[])
       WITH ORDINALITY AS wanted(framework, test_id, since, place)
  JOIN crossbridge.tests AS t
    ON t.framework = wanted.framework AND t.test_id = wanted.test_id AND t.created_at >= wanted.since
 WHERE t.created_at >= %(since)s
   AND (%(environment)s::text IS NULL AND %(branch)s::text IS NULL
        OR t.run_id IN (SELECT run_id FROM crossbridge.runs
                         WHERE (%(environment)s::text IS NULL OR environment = %(environment)s)
                           AND (%(branch)s::text IS NULL OR git_branch = %(branch)s)))
 GROUP BY wanted.place;

-- run_failures --
-- Tests of a run whose last attempt failed or broke, in the order in which they ended.
SELECT * FROM (
    SELECT DISTINCT ON (framework, test_id)
           framework, test_id, status, attempt, created_at, duration_us, error_type, error_message
      FROM crossbridge.tests
     WHERE run_id = %(run_id)s AND created_at BETWEEN %(since)s AND %(until)s
       AND (%(framework)s::text IS NULL OR framework = %(framework)s)
     ORDER BY framework, test_id, attempt DESC, array_position(%(worst_first)s::text[], status), created_at DESC
) AS last_attempt
 WHERE status = ANY (%(statuses)s)
 ORDER BY created_at, framework, test_id
 LIMIT %(limit)s;

-- latest_failures --
-- The newest failing attempt in the window of each of these tests. When it was is told by the index of failures and
-- retries alone; by its time the row is found.
WITH wanted AS MATERIALIZED (
    SELECT framework, test_id FROM unnest(%(frameworks)s::text[], %(test_ids)s::text[]) AS w(framework, test_id)
), newest AS MATERIALIZED (
    SELECT t.framework, t.test_id, max(t.created_at) AS created_at
      FROM crossbridge.tests AS t
      JOIN wanted USING (framework, test_id)
     WHERE t.created_at >= %(since)s AND (t.status IN ('failed', 'error') OR t.attempt > 1)
       AND t.status IN ('failed', 'error')
       AND (%(environment)s::text IS NULL AND %(branch)s::text IS NULL
            OR t.run_id IN (SELECT run_id FROM crossbridge.runs
                             WHERE (%(environment)s::text IS NULL OR environment = %(environment)s)
                               AND (%(branch)s::text IS NULL OR git_branch = %(branch)s)))
     GROUP BY 1, 2
)
SELECT f.*
  FROM newest
 CROSS JOIN LATERAL (
     SELECT t.framework, t.test_id, t.status, t.attempt, t.created_at, t.duration_us, t.error_type, t.error_message
       FROM crossbridge.tests AS t
      WHERE t.created_at = newest.created_at AND t.framework = newest.framework AND t.test_id = newest.test_id
        AND t.status IN ('failed', 'error')
        AND (%(environment)s::text IS NULL AND %(branch)s::text IS NULL
             OR t.run_id IN (SELECT run_id FROM crossbridge.runs
                              WHERE (%(environment)s::text IS NULL OR environment = %(environment)s)
                                AND (%(branch)s::text IS NULL OR git_branch = %(branch)s)))
      ORDER BY t.attempt DESC
      LIMIT 1) AS f;

-- running_tests --
-- Tests that have begun and of whose end nothing is known, the longest first.
SELECT f.run_id, f.framework, f.test_id, f.attempt, f.worker, f.started_at, f.step_name, f.step_started_at
  FROM crossbridge.in_flight AS f
  JOIN crossbridge.runs AS r USING (run_id)
 WHERE (%(run_id)s::uuid IS NULL OR f.run_id = %(run_id)s)
   AND f.started_at >= %(since)s
   AND (%(environment)s::text IS NULL OR r.environment = %(environment)s)
   AND (%(branch)s::text IS NULL OR r.git_branch = %(branch)s)
   AND (%(framework)s::text IS NULL OR f.framework = %(framework)s)
 ORDER BY f.started_at, f.framework, f.test_id
 LIMIT %(limit)s;
