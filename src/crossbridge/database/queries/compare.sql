-- runs_of --
-- The newest runs of a commit (or its first digits), a branch or an application version, oldest first.
SELECT * FROM (
    SELECT run_id, started_at, git_commit, git_branch, app_version, environment
      FROM crossbridge.runs
     WHERE CASE %(kind)s WHEN 'commit' THEN git_commit LIKE %(wanted)s || '%%'
                         WHEN 'branch' THEN git_branch = left(%(wanted)s, 200)
                         WHEN 'version' THEN app_version = %(wanted)s END
       AND tests > 0
       AND (%(environment)s::text IS NULL OR environment = %(environment)s)
       AND (%(framework)s::text IS NULL OR %(framework)s = ANY (string_to_array(framework, ',')))
     ORDER BY started_at DESC, run_id DESC
     LIMIT %(most)s) AS newest
 ORDER BY started_at, run_id;

-- outcomes_of_runs --
-- What became of each test in each of these runs, which are numbered from 0: how its last attempt ended, whether a retry
-- made it pass, and the mean logarithm of its passed attempts.
WITH outcomes AS (
    SELECT t.framework, t.test_id, r.place::integer - 1 AS place,
           CASE WHEN count(*) = 1 THEN min(t.status)
                ELSE (array_agg(t.status ORDER BY t.attempt DESC, array_position(%(worst_first)s::text[], t.status)))[1] END
               AS status,
           coalesce(min(t.attempt) FILTER (WHERE t.status IN ('failed', 'error'))
                    < max(t.attempt) FILTER (WHERE t.status = 'passed'), false) AS retried,
           avg(ln(greatest(t.duration_us, 1)::float8)) FILTER (WHERE t.status = 'passed') AS ln
      FROM unnest(%(run_ids)s::uuid[]) WITH ORDINALITY AS r(run_id, place)
      JOIN crossbridge.tests AS t USING (run_id)
     WHERE %(framework)s::text IS NULL OR t.framework = %(framework)s
     GROUP BY 1, 2, 3
)
SELECT framework, test_id,
       array_agg(place ORDER BY place) AS places,
       array_agg(status ORDER BY place) AS statuses,
       array_agg(retried ORDER BY place) AS retried,
       array_agg(ln ORDER BY place) AS lns
  FROM outcomes
 GROUP BY framework, test_id
 ORDER BY framework, test_id;

-- noise --
-- How much each of these tests varied in the days before: attempts that passed, and the variance of their logarithms.
SELECT wanted.place::integer - 1 AS place, sum(r.passed)::bigint AS n,
       ((sum(r.ln_sq) - sum(r.ln_sum)::numeric ^ 2 / sum(r.passed)) / greatest(sum(r.passed) - 1, 1) / 1e8)::float8 AS variance
  FROM unnest(%(frameworks)s::text[], %(test_ids)s::text[]) WITH ORDINALITY AS wanted(framework, test_id, place)
  JOIN crossbridge.test_dim AS d ON d.test_id = wanted.test_id AND d.framework = wanted.framework
  JOIN generate_series(1, 30) AS age ON true
  JOIN crossbridge.rollup_test_day AS r
    ON r.environment = %(slice)s AND r.day = %(before)s::date - age AND r.test_key = d.test_key AND r.passed > 0
 GROUP BY 1
HAVING sum(r.passed) > 1;

-- errors_of_runs --
-- How these tests failed last in these runs.
SELECT wanted.place::integer - 1 AS place, f.error_type, f.error_message
  FROM unnest(%(frameworks)s::text[], %(test_ids)s::text[]) WITH ORDINALITY AS wanted(framework, test_id, place)
 CROSS JOIN LATERAL (
     SELECT t.error_type, t.error_message
       FROM crossbridge.tests AS t
      WHERE t.framework = wanted.framework AND t.test_id = wanted.test_id AND t.run_id = ANY (%(run_ids)s::uuid[])
        AND t.created_at >= %(since)s AND t.status IN ('failed', 'error', 'interrupted')
      ORDER BY t.created_at DESC
      LIMIT 1) AS f;
