-- flaky_tests --
-- Tests with evidence of flakiness, of which one piece is enough: in one run a failing attempt was followed by a passing
-- one, or runs of one commit in one place ended both ways. The rule stands in functions/flakiness.sql.
-- Failures and retries are few: they tell which tests may have evidence, and how much at most, if the test ran in every
-- run of a commit. Only of the tests with most of it is asked in which runs they passed.
WITH placed AS MATERIALIZED (
    SELECT run_key, run_id, git_commit, started_at, same_code
      FROM crossbridge.runs
     WHERE started_at >= %(since)s::timestamptz - interval '7 days'   -- a run may be longer than one would think
       AND (%(environment)s::text IS NULL OR environment = %(environment)s)
       AND (%(branch)s::text IS NULL OR git_branch = %(branch)s)
), codes AS MATERIALIZED (
    SELECT same_code, count(git_commit) AS runs FROM placed GROUP BY 1   -- none when the commit is not known
), suspects AS MATERIALIZED (
    -- No test has more evidence than runs in which it failed.
    SELECT t.test_key
      FROM crossbridge.troubles AS t
     WHERE t.created_at >= %(since)s AND NOT t.passed
       AND (%(environment)s::text IS NULL AND %(branch)s::text IS NULL OR t.run_key IN (SELECT run_key FROM placed))
       AND (%(framework)s::text IS NULL
            OR t.test_key IN (SELECT test_key FROM crossbridge.test_dim WHERE framework = %(framework)s))
     GROUP BY 1
     ORDER BY count(*) DESC, t.test_key
     LIMIT %(suspects)s
), troubled AS (
    -- As little as tells how their runs ended: of the few candidates all is read once more.
    SELECT t.test_key, t.run_key, max(t.attempt) FILTER (WHERE NOT t.passed) AS last_failed,
           min(t.attempt) FILTER (WHERE NOT t.passed) AS first_failed, max(t.attempt) FILTER (WHERE t.passed) AS last_passed,
           max(t.created_at) AS last_at
      FROM crossbridge.troubles AS t
     WHERE t.created_at >= %(since)s AND t.test_key IN (SELECT test_key FROM suspects)
     GROUP BY 1, 2
), possible AS (
    SELECT t.test_key, count(*) FILTER (WHERE crossbridge.retried_in_run(t.first_failed, t.last_passed)) AS retried,
           count(*) FILTER (WHERE NOT crossbridge.passed_in_run(t.last_failed, t.last_passed)) BETWEEN 1 AND max(c.runs) - 1
               AS both_ways,
           max(t.last_at) AS last_at
      FROM troubled AS t
      JOIN placed AS p USING (run_key)
      JOIN codes AS c USING (same_code)
     GROUP BY 1, same_code
), candidates AS MATERIALIZED (
    SELECT p.test_key, p.test_key / 512 AS chunk, p.test_key %% 512 AS place
      FROM possible AS p
     GROUP BY 1
    HAVING sum(p.retried) > 0 OR bool_or(p.both_ways)
     ORDER BY sum(p.retried) + count(*) FILTER (WHERE p.both_ways) DESC, max(p.last_at) DESC, p.test_key
     LIMIT %(candidates)s
), tried AS MATERIALIZED (
    -- How the runs ended in which they had trouble.
    SELECT t.*, p.same_code, crossbridge.retried_in_run(t.first_failed, t.last_passed) AS retried,
           crossbridge.passed_in_run(t.last_failed, t.last_passed) AS passed
      FROM (SELECT t.test_key, t.run_key, max(t.attempt) FILTER (WHERE NOT t.passed) AS last_failed,
                   min(t.attempt) FILTER (WHERE NOT t.passed) AS first_failed, max(t.attempt) FILTER (WHERE t.passed) AS last_passed,
                   count(*) AS attempts, count(*) FILTER (WHERE NOT t.passed) AS failed_attempts,
                   coalesce(sum(t.duration_us) FILTER (WHERE NOT t.passed), 0) AS failed_us, max(t.created_at) AS last_at
              FROM crossbridge.troubles AS t
             WHERE t.created_at >= %(since)s AND t.test_key IN (SELECT test_key FROM candidates)
             GROUP BY 1, 2) AS t
      JOIN placed AS p USING (run_key)
), cut AS MATERIALIZED (
    -- Runs of which only a part lies in the window: what passed in them on its first day is read from the rows.
    SELECT p.run_key, p.run_id
      FROM placed AS p
     WHERE p.started_at < %(since)s
       AND p.run_id IN (SELECT run_id FROM crossbridge.rollup_run_hour
                         WHERE hour >= date_trunc('hour', %(since)s::timestamptz, 'UTC')
                           AND hour < date_trunc('day', %(since)s::timestamptz, 'UTC') + interval '1 day')
), first_day AS MATERIALIZED (
    SELECT c.test_key, x.run_key
      FROM cut AS x
     CROSS JOIN LATERAL (SELECT * FROM crossbridge.tests AS t
                          WHERE t.run_id = x.run_id AND t.created_at >= %(since)s OFFSET 0) AS t
      JOIN crossbridge.test_dim AS d ON d.test_id = t.test_id AND d.framework = t.framework
      JOIN candidates AS c USING (test_key)
     WHERE t.status = 'passed' AND t.attempt = 1
       AND t.created_at < date_trunc('day', %(since)s::timestamptz, 'UTC') + interval '1 day'
), passes AS MATERIALIZED (
    -- Runs in which they passed at once; in some of them other attempts, in parallel, had trouble.
    SELECT x.test_key, x.run_key, p.same_code,
           (x.test_key, x.run_key) NOT IN (SELECT test_key, run_key FROM tried) AS without_trouble
      FROM (SELECT c.test_key, p.run_key
              FROM crossbridge.first_passes AS p
              JOIN candidates AS c ON c.chunk = p.chunk AND get_bit(p.tests, c.place) > 0   -- not = 1: taken for rare
             WHERE p.day >= (%(since)s::timestamptz AT TIME ZONE 'UTC')::date
               AND (p.day > (%(since)s::timestamptz AT TIME ZONE 'UTC')::date
                    OR p.run_key IN (SELECT run_key FROM placed WHERE started_at >= %(since)s))
             UNION   -- not all: a run over midnight is there twice
            SELECT test_key, run_key FROM first_day) AS x
      JOIN placed AS p USING (run_key)
), broken AS MATERIALIZED (
    SELECT DISTINCT test_key, same_code FROM tried WHERE NOT passed
), ended AS MATERIALIZED (
    -- How all runs ended of the codes of which one failed.
    SELECT t.test_key, t.run_key, t.same_code, t.passed, t.retried, t.failed_us, t.last_at
      FROM tried AS t
      JOIN broken USING (test_key, same_code)
     UNION ALL
    SELECT x.test_key, x.run_key, x.same_code, true, false, 0, NULL
      FROM passes AS x
      JOIN broken USING (test_key, same_code)
     WHERE x.without_trouble
), mixed AS MATERIALIZED (
    SELECT * FROM ended WHERE (test_key, same_code) IN (SELECT test_key, same_code FROM ended WHERE passed)
), flips AS MATERIALIZED (
    SELECT f.*
      FROM (SELECT array_agg(test_key) AS tests, array_agg(run_key) AS run_keys, array_agg(passed) AS passed FROM mixed) AS x
     CROSS JOIN crossbridge.flips(x.tests, x.run_keys, x.passed) AS f
), both_ways AS (
    SELECT m.test_key, max(p.git_commit) AS git_commit, count(*) FILTER (WHERE NOT m.passed AND NOT m.retried) AS failed_runs,
           coalesce(sum(m.failed_us) FILTER (WHERE NOT m.retried), 0) AS failed_us,
           max(m.last_at) FILTER (WHERE f.test IS NOT NULL) AS last_changed_at,
           -- the latest run that did not end as the one before it although nothing failed in it
           (array_agg(p.run_id ORDER BY p.started_at DESC) FILTER (WHERE f.test IS NOT NULL AND m.last_at IS NULL))[1] AS mended_in,
           max(p.started_at) FILTER (WHERE f.test IS NOT NULL AND m.last_at IS NULL) AS mended_at
      FROM mixed AS m
      JOIN placed AS p USING (run_key)
      LEFT JOIN flips AS f ON f.test = m.test_key AND f.run_key = m.run_key
     GROUP BY m.test_key, m.same_code
    HAVING count(f.test) > 0
), commits AS (
    SELECT test_key, count(DISTINCT git_commit) AS commits, sum(failed_runs)::bigint AS failed_runs, sum(failed_us) AS failed_us,
           max(last_changed_at) AS last_changed_at, max(mended_at) AS mended_at,
           (array_agg(mended_in ORDER BY mended_at DESC NULLS LAST))[1] AS mended_in
      FROM both_ways
     GROUP BY 1
), retries AS (
    SELECT test_key, count(*) AS runs, sum(attempts)::bigint AS attempts,
           sum(failed_attempts)::bigint AS failed_attempts,
           count(*) FILTER (WHERE NOT passed) AS failed_runs, count(*) FILTER (WHERE retried) AS retried_runs,
           coalesce(sum(failed_us) FILTER (WHERE retried), 0) AS retried_us, max(last_at) FILTER (WHERE retried) AS last_retried_at
      FROM tried
     GROUP BY 1
), firsts AS (
    SELECT test_key, count(*) AS attempts, count(*) FILTER (WHERE without_trouble) AS runs FROM passes GROUP BY 1
)
SELECT d.framework, d.test_id, r.retried_runs, coalesce(c.commits, 0) AS commits, coalesce(f.runs, 0) + r.runs AS runs, r.failed_runs,
       coalesce(f.attempts, 0) + r.attempts AS attempts, r.failed_attempts, r.retried_runs + coalesce(c.failed_runs, 0) AS flips,
       (r.retried_us + coalesce(c.failed_us, 0))::bigint AS lost_us,
       greatest(r.last_retried_at, c.last_changed_at, c.mended_at, mended.last_at) AS last_flaked_at
  FROM retries AS r
  LEFT JOIN firsts AS f USING (test_key)
  LEFT JOIN commits AS c USING (test_key)
  JOIN crossbridge.test_dim AS d USING (test_key)
  LEFT JOIN LATERAL (
      SELECT max(x.created_at) AS last_at
        FROM crossbridge.tests AS x
       WHERE x.run_id = c.mended_in AND x.test_id = d.test_id AND x.framework = d.framework AND x.status = 'passed'
         AND x.created_at >= %(since)s
         AND x.created_at >= c.mended_at - interval '1 day') AS mended ON true   -- or all months of the window are looked into
 WHERE r.retried_runs > 0 OR c.commits > 0;

-- retried_tests --
-- Tests of a run that failed and then passed on a later attempt.
SELECT framework, test_id,
       count(*) AS attempts,
       count(*) FILTER (WHERE status <> 'passed') AS failed_attempts,
       (array_agg(error_type ORDER BY attempt DESC) FILTER (WHERE status <> 'passed'))[1] AS error_type,
       (array_agg(error_message ORDER BY attempt DESC) FILTER (WHERE status <> 'passed'))[1] AS error_message
  FROM crossbridge.tests
 WHERE run_id = %(run_id)s AND created_at BETWEEN %(since)s AND %(until)s
   AND status IN ('passed', 'failed', 'error')
   AND (%(framework)s::text IS NULL OR framework = %(framework)s)
 GROUP BY framework, test_id
HAVING crossbridge.retried_in_run(min(attempt) FILTER (WHERE status <> 'passed'), max(attempt) FILTER (WHERE status = 'passed'))
 ORDER BY failed_attempts DESC, framework, test_id
 LIMIT %(limit)s;
