-- alert_success_rate --
-- By how many percentage points fewer tests passed in the last 6 hours than in the 7 days before, by environment.
-- Of attempts that could pass or fail; 20 at least on either side.
WITH sides AS (
    SELECT environment,
           hour >= date_trunc('hour', now()) - interval '6 hours' AS recent,
           sum(passed)::float8 AS passed,
           sum(passed + failed + error + interrupted)::float8 AS ran
      FROM crossbridge.rollup_hour
     WHERE hour >= date_trunc('hour', now()) - interval '174 hours'
     GROUP BY 1, 2
    HAVING sum(passed + failed + error + interrupted) >= 20
)
SELECT coalesce(nullif(environment, ''), 'none') AS environment,
       100 * (earlier.passed / earlier.ran - recent.passed / recent.ran) AS lost_points
  FROM sides AS recent
  JOIN sides AS earlier USING (environment)
 WHERE recent.recent AND NOT earlier.recent
 ORDER BY environment;

-- alert_p95 --
-- 95th percentile of an attempt's duration in seconds over the last 24 hours, by environment and framework; of 20 at least.
SELECT coalesce(nullif(environment, ''), 'none') AS environment,
       framework,
       (crossbridge.hist_percentile((hist).lo, (hist).cnt, 0.95) / 1e6)::float8 AS p95_s
  FROM (SELECT environment, framework, crossbridge.hist_sum(packed) AS hist
          FROM crossbridge.hist_hour
         WHERE hour >= date_trunc('hour', now()) - interval '24 hours'
         GROUP BY environment, framework) AS days
 WHERE (SELECT sum(c) FROM unnest((hist).cnt) AS c) >= 20
 ORDER BY environment, framework;

-- alert_new_flaky --
-- Tests whose first evidence of flakiness in 14 days is of the last 24 hours, and how much of it there is. What counts as
-- evidence: see functions/flakiness.sql. The few rows of failures and retries tell of which tests to read all.
WITH placed AS MATERIALIZED (
    SELECT run_id, run_key, git_commit, started_at, same_code
      FROM crossbridge.runs
     WHERE started_at >= now() - interval '21 days'   -- a run may be longer than one would think
), codes AS MATERIALIZED (
    SELECT same_code, count(*) AS runs, max(started_at) AS last_started_at FROM placed GROUP BY 1
), troubled AS MATERIALIZED (
    SELECT t.framework, t.test_id, t.run_id,
           NOT crossbridge.passed_in_run(max(t.attempt) FILTER (WHERE t.status <> 'passed'),
                                         max(t.attempt) FILTER (WHERE t.status = 'passed')) AS failed,
           crossbridge.retried_in_run(min(t.attempt) FILTER (WHERE t.status <> 'passed'),
                                      max(t.attempt) FILTER (WHERE t.status = 'passed')) AS retried,
           max(t.created_at) AS last_at
      FROM crossbridge.tests AS t
     WHERE t.created_at >= now() - interval '14 days' AND (t.status IN ('failed', 'error') OR t.attempt > 1)
       AND t.status IN ('passed', 'failed', 'error')
     GROUP BY 1, 2, 3
), suspects AS MATERIALIZED (
    -- Not known to be flaky by a retry, and lately retried or failing in some but not all runs of a commit.
    SELECT t.framework, t.test_id, same_code, bool_or(t.retried) AS retried
      FROM troubled AS t
      JOIN placed AS p USING (run_id)
      JOIN codes AS c USING (same_code)
     WHERE (t.framework, t.test_id) NOT IN (SELECT framework, test_id FROM troubled
                                             WHERE retried AND last_at < now() - interval '24 hours')
     GROUP BY t.framework, t.test_id, same_code, p.git_commit, c.runs, c.last_started_at
    HAVING bool_or(t.retried) OR (p.git_commit IS NOT NULL AND c.last_started_at >= now() - interval '2 days'
                                  AND count(*) FILTER (WHERE t.failed) BETWEEN 1 AND c.runs - 1)
), passing AS MATERIALIZED (
    -- Of the last two days only: of a commit whose runs are further apart nothing is said.
    SELECT DISTINCT t.framework, t.test_id, p.same_code
      FROM crossbridge.tests AS t
      JOIN placed AS p USING (run_id)
     WHERE t.created_at >= now() - interval '2 days' AND t.status = 'passed'
       AND (t.framework, t.test_id, p.same_code) IN (SELECT framework, test_id, same_code FROM suspects)
), candidates AS MATERIALIZED (
    SELECT framework, test_id, bool_or(retried) AS retried
      FROM suspects
      LEFT JOIN passing USING (framework, test_id, same_code)
     WHERE retried OR passing.same_code IS NOT NULL
     GROUP BY 1, 2
     ORDER BY 3 DESC, 1, 2
     LIMIT 200
), outcomes AS MATERIALIZED (
    SELECT d.test_key, p.run_key, p.same_code, max(t.created_at) AS last_at,
           crossbridge.passed_in_run(max(t.attempt) FILTER (WHERE t.status <> 'passed'),
                                     max(t.attempt) FILTER (WHERE t.status = 'passed')) AS passed,
           crossbridge.retried_in_run(min(t.attempt) FILTER (WHERE t.status <> 'passed'),
                                      max(t.attempt) FILTER (WHERE t.status = 'passed')) AS retried
      FROM candidates
      JOIN crossbridge.test_dim AS d USING (framework, test_id)
      JOIN crossbridge.tests AS t USING (framework, test_id)
      JOIN placed AS p USING (run_id)
     WHERE t.created_at >= now() - interval '14 days' AND t.status IN ('passed', 'failed', 'error')
     GROUP BY d.test_key, p.run_key, p.same_code
), evidence AS (
    SELECT test_key, last_at AS seen_at FROM outcomes WHERE retried
     UNION ALL
    SELECT o.test_key, min(o.last_at)
      FROM (SELECT array_agg(test_key) AS tests, array_agg(run_key) AS run_keys, array_agg(passed) AS passed FROM outcomes) AS x
     CROSS JOIN crossbridge.flips(x.tests, x.run_keys, x.passed) AS f
      JOIN outcomes AS o ON o.test_key = f.test AND o.run_key = f.run_key
     GROUP BY o.test_key, o.same_code
)
SELECT framework, test_id, count(*)::float8 AS pieces_of_evidence
  FROM evidence
  JOIN crossbridge.test_dim USING (test_key)
 GROUP BY framework, test_id
HAVING min(seen_at) >= now() - interval '24 hours'
 ORDER BY pieces_of_evidence DESC, framework, test_id
 LIMIT 50;

-- alert_no_data --
-- Hours since anything was recorded; since the schema was made when nothing ever was. Clocks that run ahead do not count.
SELECT (extract(epoch FROM now() - coalesce(
            (SELECT max(last_at) FROM crossbridge.segments WHERE last_at <= now() + interval '5 minutes'),
            (SELECT min(applied_at) FROM crossbridge.schema_migrations))) / 3600)::float8 AS hours;

-- alert_dropped --
-- Events lost in the last 24 hours, by environment: dropped by a full spool or disk, refused by the database, torn or unknown.
SELECT coalesce(nullif(r.environment, ''), 'none') AS environment,
       sum(s.events_dropped)::float8 AS events
  FROM crossbridge.segments AS s
  JOIN crossbridge.runs AS r USING (run_id)
 WHERE s.last_at >= now() - interval '24 hours' AND s.events_dropped > 0
 GROUP BY 1
 ORDER BY 1;
