-- history_extent --
-- How much history a window holds.
SELECT count(*) AS runs,
       coalesce(sum(tests), 0)::bigint AS attempts,
       count(DISTINCT (started_at AT TIME ZONE 'UTC')::date) AS days
  FROM crossbridge.runs
 WHERE started_at >= %(since)s AND tests > 0
   AND (%(environment)s::text IS NULL OR environment = %(environment)s)
   AND (%(branch)s::text IS NULL OR git_branch = %(branch)s)
   AND (%(framework)s::text IS NULL OR %(framework)s = ANY (string_to_array(framework, ',')));

-- history_runs --
-- The newest runs of a window that together hold no more than so many attempts, oldest first.
SELECT run_id, started_at, git_commit, git_branch, app_version, environment
  FROM (SELECT r.*, sum(r.tests) OVER (ORDER BY r.started_at DESC, r.run_id DESC) AS attempts
          FROM crossbridge.runs AS r
         WHERE r.started_at >= %(since)s AND r.tests > 0
           AND (%(environment)s::text IS NULL OR r.environment = %(environment)s)
           AND (%(branch)s::text IS NULL OR r.git_branch = %(branch)s)
           AND (%(framework)s::text IS NULL OR %(framework)s = ANY (string_to_array(r.framework, ',')))) AS newest
 WHERE attempts <= %(most_attempts)s
 ORDER BY started_at, run_id;

-- history_by_run --
-- What each test took in each of these runs, as the mean logarithm of its passed attempts; `places` are those of the
-- runs in the list given, from 0.
WITH cells AS (
    SELECT t.framework, t.test_id, r.place::integer - 1 AS place, avg(ln(greatest(t.duration_us, 1)::float8)) AS ln
      FROM unnest(%(run_ids)s::uuid[]) WITH ORDINALITY AS r(run_id, place)
      JOIN crossbridge.tests AS t USING (run_id)
     WHERE t.status = 'passed' AND (%(framework)s::text IS NULL OR t.framework = %(framework)s)
     GROUP BY 1, 2, 3
)
SELECT framework, test_id, array_agg(place ORDER BY place) AS places, array_agg(ln ORDER BY place) AS lns
  FROM cells
 GROUP BY framework, test_id
HAVING count(*) >= %(least)s
 ORDER BY framework, test_id;

-- screen_days --
-- The tests to look at closely, in one pass over the days: those whose newest tenth, quarter or half of the window lies
-- farthest from the rest, measured by its error and beyond what all tests have in common. Values are mean logarithms of
-- a day's passed attempts. Others come along, evenly spread, to tell what the days have in common.
WITH sums AS (
    SELECT c.test_key,
           count(*) AS n, sum(c.ln) AS total, sum(c.ln * c.ln) AS squares,
           count(*) FILTER (WHERE c.day >= %(tenth)s::date) AS n1, sum(c.ln) FILTER (WHERE c.day >= %(tenth)s::date) AS late1,
           count(*) FILTER (WHERE c.day >= %(quarter)s::date) AS n2, sum(c.ln) FILTER (WHERE c.day >= %(quarter)s::date) AS late2,
           count(*) FILTER (WHERE c.day >= %(half)s::date) AS n3, sum(c.ln) FILTER (WHERE c.day >= %(half)s::date) AS late3
      FROM (SELECT test_key, day, ln_sum / (10000.0::float8 * passed) AS ln
              FROM crossbridge.rollup_test_day
             WHERE environment = %(slice)s AND day >= %(first_day)s::date AND passed > 0
            OFFSET 0) AS c   -- or the logarithm is computed for each of the sums
     WHERE %(framework)s::text IS NULL
        OR c.test_key IN (SELECT test_key FROM crossbridge.test_dim WHERE framework = %(framework)s)
     GROUP BY c.test_key
    HAVING count(*) >= %(least)s
), shifts AS (
    SELECT test_key, n, n1, n2, n3, greatest(squares / n - (total / n) ^ 2, 0) AS variance,
           coalesce(late1 / nullif(n1, 0) - (total - late1) / nullif(n - n1, 0), 0) AS shift1,
           coalesce(late2 / nullif(n2, 0) - (total - late2) / nullif(n - n2, 0), 0) AS shift2,
           coalesce(late3 / nullif(n3, 0) - (total - late3) / nullif(n - n3, 0), 0) AS shift3
      FROM sums
), usual AS (
    SELECT percentile_cont(ARRAY[0.5]) WITHIN GROUP (ORDER BY shift1) AS shift1,
           percentile_cont(ARRAY[0.5]) WITHIN GROUP (ORDER BY shift2) AS shift2,
           percentile_cont(ARRAY[0.5]) WITHIN GROUP (ORDER BY shift3) AS shift3
      FROM shifts
), scores AS (
    -- The shift is part of the variance about the common mean.
    SELECT s.test_key,
           (s.shift1 - u.shift1[1]) ^ 2 * s.n1 * (s.n - s.n1)
               / greatest(s.variance - s.shift1 ^ 2 * s.n1 * (s.n - s.n1) / s.n ^ 2, 1e-6) AS score1,
           (s.shift2 - u.shift2[1]) ^ 2 * s.n2 * (s.n - s.n2)
               / greatest(s.variance - s.shift2 ^ 2 * s.n2 * (s.n - s.n2) / s.n ^ 2, 1e-6) AS score2,
           (s.shift3 - u.shift3[1]) ^ 2 * s.n3 * (s.n - s.n3)
               / greatest(s.variance - s.shift3 ^ 2 * s.n3 * (s.n - s.n3) / s.n ^ 2, 1e-6) AS score3
      FROM shifts AS s, usual AS u
), farthest AS (
    (SELECT test_key FROM scores ORDER BY score1 DESC LIMIT %(close_looks)s / 2)
    UNION
    (SELECT test_key FROM scores ORDER BY score2 DESC LIMIT %(close_looks)s / 2)
    UNION
    (SELECT test_key FROM scores ORDER BY score3 DESC LIMIT %(close_looks)s / 2)
), numbered AS (
    SELECT test_key, count(*) OVER () AS tests, row_number() OVER (ORDER BY test_key) AS place
      FROM shifts
)
SELECT test_key, n.tests, f.test_key IS NOT NULL AS chosen
  FROM numbered AS n
  LEFT JOIN farthest AS f USING (test_key)
 WHERE f.test_key IS NOT NULL OR n.place %% greatest(n.tests / %(close_looks)s, 1) = 0
 ORDER BY chosen DESC, test_key;

-- history_by_day --
-- The days of some tests, in the order given.
SELECT d.framework, d.test_id, x.places, x.lns
  FROM (SELECT r.test_key, array_agg(place ORDER BY place) AS places,
               array_agg(r.ln_sum / (10000.0::float8 * r.passed) ORDER BY place) AS lns
          FROM generate_series(0, %(last_place)s::integer) AS place
         CROSS JOIN LATERAL (SELECT *
                               FROM crossbridge.rollup_test_day
                              WHERE environment = %(slice)s AND day = %(first_day)s::date + place
                                AND test_key = ANY (%(test_keys)s::integer[]) AND passed > 0
                             OFFSET 0) AS r   -- day by day: all days at once would read all tests of them
         GROUP BY r.test_key) AS x
  JOIN crossbridge.test_dim AS d USING (test_key)
 ORDER BY array_position(%(test_keys)s::integer[], test_key);

-- runs_of_changes --
-- Since which run each of some tests is at its new level: among its passed attempts within a time of its own the split of
-- runs where the distances to both levels (logarithms) sum to the least. None where that is after all of them.
WITH attempts AS (
    SELECT wanted.place, t.run_id, r.started_at, r.git_commit, t.created_at,
           abs(t.ln - wanted.before) - abs(t.ln - wanted.after) AS step   -- what the sum grows by when the split comes later
      FROM unnest(%(frameworks)s::text[], %(test_ids)s::text[], %(befores)s::float8[], %(afters)s::float8[],
                  %(sinces)s::timestamptz[], %(untils)s::timestamptz[])
           WITH ORDINALITY AS wanted(framework, test_id, before, after, since, until, place)
     CROSS JOIN LATERAL (
         SELECT run_id, created_at, ln(greatest(duration_us, 1)::float8) AS ln
           FROM crossbridge.tests
          WHERE framework = wanted.framework AND test_id = wanted.test_id AND status = 'passed'
            AND created_at >= wanted.since AND created_at < wanted.until) AS t
      JOIN crossbridge.runs AS r USING (run_id)
     WHERE (%(environment)s::text IS NULL OR r.environment = %(environment)s)
       AND (%(branch)s::text IS NULL OR r.git_branch = %(branch)s)
), splits AS (
    SELECT place, run_id, started_at, git_commit, lag(run_id) OVER w AS previous_run, lag(git_commit) OVER w AS previous_commit,
           coalesce(sum(step) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS cost,
           sum(step) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS cost_after_all,
           row_number() OVER w AS number
      FROM attempts
    WINDOW w AS (PARTITION BY place ORDER BY started_at, run_id, created_at)
), best AS (
    SELECT DISTINCT ON (place) *
      FROM splits
     WHERE previous_run IS DISTINCT FROM run_id
     ORDER BY place, cost, number
)
SELECT place::integer - 1 AS place, started_at AS since_at, run_id AS since_run, git_commit, previous_commit
  FROM best
 WHERE cost <= cost_after_all;
