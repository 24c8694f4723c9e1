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
    -- The largest number is of the last attempt, and of the worst status among several such.
    SELECT d.test_key, r.place::integer - 1 AS place,
           16 - max(t.attempt * 16::bigint - array_position(%(worst_first)s::text[], t.status)) %% 16 AS status,
           coalesce(min(t.attempt) FILTER (WHERE t.status IN ('failed', 'error'))
                    < max(t.attempt) FILTER (WHERE t.status = 'passed'), false) AS retried,
           avg(ln(greatest(t.duration_us, 1)::float8)) FILTER (WHERE t.status = 'passed') AS ln
      FROM unnest(%(run_ids)s::uuid[]) WITH ORDINALITY AS r(run_id, place)
      JOIN crossbridge.tests AS t USING (run_id)
      JOIN crossbridge.test_dim AS d ON d.test_id = t.test_id AND d.framework = t.framework
     WHERE %(framework)s::text IS NULL OR t.framework = %(framework)s
     GROUP BY 1, 2
), tests AS (
    SELECT test_key,
           array_agg(place ORDER BY place) AS places,
           array_agg((%(worst_first)s::text[])[status] ORDER BY place) AS statuses,
           array_agg(retried ORDER BY place) AS retried,
           array_agg(ln ORDER BY place) AS lns
      FROM outcomes
     GROUP BY test_key
)
SELECT d.framework, d.test_id, t.places, t.statuses, t.retried, t.lns
  FROM tests AS t
  JOIN crossbridge.test_dim AS d USING (test_key)
 ORDER BY d.framework, d.test_id;

-- noise --
-- How much each of these tests varied in the days before: attempts that passed, and the variance of their logarithms. Of
-- ten days; of thirty where they hold fewer attempts than would be enough.
WITH wanted AS MATERIALIZED (
    SELECT w.place::integer - 1 AS place, d.test_key
      FROM unnest(%(frameworks)s::text[], %(test_ids)s::text[]) WITH ORDINALITY AS w(framework, test_id, place)
      JOIN crossbridge.test_dim AS d ON d.test_id = w.test_id AND d.framework = w.framework
), lately AS MATERIALIZED (
    SELECT w.place, w.test_key, coalesce(sum(r.passed), 0) AS n, sum(r.ln_sum) AS ln_sum, sum(r.ln_sq) AS ln_sq
      FROM wanted AS w
     CROSS JOIN generate_series(1, 10) AS age
      LEFT JOIN crossbridge.rollup_test_day AS r
        ON r.environment = %(slice)s AND r.day = %(before)s::date - age AND r.test_key = w.test_key AND r.passed > 0
     GROUP BY 1, 2
), earlier AS (
    SELECT l.place, r.passed AS n, r.ln_sum, r.ln_sq
      FROM lately AS l
     CROSS JOIN generate_series(11, 30) AS age
      JOIN crossbridge.rollup_test_day AS r
        ON r.environment = %(slice)s AND r.day = %(before)s::date - age AND r.test_key = l.test_key AND r.passed > 0
     WHERE l.n <= %(enough)s
)
SELECT place, sum(n)::bigint AS n,
       ((sum(ln_sq) - sum(ln_sum)::numeric ^ 2 / sum(n)) / greatest(sum(n) - 1, 1) / 1e8)::float8 AS variance
  FROM (SELECT place, n, ln_sum, ln_sq FROM lately UNION ALL SELECT * FROM earlier) AS x
 GROUP BY 1
HAVING sum(n) > 1;

-- errors_of_runs --
-- How these tests failed last in these runs.
SELECT DISTINCT ON (wanted.place) wanted.place::integer - 1 AS place, t.error_type, t.error_message
  FROM unnest(%(run_ids)s::uuid[]) AS r(run_id)
  JOIN crossbridge.tests AS t USING (run_id)
  JOIN unnest(%(frameworks)s::text[], %(test_ids)s::text[]) WITH ORDINALITY AS wanted(framework, test_id, place)
    ON wanted.framework = t.framework AND wanted.test_id = t.test_id
 WHERE t.created_at >= %(since)s AND t.status IN ('failed', 'error', 'interrupted')
 ORDER BY wanted.place, t.created_at DESC;
