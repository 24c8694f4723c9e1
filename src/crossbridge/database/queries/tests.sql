-- days_of_window --
-- Where whole days begin for a window: the rows between are added to them, or taken off. And the weeks it holds whole that
-- are rolled up.
SELECT crossbridge.nearest_day(%(since)s) AS midnight,
       ARRAY(SELECT week FROM crossbridge.rolled_weeks
              WHERE environment = %(slice)s AND week >= %(whole_day)s::date) AS weeks;

-- ranked_tests --
-- Tests by what their attempts took (average, longest, total) or how many of them failed, for each of `ranks`, each with its
-- share of the time of all. Whole weeks and days come from the rollups, from slice_from on; the rows between it and the
-- window's beginning are added (sign 1) or taken off (-1). For one run, or a branch in one environment, all comes from the
-- rows, and so do a branch's runs that the rollup has no days for. OFFSET 0 keeps the planner from reading all rows to find
-- those of some runs. When a day's longest attempt may be among the rows taken off, the longest is sought again, of the
-- tests shown only.
WITH chosen AS MATERIALIZED (
    SELECT run_id, rolled_branch
      FROM crossbridge.runs
     WHERE (%(environment)s::text IS NULL OR environment = %(environment)s)
       AND (%(branch)s::text IS NULL OR git_branch = %(branch)s)
), unrolled AS (
    SELECT r.run_id, min(s.started_at) AS since, max(greatest(s.last_at, s.closed_at)) AS until
      FROM chosen AS r
      JOIN crossbridge.segments AS s USING (run_id)
     WHERE %(sliced_branch)s::text IS NOT NULL AND NOT r.rolled_branch
     GROUP BY 1
    HAVING max(greatest(s.last_at, s.closed_at)) >= %(slice_from)s
), rowed AS (
    SELECT framework, test_id, %(sign)s * count(*) AS attempts,
           %(sign)s * count(*) FILTER (WHERE status IN ('failed', 'error')) AS failed, %(sign)s * sum(duration_us)::bigint AS total_us,
           max(duration_us) FILTER (WHERE created_at >= %(since)s) AS max_us,
           max(duration_us) FILTER (WHERE created_at < %(since)s) AS off_max_us
      FROM crossbridge.tests
     WHERE created_at >= %(edge_since)s AND created_at < %(edge_until)s
       AND (%(run_id)s::uuid IS NULL OR run_id = %(run_id)s)
       AND (%(framework)s::text IS NULL OR framework = %(framework)s)
       AND (%(environment)s::text IS NULL AND %(branch)s::text IS NULL OR run_id IN (SELECT run_id FROM chosen))
     GROUP BY framework, test_id
     UNION ALL
    SELECT t.framework, t.test_id, count(*), count(*) FILTER (WHERE t.status IN ('failed', 'error')), sum(t.duration_us)::bigint,
           max(t.duration_us) FILTER (WHERE t.created_at >= %(since)s), NULL
      FROM unrolled
     CROSS JOIN LATERAL (
         SELECT * FROM crossbridge.tests AS t
          WHERE t.run_id = unrolled.run_id AND t.created_at BETWEEN unrolled.since AND unrolled.until
            AND t.created_at >= %(slice_from)s
            AND (%(framework)s::text IS NULL OR t.framework = %(framework)s)
         OFFSET 0) AS t
     GROUP BY 1, 2
), tests AS MATERIALIZED (
    SELECT test_key, sum(attempts)::bigint AS attempts, sum(failed)::bigint AS failed, sum(total_us)::bigint AS total_us,
           greatest(max(max_us), CASE WHEN max(cut_max_us) > coalesce(max(off_max_us), -1) THEN max(cut_max_us) ELSE 0 END)
           AS max_us, max(cut_max_us) AS cut_max_us
      FROM (SELECT test_key, sum(n) AS attempts, sum(failed) AS failed, sum(sum_us)::bigint AS total_us,
                   max(max_us) FILTER (WHERE NOT cut) AS max_us, max(max_us) FILTER (WHERE cut) AS cut_max_us,
                   NULL AS off_max_us
              FROM (SELECT test_key, n, failed + error AS failed, sum_us, max_us, day < %(whole_day)s::date AS cut
                      FROM crossbridge.rollup_test_day
                     WHERE environment = %(slice)s
                       AND (day >= %(slice_tail)s::date OR day = ANY (%(slice_days)s::date[]))
                     UNION ALL
                    SELECT test_key, n, failed, sum_us, max_us, false
                      FROM crossbridge.rollup_test_week
                     WHERE environment = %(slice)s AND week = ANY (%(slice_weeks)s::date[])) AS cells
             GROUP BY test_key
             UNION ALL
            SELECT d.test_key, r.attempts, r.failed, r.total_us, r.max_us, NULL, r.off_max_us
              FROM rowed AS r
              JOIN crossbridge.test_dim AS d USING (framework, test_id)) AS parts
     WHERE %(framework)s::text IS NULL
        OR test_key IN (SELECT test_key FROM crossbridge.test_dim WHERE framework = %(framework)s)
     GROUP BY test_key
    HAVING sum(attempts) > 0
), ranked AS MATERIALIZED (
    -- Names are asked for of these only.
    SELECT w.rank, t.*, row_number() OVER (PARTITION BY w.rank ORDER BY t.size DESC, d.framework, d.test_id) AS place,
           d.framework, d.test_id
      FROM unnest(%(ranks)s::text[]) AS w(rank)
     CROSS JOIN LATERAL (
         SELECT t.*, CASE w.rank WHEN 'average' THEN t.total_us::float8 / t.attempts
                                 WHEN 'max' THEN t.max_us
                                 WHEN 'total' THEN t.total_us
                                 WHEN 'failed' THEN t.failed END AS size
           FROM tests AS t
          WHERE w.rank <> 'failed' OR t.failed > 0
          ORDER BY size DESC
          FETCH FIRST %(limit)s ROWS WITH TIES) AS t
      JOIN crossbridge.test_dim AS d USING (test_key)
)
SELECT r.rank, r.framework, r.test_id, r.attempts, r.failed, r.total_us,
       r.total_us::float8 / r.attempts AS average_us, greatest(r.max_us, cut.max_us)::bigint AS max_us,
       coalesce(r.total_us::float8 / nullif((SELECT sum(total_us) FROM tests), 0)::float8, 0) AS share
  FROM ranked AS r
 CROSS JOIN LATERAL (
      SELECT max(t.duration_us) AS max_us
        FROM crossbridge.tests AS t
       WHERE r.cut_max_us > r.max_us AND t.test_id = r.test_id AND t.framework = r.framework
         AND t.created_at >= %(since)s AND t.created_at < %(whole_day)s::timestamp AT TIME ZONE 'UTC'
         AND (%(environment)s::text IS NULL AND %(branch)s::text IS NULL OR t.run_id IN (SELECT run_id FROM chosen))) AS cut
 WHERE r.place <= %(limit)s
 ORDER BY r.rank, r.place;

-- percentiles_of_tests --
-- Percentiles of some tests' attempts, in the window or, `narrowed`, each from a moment of its own on.
SELECT wanted.place::integer - 1 AS place, count(*) AS measured,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY t.duration_us) AS p50_us,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY t.duration_us) AS p95_us
  FROM unnest(%(frameworks)s::text[], %(test_ids)s::text[], %(sinces)s::timestamptz[])
       WITH ORDINALITY AS wanted(framework, test_id, since, place)
 CROSS JOIN LATERAL (SELECT t.run_id, t.duration_us
                       FROM crossbridge.tests AS t
                      WHERE t.framework = wanted.framework AND t.test_id = wanted.test_id AND t.created_at >= %(since)s
                        AND (NOT %(narrowed)s OR t.created_at >= wanted.since)
                     OFFSET 0) AS t   -- test by test: all of the window's rows are many more
 WHERE (%(environment)s::text IS NULL AND %(branch)s::text IS NULL
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
-- The newest failing attempt in the window of each of these tests. When it was is told by the few failures and retries; by
-- its time the row is found.
WITH chosen AS (
    SELECT run_id, run_key
      FROM crossbridge.runs
     WHERE (%(environment)s::text IS NULL OR environment = %(environment)s)
       AND (%(branch)s::text IS NULL OR git_branch = %(branch)s)
), newest AS MATERIALIZED (
    SELECT x.framework, x.test_id, max(x.created_at) AS created_at
      FROM (SELECT d.framework, d.test_id, x.created_at, x.run_key
              FROM unnest(%(frameworks)s::text[], %(test_ids)s::text[]) AS w(framework, test_id)
              JOIN crossbridge.test_dim AS d USING (framework, test_id)
              JOIN crossbridge.troubles AS x USING (test_key)
             WHERE x.created_at >= %(since)s AND NOT x.passed
            OFFSET 0) AS x   -- few, of which it is then asked whether their runs are chosen
     WHERE %(environment)s::text IS NULL AND %(branch)s::text IS NULL OR x.run_key IN (SELECT run_key FROM chosen)
     GROUP BY 1, 2
)
SELECT f.*
  FROM newest
 CROSS JOIN LATERAL (
     SELECT t.framework, t.test_id, t.status, t.attempt, t.created_at, t.duration_us, t.error_type, t.error_message
       FROM crossbridge.tests AS t
      WHERE t.created_at = newest.created_at AND t.framework = newest.framework AND t.test_id = newest.test_id
        AND t.status IN ('failed', 'error')
        AND (%(environment)s::text IS NULL AND %(branch)s::text IS NULL OR t.run_id IN (SELECT run_id FROM chosen))
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
