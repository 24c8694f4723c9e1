-- flaky_tests --
-- Tests of which the same code has both passed and failed. The evidence is of two kinds, and one piece is enough:
--   retried: in one run a failing attempt was followed by a passing one;
--   commits: runs of one commit and application version in one place (environment, system, runtime, labels) ended
--            both ways. At a developer's desk (environment 'local', no CI) the files may be edited between two runs
--            of a commit, so there the outcome must have changed twice: once is what an edit looks like.
-- Failing is failed or error. Runs whose commit is not known give evidence of the first kind only.
-- Rows of failures and retries are few and have an index of their own: they tell which tests may have evidence, and how
-- much at most, if the test ran in every run of a commit. Only of the tests with most of it all rows are read.
WITH placed AS MATERIALIZED (
    SELECT run_id, git_commit, started_at, environment = 'local' AND ci_provider IS NULL AS at_a_desk,
           jsonb_hash_extended(jsonb_build_array(git_commit, app_version, environment, split_part(os, ' ', 1), runtime, labels),
                               0) AS same_code
      FROM crossbridge.runs
     WHERE started_at >= %(since)s::timestamptz - interval '7 days'   -- a run may be longer than one would think
       AND (%(environment)s::text IS NULL OR environment = %(environment)s)
       AND (%(branch)s::text IS NULL OR git_branch = %(branch)s)
), codes AS MATERIALIZED (
    SELECT same_code, count(*) AS runs FROM placed GROUP BY 1
), telling AS MATERIALIZED (
    SELECT t.framework, t.test_id, t.run_id, t.attempt, t.status <> 'passed' AS failed, t.created_at
      FROM crossbridge.tests AS t
     WHERE t.created_at >= %(since)s AND (t.status IN ('failed', 'error') OR t.attempt > 1)
       AND t.status IN ('passed', 'failed', 'error')
       AND (%(framework)s::text IS NULL OR t.framework = %(framework)s)
), suspects AS (
    -- No test has more evidence than runs in which it failed.
    SELECT framework, test_id
      FROM telling
     WHERE run_id IN (SELECT run_id FROM placed)
     GROUP BY framework, test_id
    HAVING bool_or(failed)
     ORDER BY count(*) FILTER (WHERE failed) DESC, framework, test_id
     LIMIT %(suspects)s
), troubled AS (
    SELECT t.framework, t.test_id, t.run_id,
           max(t.attempt) FILTER (WHERE t.failed) >= coalesce(max(t.attempt) FILTER (WHERE NOT t.failed), 0) AS failed,
           coalesce(min(t.attempt) FILTER (WHERE t.failed) < max(t.attempt) FILTER (WHERE NOT t.failed), false) AS retried,
           max(t.created_at) AS last_at
      FROM suspects
      JOIN telling AS t USING (framework, test_id)
     GROUP BY 1, 2, 3
), possible AS (
    SELECT t.framework, t.test_id, count(*) FILTER (WHERE t.retried) AS retried,
           p.git_commit IS NOT NULL AND count(*) FILTER (WHERE t.failed) BETWEEN 1 AND c.runs - 1 AS both_ways,
           max(t.last_at) AS last_at
      FROM troubled AS t
      JOIN placed AS p USING (run_id)
      JOIN codes AS c USING (same_code)
     GROUP BY 1, 2, same_code, p.git_commit, c.runs
), candidates AS (
    SELECT framework, test_id
      FROM possible
     GROUP BY 1, 2
    HAVING sum(retried) > 0 OR bool_or(both_ways)
     ORDER BY sum(retried) + count(*) FILTER (WHERE both_ways) DESC, max(last_at) DESC, framework, test_id
     LIMIT %(candidates)s
), outcomes AS (
    -- One row a test and run: how its last attempt ended, the worst of them when several workers ran it.
    SELECT t.framework, t.test_id, t.run_id,
           (array_agg(t.status = 'passed' ORDER BY t.attempt DESC, t.status = 'passed'))[1] AS passed,
           coalesce(min(t.attempt) FILTER (WHERE t.status <> 'passed') < max(t.attempt) FILTER (WHERE t.status = 'passed'),
                    false) AS retried,
           count(*) AS attempts, count(*) FILTER (WHERE t.status <> 'passed') AS failed_attempts,
           coalesce(sum(t.duration_us) FILTER (WHERE t.status <> 'passed'), 0) AS failed_us,
           max(t.created_at) AS last_at
      FROM candidates
      JOIN crossbridge.tests AS t USING (framework, test_id)
     WHERE t.created_at >= %(since)s AND t.status IN ('passed', 'failed', 'error')
       AND t.run_id IN (SELECT run_id FROM placed)
     GROUP BY t.framework, t.test_id, t.run_id
), changes AS (
    SELECT o.*, p.git_commit, p.same_code, p.at_a_desk,
           o.passed <> lag(o.passed) OVER (PARTITION BY o.framework, o.test_id, p.same_code
                                               ORDER BY p.started_at, o.last_at, o.run_id) AS changed
      FROM outcomes AS o
      JOIN placed AS p USING (run_id)
), evidence AS (
    SELECT framework, test_id, git_commit,
           count(*) AS runs, count(*) FILTER (WHERE NOT passed) AS failed_runs,
           sum(attempts) AS attempts, sum(failed_attempts) AS failed_attempts,
           count(*) FILTER (WHERE retried) AS retried_runs,
           count(*) FILTER (WHERE retried OR NOT passed) AS troubled_runs,
           sum(failed_us) AS failed_us, sum(failed_us) FILTER (WHERE retried) AS retried_us,
           max(last_at) FILTER (WHERE retried) AS last_retried_at,
           git_commit IS NOT NULL
               AND count(*) FILTER (WHERE changed) >= CASE WHEN bool_or(at_a_desk) THEN 2 ELSE 1 END AS both_ways,
           max(last_at) FILTER (WHERE changed) AS last_changed_at
      FROM changes
     GROUP BY framework, test_id, git_commit, same_code
)
SELECT framework, test_id,
       sum(retried_runs)::bigint AS retried_runs,
       count(DISTINCT git_commit) FILTER (WHERE both_ways) AS commits,
       sum(runs)::bigint AS runs,
       sum(failed_runs)::bigint AS failed_runs,
       sum(attempts)::bigint AS attempts,
       sum(failed_attempts)::bigint AS failed_attempts,
       sum(CASE WHEN both_ways THEN troubled_runs ELSE retried_runs END)::bigint AS flips,
       sum(CASE WHEN both_ways THEN failed_us ELSE coalesce(retried_us, 0) END)::bigint AS lost_us,
       greatest(max(last_retried_at), max(last_changed_at) FILTER (WHERE both_ways)) AS last_flaked_at
  FROM evidence
 GROUP BY framework, test_id
HAVING sum(retried_runs) > 0 OR bool_or(both_ways);

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
HAVING min(attempt) FILTER (WHERE status <> 'passed') < max(attempt) FILTER (WHERE status = 'passed')
 ORDER BY failed_attempts DESC, framework, test_id
 LIMIT %(limit)s;
