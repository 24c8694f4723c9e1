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
  FROM (SELECT environment, framework, crossbridge.hist_sum(lo, cnt) AS hist
          FROM crossbridge.hist_hour
         WHERE hour >= date_trunc('hour', now()) - interval '24 hours'
         GROUP BY environment, framework) AS days
 WHERE (SELECT sum(c) FROM unnest((hist).cnt) AS c) >= 20
 ORDER BY environment, framework;

-- alert_new_flaky --
-- Tests whose first evidence of flakiness in 14 days is of the last 24 hours, and how much of it there is. What counts as
-- evidence: see flaky_tests in flaky.sql.
WITH suspects AS MATERIALIZED (
    -- Fresh evidence leaves a test that in one run, or with one commit, both passed and failed lately.
    SELECT DISTINCT framework, test_id
      FROM (SELECT t.framework, t.test_id
              FROM crossbridge.tests AS t
              JOIN crossbridge.runs AS r USING (run_id)
             WHERE t.created_at >= now() - interval '2 days' AND t.status IN ('passed', 'failed', 'error')
             GROUP BY t.framework, t.test_id, coalesce(r.git_commit, r.run_id::text)
            HAVING bool_or(t.status = 'passed') AND bool_or(t.status <> 'passed')) AS lately
), outcomes AS (
    SELECT t.framework, t.test_id, t.run_id,
           (array_agg(t.status = 'passed' ORDER BY t.attempt DESC, t.status = 'passed'))[1] AS passed,
           coalesce(min(t.attempt) FILTER (WHERE t.status <> 'passed') < max(t.attempt) FILTER (WHERE t.status = 'passed'),
                    false) AS retried,
           max(t.created_at) AS last_at
      FROM suspects
      JOIN crossbridge.tests AS t USING (framework, test_id)
     WHERE t.created_at >= now() - interval '14 days' AND t.status IN ('passed', 'failed', 'error')
     GROUP BY t.framework, t.test_id, t.run_id
), placed AS (
    SELECT o.*, r.git_commit, r.started_at, r.environment = 'local' AND r.ci_provider IS NULL AS at_a_desk,
           jsonb_build_array(r.git_commit, r.app_version, r.environment, split_part(r.os, ' ', 1), r.runtime, r.labels)
               AS same_code
      FROM outcomes AS o
      JOIN crossbridge.runs AS r USING (run_id)
), changes AS (
    SELECT *, passed <> lag(passed) OVER (PARTITION BY framework, test_id, same_code
                                              ORDER BY started_at, last_at, run_id) AS changed
      FROM placed
), evidence AS (
    SELECT framework, test_id, last_at AS seen_at
      FROM placed
     WHERE retried
     UNION ALL
    SELECT framework, test_id,
           (array_agg(last_at ORDER BY last_at) FILTER (WHERE changed))[CASE WHEN bool_or(at_a_desk) THEN 2 ELSE 1 END]
      FROM changes
     WHERE git_commit IS NOT NULL
     GROUP BY framework, test_id, same_code
)
SELECT framework, test_id, count(seen_at)::float8 AS pieces_of_evidence
  FROM evidence
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
