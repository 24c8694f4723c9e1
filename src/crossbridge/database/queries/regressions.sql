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
-- runs in the list given, from 0. No index leads from a run to its rows; its segments say when they were. OFFSET 0 keeps
-- the planner from reading all rows to find those of some runs.
WITH spans AS (
    SELECT r.run_id, r.place::integer - 1 AS place, min(s.started_at) AS since, max(greatest(s.last_at, s.closed_at)) AS until
      FROM unnest(%(run_ids)s::uuid[]) WITH ORDINALITY AS r(run_id, place)
      JOIN crossbridge.segments AS s USING (run_id)
     GROUP BY 1, 2
), cells AS (
    SELECT t.framework, t.test_id, spans.place, avg(ln(greatest(t.duration_us, 1)::float8)) AS ln
      FROM spans
     CROSS JOIN LATERAL (
         SELECT * FROM crossbridge.tests AS t
          WHERE t.run_id = spans.run_id AND t.created_at BETWEEN spans.since AND spans.until AND t.status = 'passed'
            AND (%(framework)s::text IS NULL OR t.framework = %(framework)s)
         OFFSET 0) AS t
     GROUP BY 1, 2, 3
)
SELECT framework, test_id, array_agg(place ORDER BY place) AS places, array_agg(ln ORDER BY place) AS lns
  FROM cells
 GROUP BY framework, test_id
HAVING count(*) >= %(least)s
 ORDER BY framework, test_id;

-- screen_days --
-- Of each test's days, as mean logarithms of its passed attempts: count, sum and sum of squares, and of those in the
-- newest tenth, quarter and half of the window count and sum. One pass, to choose the tests to look at closely.
SELECT c.test_key,
       count(*) AS n, sum(c.ln) AS total, sum(c.ln * c.ln) AS squares,
       count(*) FILTER (WHERE c.day >= %(tenth)s::date) AS n_tenth, sum(c.ln) FILTER (WHERE c.day >= %(tenth)s::date) AS tenth,
       count(*) FILTER (WHERE c.day >= %(quarter)s::date) AS n_quarter,
       sum(c.ln) FILTER (WHERE c.day >= %(quarter)s::date) AS quarter,
       count(*) FILTER (WHERE c.day >= %(half)s::date) AS n_half, sum(c.ln) FILTER (WHERE c.day >= %(half)s::date) AS half
  FROM (SELECT test_key, day, ln_sum / (10000.0::float8 * passed) AS ln
          FROM crossbridge.rollup_test_day
         WHERE environment = %(slice)s AND day >= %(first_day)s::date AND passed > 0) AS c
 WHERE %(framework)s::text IS NULL
    OR c.test_key IN (SELECT test_key FROM crossbridge.test_dim WHERE framework = %(framework)s)
 GROUP BY c.test_key
HAVING count(*) >= %(least)s
 ORDER BY c.test_key;

-- history_by_day --
-- The days of some tests, in the order given.
SELECT d.framework, d.test_id, x.days AS places, x.lns
  FROM unnest(%(test_keys)s::integer[]) WITH ORDINALITY AS k(test_key, number)
  JOIN crossbridge.test_dim AS d USING (test_key)
 CROSS JOIN LATERAL (
     SELECT array_agg(r.day - %(first_day)s::date ORDER BY r.day) AS days,
            array_agg(r.ln_sum / (10000.0::float8 * r.passed) ORDER BY r.day) AS lns
       FROM generate_series(0, %(last_place)s::integer) AS place
       JOIN crossbridge.rollup_test_day AS r
         ON r.environment = %(slice)s AND r.day = %(first_day)s::date + place AND r.test_key = k.test_key AND r.passed > 0) AS x
 ORDER BY k.number;

-- attempts_around --
-- The passed attempts of some tests, each within a time of its own, in order.
SELECT wanted.place::integer - 1 AS place, t.run_id, r.started_at, r.git_commit,
       ln(greatest(t.duration_us, 1)::float8) AS ln
  FROM unnest(%(frameworks)s::text[], %(test_ids)s::text[], %(sinces)s::timestamptz[], %(untils)s::timestamptz[])
       WITH ORDINALITY AS wanted(framework, test_id, since, until, place)
  JOIN crossbridge.tests AS t
    ON t.framework = wanted.framework AND t.test_id = wanted.test_id AND t.status = 'passed'
       AND t.created_at >= wanted.since AND t.created_at < wanted.until
  JOIN crossbridge.runs AS r USING (run_id)
 WHERE (%(environment)s::text IS NULL OR r.environment = %(environment)s)
   AND (%(branch)s::text IS NULL OR r.git_branch = %(branch)s)
 ORDER BY wanted.place, r.started_at, r.run_id, t.created_at;
