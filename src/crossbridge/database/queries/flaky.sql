-- flaky_tests --
-- Tests of which the same code has both passed and failed. The evidence is of two kinds, and one piece is enough:
--   retried: in one run a failing attempt was followed by a passing one;
--   commits: runs of one commit and application version in one place (environment, system, runtime, labels) ended
--            both ways. At a developer's desk (environment 'local', no CI) the files may be edited between two runs
--            of a commit, so there the outcome must have changed twice: once is what an edit looks like.
-- Failing is failed or error. Runs whose commit is not known give evidence of the first kind only.
WITH failing AS (
    SELECT DISTINCT t.framework, t.test_id, r.run_id, r.git_commit
      FROM crossbridge.tests AS t
      JOIN crossbridge.runs AS r USING (run_id)
     WHERE t.created_at >= %(since)s AND t.status IN ('failed', 'error')
       AND (%(framework)s::text IS NULL OR t.framework = %(framework)s)
       AND (%(environment)s::text IS NULL OR r.environment = %(environment)s)
       AND (%(branch)s::text IS NULL OR r.git_branch = %(branch)s)
), telling AS (
    -- Only a run in which the test failed, or another one of the same commit, can tell anything.
    SELECT framework, test_id, run_id FROM failing
     UNION
    SELECT f.framework, f.test_id, r.run_id
      FROM failing AS f
      JOIN crossbridge.runs AS r USING (git_commit)
     WHERE (%(environment)s::text IS NULL OR r.environment = %(environment)s)
       AND (%(branch)s::text IS NULL OR r.git_branch = %(branch)s)
), outcomes AS (
    -- One row a test and run: how its last attempt ended, the worst of them when several workers ran it.
    SELECT t.framework, t.test_id, t.run_id,
           (array_agg(t.status = 'passed' ORDER BY t.attempt DESC, t.status = 'passed'))[1] AS passed,
           coalesce(min(t.attempt) FILTER (WHERE t.status <> 'passed') < max(t.attempt) FILTER (WHERE t.status = 'passed'),
                    false) AS retried,
           max(t.created_at) AS last_at
      FROM telling
      JOIN crossbridge.tests AS t USING (framework, test_id, run_id)
     WHERE t.created_at >= %(since)s AND t.status IN ('passed', 'failed', 'error')
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
    SELECT framework, test_id, git_commit,
           count(*) FILTER (WHERE retried) AS retried_runs,
           max(last_at) FILTER (WHERE retried) AS last_retried_at,
           git_commit IS NOT NULL
               AND count(*) FILTER (WHERE changed) >= CASE WHEN bool_or(at_a_desk) THEN 2 ELSE 1 END AS both_ways,
           max(last_at) FILTER (WHERE changed) AS last_changed_at
      FROM changes
     GROUP BY framework, test_id, git_commit, same_code
), flaky AS (
    SELECT framework, test_id,
           sum(retried_runs)::bigint AS retried_runs,
           count(DISTINCT git_commit) FILTER (WHERE both_ways) AS commits,
           greatest(max(last_retried_at), max(last_changed_at) FILTER (WHERE both_ways)) AS last_flaked_at
      FROM evidence
     GROUP BY framework, test_id
    HAVING sum(retried_runs) > 0 OR bool_or(both_ways)
     ORDER BY sum(retried_runs) + count(DISTINCT git_commit) FILTER (WHERE both_ways) DESC, last_flaked_at DESC,
              framework, test_id
     LIMIT %(limit)s
)
SELECT f.framework, f.test_id, f.retried_runs, f.commits, seen.*, f.last_flaked_at
  FROM flaky AS f
 CROSS JOIN LATERAL (
     SELECT count(*) AS runs,
            count(*) FILTER (WHERE NOT passed) AS failed_runs,
            sum(attempts)::bigint AS attempts,
            sum(failed)::bigint AS failed_attempts
       FROM (SELECT count(*) AS attempts,
                    count(*) FILTER (WHERE t.status <> 'passed') AS failed,
                    (array_agg(t.status = 'passed' ORDER BY t.attempt DESC, t.status = 'passed'))[1] AS passed
               FROM crossbridge.tests AS t
               JOIN crossbridge.runs AS r USING (run_id)
              WHERE t.framework = f.framework AND t.test_id = f.test_id AND t.created_at >= %(since)s
                AND t.status IN ('passed', 'failed', 'error')
                AND (%(environment)s::text IS NULL OR r.environment = %(environment)s)
                AND (%(branch)s::text IS NULL OR r.git_branch = %(branch)s)
              GROUP BY t.run_id) AS of_a_run) AS seen
 ORDER BY f.retried_runs + f.commits DESC, f.last_flaked_at DESC, f.framework, f.test_id;

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
