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
-- What became of each test in each of these runs, which are numbered from 0: the mean logarithm of its passed attempts;
-- how its last attempt ended, where that was not with a pass; and where a retry made it pass.
WITH outcomes AS (
    -- The largest number is of the last attempt, and of the worst status among several such.
    SELECT d.test_key, r.place::integer - 1 AS place,
           (%(worst_first)s::text[])[16 - max(t.attempt * 16::bigint - s.badness) %% 16] AS status,
           coalesce(min(t.attempt) FILTER (WHERE t.status IN ('failed', 'error'))
                    < max(t.attempt) FILTER (WHERE t.status = 'passed'), false) AS retried,
           avg(ln(greatest(t.duration_us, 1)::float8)) FILTER (WHERE t.status = 'passed') AS ln
      FROM unnest(%(run_ids)s::uuid[]) WITH ORDINALITY AS r(run_id, place)
      JOIN crossbridge.tests AS t USING (run_id)
      JOIN crossbridge.test_dim AS d ON d.test_id = t.test_id AND d.framework = t.framework
      JOIN unnest(%(worst_first)s::text[]) WITH ORDINALITY AS s(status, badness) ON s.status = t.status
     WHERE %(framework)s::text IS NULL OR t.framework = %(framework)s
     GROUP BY 1, 2
), tests AS (
    SELECT test_key, array_agg(place ORDER BY place) AS places, array_agg(ln ORDER BY place) AS lns,
           array_agg(place ORDER BY place) FILTER (WHERE status <> 'passed') AS other_places,
           array_agg(status ORDER BY place) FILTER (WHERE status <> 'passed') AS other_statuses,
           array_agg(place ORDER BY place) FILTER (WHERE retried) AS retried
      FROM outcomes
     GROUP BY test_key
)
SELECT d.framework, d.test_id, t.places, t.lns, t.other_places, t.other_statuses, t.retried
  FROM tests AS t
  JOIN (SELECT * FROM crossbridge.test_dim OFFSET 0) AS d USING (test_key)   -- not one by one: nearly all are asked for
 ORDER BY test_key;

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
-- How each test failed last in these runs.
SELECT DISTINCT ON (framework, test_id) framework, test_id, error_type, error_message
  FROM crossbridge.tests
 WHERE run_id = ANY (%(run_ids)s::uuid[]) AND status IN ('failed', 'error', 'interrupted')
 ORDER BY framework, test_id, created_at DESC;
