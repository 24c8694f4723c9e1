-- Panels on flaky and broken tests, and on what retries save; how they are made, see panels.sql.

-- Retries that turned a failing test of a run into a passing one. `lost_us` is what the failing attempts before took.
CREATE OR REPLACE FUNCTION crossbridge.panel_saved(s crossbridge.scope)
RETURNS TABLE (framework text, test_id text, run_id uuid, failed_attempts bigint, lost_us bigint, saved_at timestamptz)
LANGUAGE plpgsql STABLE
SET jit = off
SET plan_cache_mode = force_custom_plan
SET work_mem = '16MB'
SET enable_mergejoin = off
SET enable_nestloop = off   -- failures are fewer than the planner thinks
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT p.framework, p.test_id, p.run_id, count(*), sum(f.duration_us)::bigint, p.saved_at
      FROM (SELECT t.framework, t.test_id, t.run_id, max(t.attempt) AS attempt, max(t.created_at) AS saved_at
              FROM crossbridge.chosen_tests(s, s.since, s.until) AS t
             WHERE (t.status IN ('failed', 'error') OR t.attempt > 1)   -- as the index tests_telling has it: it is read alone
               AND t.status = 'passed'
             GROUP BY 1, 2, 3) AS p
      JOIN crossbridge.chosen_tests(s, s.since, s.until) AS f USING (framework, test_id, run_id)
     WHERE (f.status IN ('failed', 'error') OR f.attempt > 1)
       AND f.status IN ('failed', 'error') AND f.attempt < p.attempt
     GROUP BY 1, 2, 3, 6;
END $$;

-- The tests that are worth a look for flakiness: 15 of those that failed in the last 14 days of the window, first those that
-- passed and failed on most of these.
CREATE OR REPLACE FUNCTION crossbridge.suspects(s crossbridge.scope) RETURNS TABLE (framework text, test_id text)
LANGUAGE plpgsql STABLE
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    last_day CONSTANT date := ((s.until - interval '1 microsecond') AT TIME ZONE 'UTC')::date;
BEGIN
    RETURN QUERY
    SELECT d.framework, d.test_id
      FROM (SELECT r.test_key, count(*) FILTER (WHERE r.passed > 0) AS days, sum(least(r.passed, r.failed + r.error)) AS both
              FROM crossbridge.rollup_test_day AS r
             WHERE r.environment = ANY (coalesce(s.environments, '{*}'))
               AND r.day >= greatest((s.since AT TIME ZONE 'UTC')::date, last_day - 13) AND r.day <= last_day
               AND r.failed + r.error > 0
             GROUP BY 1) AS r
      JOIN crossbridge.test_dim AS d USING (test_key)
     WHERE (s.frameworks IS NULL OR d.framework = ANY (s.frameworks))
       AND (s.test_id IS NULL OR d.test_id = s.test_id)
     ORDER BY r.days DESC, r.both DESC, d.test_key
     LIMIT 15;
END $$;

-- How each run of the suspects ended, and what that tells (see flakiness.sql), of the latest 500 attempts of each.
-- across_commits: it ended otherwise than the run of another commit before it in this environment and branch.
CREATE OR REPLACE FUNCTION crossbridge.panel_outcomes(s crossbridge.scope)
RETURNS TABLE (framework text, test_id text, run_id uuid, started_at timestamptz, last_at timestamptz, passed boolean,
               retried boolean, same_commit boolean, across_commits boolean, lost_us bigint)
LANGUAGE plpgsql STABLE
SET jit = off
SET plan_cache_mode = force_custom_plan
SET work_mem = '16MB'
AS $$
#variable_conflict use_column
DECLARE
    end_of_month CONSTANT timestamptz := crossbridge.ceiling_of(s.until, 'month');
    frameworks text[];
    names text[];
BEGIN
    SELECT array_agg(x.framework), array_agg(x.test_id) INTO frameworks, names FROM crossbridge.suspects(s) AS x;
    RETURN QUERY
    WITH outcomes AS MATERIALIZED (
        SELECT o.*, r.run_key, r.started_at, r.git_commit, r.environment, r.git_branch
          FROM (SELECT x.number, t.run_id,
                       crossbridge.passed_in_run(max(t.attempt) FILTER (WHERE t.status <> 'passed'),
                                                 max(t.attempt) FILTER (WHERE t.status = 'passed')) AS passed,
                       crossbridge.retried_in_run(min(t.attempt) FILTER (WHERE t.status <> 'passed'),
                                                  max(t.attempt) FILTER (WHERE t.status = 'passed')) AS retried,
                       sum(t.duration_us) FILTER (WHERE t.status <> 'passed') AS failed_us, max(t.created_at) AS last_at
                  FROM generate_subscripts(names, 1) AS x(number)
                 CROSS JOIN LATERAL (SELECT * FROM crossbridge.tests AS t
                                      WHERE t.test_id = names[x.number] AND t.framework = frameworks[x.number]
                                        AND t.created_at >= s.since AND t.created_at < end_of_month
                                        AND (t.created_at < s.until) IS TRUE   -- not for an index: it leaves out but few
                                        AND t.status IN ('passed', 'failed', 'error')
                                        AND (s.run_id IS NULL OR t.run_id = s.run_id)
                                      ORDER BY t.created_at DESC, t.id DESC
                                      LIMIT 500) AS t
                 GROUP BY 1, 2) AS o
          JOIN crossbridge.chosen_runs(s) AS r USING (run_id)
    ), flips AS (
        SELECT f.*
          FROM (SELECT array_agg(o.number) AS numbers, array_agg(o.run_key) AS run_keys, array_agg(o.passed) AS passed
                  FROM outcomes AS o) AS x
         CROSS JOIN crossbridge.flips(x.numbers, x.run_keys, x.passed) AS f
    )
    SELECT frameworks[o.number], names[o.number], o.run_id, o.started_at, o.last_at, o.passed, o.retried, f.test IS NOT NULL,
           coalesce(o.git_commit <> lag(o.git_commit) OVER line AND o.passed <> lag(o.passed) OVER line, false),
           CASE WHEN o.retried THEN o.failed_us ELSE 0 END::bigint
      FROM outcomes AS o
      LEFT JOIN flips AS f ON f.test = o.number AND f.run_key = o.run_key
    WINDOW line AS (PARTITION BY o.number, o.environment, o.git_branch ORDER BY o.started_at, o.run_id);
END $$;

-- The share, 0 to 1, that `hits` of `n` is at least, with 97.5 % confidence: lower end of Wilson's score interval (1927).
CREATE OR REPLACE FUNCTION crossbridge.at_least(hits bigint, n bigint) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT greatest(0, (hits::float8 / n + 1.9208 / n - 1.96 * sqrt(hits::float8 / n * (1 - hits::float8 / n) / n + 0.9604 / n / n))
                       / (1 + 3.8416 / n))
     WHERE n > 0
$$;

-- Flaky tests among the suspects. `score` is the share of runs, in per cent, that at least were flaky: retried or ended
-- otherwise than a run of the same code.
CREATE OR REPLACE FUNCTION crossbridge.panel_flaky(s crossbridge.scope)
RETURNS TABLE (framework text, test_id text, score double precision, runs bigint, failed_runs bigint, retried bigint,
               same_commit bigint, across_commits bigint, lost_us bigint, last_at timestamptz)
LANGUAGE sql STABLE
AS $$
    SELECT o.framework, o.test_id, 100 * crossbridge.at_least(count(*) FILTER (WHERE o.retried OR o.same_commit), count(*)),
           count(*), count(*) FILTER (WHERE NOT o.passed), count(*) FILTER (WHERE o.retried),
           count(*) FILTER (WHERE o.same_commit), count(*) FILTER (WHERE o.across_commits), sum(o.lost_us)::bigint,
           max(o.last_at) FILTER (WHERE o.retried OR o.same_commit)
      FROM crossbridge.panel_outcomes(s) AS o
     GROUP BY 1, 2
    HAVING bool_or(o.retried OR o.same_commit)
     ORDER BY 3 DESC, 1, 2
$$;

-- The score of the ten most flaky tests over time: the share of runs, in per cent, that were flaky.
CREATE OR REPLACE FUNCTION crossbridge.panel_flaky_history(s crossbridge.scope)
RETURNS TABLE ("time" timestamptz, test_id text, share double precision)
LANGUAGE sql STABLE
AS $$
    WITH outcomes AS MATERIALIZED (
        SELECT * FROM crossbridge.panel_outcomes(s)
    ), worst AS (
        SELECT o.framework, o.test_id
          FROM outcomes AS o
         GROUP BY 1, 2
        HAVING bool_or(o.retried OR o.same_commit)
         ORDER BY crossbridge.at_least(count(*) FILTER (WHERE o.retried OR o.same_commit), count(*)) DESC, 1, 2
         LIMIT 10
    )
    SELECT crossbridge.bucket_of(s, o.last_at), o.test_id,
           100 * (count(*) FILTER (WHERE o.retried OR o.same_commit))::float8 / count(*)
      FROM worst AS w
      JOIN outcomes AS o USING (framework, test_id)
     GROUP BY 1, 2
$$;

-- Runs that passed although tests of them failed, because retries passed; and what their failing attempts took.
CREATE OR REPLACE FUNCTION crossbridge.panel_retries(s crossbridge.scope)
RETURNS TABLE ("time" timestamptz, saved_tests bigint, saved_runs bigint, lost_us bigint)
LANGUAGE sql STABLE
AS $$
    SELECT crossbridge.bucket_of(s, x.saved_at), count(*), count(DISTINCT x.run_id) FILTER (WHERE r.status = 'passed'),
           sum(x.lost_us)::bigint
      FROM crossbridge.panel_saved(s) AS x
      LEFT JOIN crossbridge.runs AS r USING (run_id)
     GROUP BY 1
$$;

-- Tests that failed when they last ran: since which run, of which commit. Of the 15 with the highest share of failures on
-- the day they last ran, among those that failed in the last 7 days of the window.
-- When each passed last is sought day by day, backwards: outcomes by keys tell the day, and only rows of that day are read.
CREATE OR REPLACE FUNCTION crossbridge.panel_broken(s crossbridge.scope)
RETURNS TABLE (framework text, test_id text, broken_at timestamptz, git_commit text, git_branch text, environment text,
               run_id uuid, error_type text, failed_since bigint, passed_before timestamptz)
LANGUAGE plpgsql STABLE
SET jit = off
SET plan_cache_mode = force_custom_plan
SET work_mem = '16MB'
AS $$
#variable_conflict use_column
DECLARE
    last_day CONSTANT date := (s.until AT TIME ZONE 'UTC')::date;
    keys integer[];
    sought integer[];   -- of which it is not known yet when they passed
    pass_keys integer[] := '{}';
    pass_times timestamptz[] := '{}';
    new_keys integer[];
    new_at timestamptz[];
BEGIN
    SELECT array_agg(x.test_key) INTO keys
      FROM (SELECT d.test_key
              FROM (SELECT r.test_key, (array_agg((r.failed + r.error)::float8 / r.n ORDER BY r.day DESC))[1] AS share,
                           sum(r.failed + r.error) AS failed
                      FROM crossbridge.rollup_test_day AS r
                     WHERE r.environment = ANY (coalesce(s.environments, '{*}'))
                       AND r.day >= greatest((s.since AT TIME ZONE 'UTC')::date, last_day - 7) AND r.day <= last_day
                     GROUP BY 1
                    HAVING sum(r.failed + r.error) > 0) AS r
              JOIN crossbridge.test_dim AS d USING (test_key)
             WHERE (s.frameworks IS NULL OR d.framework = ANY (s.frameworks))
               AND (s.test_id IS NULL OR d.test_id = s.test_id)
             ORDER BY r.share DESC, r.failed DESC, d.test_key
             LIMIT 15) AS x;
    sought := keys;
    FOR age IN 0 .. last_day - (s.since AT TIME ZONE 'UTC')::date LOOP
        EXIT WHEN cardinality(sought) = 0 OR sought IS NULL;
        SELECT array_agg(p.test_key), array_agg(p.at) INTO new_keys, new_at
          FROM crossbridge.last_passes(s, sought, last_day - age) AS p;
        pass_keys := pass_keys || new_keys;
        pass_times := pass_times || new_at;
        sought := ARRAY(SELECT k FROM unnest(sought) AS k WHERE k <> ALL (coalesce(new_keys, '{}')));
    END LOOP;
    RETURN QUERY
    WITH failures AS (
        SELECT DISTINCT ON (x.test_key) x.*, p.at AS passed_at, count(*) OVER (PARTITION BY x.test_key) AS failed_since
          FROM crossbridge.troubles AS x
          LEFT JOIN unnest(pass_keys, pass_times) AS p(test_key, at) USING (test_key)
         WHERE x.test_key = ANY (keys) AND NOT x.passed AND x.created_at >= s.since AND x.created_at < s.until
           AND x.created_at > coalesce(p.at, '-infinity')
           AND (s.environments IS NULL AND s.branches IS NULL AND s.run_id IS NULL
                OR x.run_key IN (SELECT r.run_key FROM crossbridge.chosen_runs(s) AS r))
         ORDER BY x.test_key, x.created_at
    )
    SELECT d.framework, d.test_id, f.created_at, r.git_commit, r.git_branch, r.environment, r.run_id, t.error_type,
           f.failed_since, f.passed_at
      FROM failures AS f
      JOIN crossbridge.test_dim AS d USING (test_key)
      JOIN crossbridge.runs AS r USING (run_key)
      LEFT JOIN LATERAL (SELECT t.error_type
                           FROM crossbridge.tests AS t
                          WHERE t.created_at = f.created_at AND t.run_id = r.run_id AND t.test_id = d.test_id
                            AND t.framework = d.framework AND t.attempt = f.attempt
                          LIMIT 1) AS t ON true;
END $$;

-- Which of these tests passed on a day in the window, and when last.
CREATE OR REPLACE FUNCTION crossbridge.last_passes(s crossbridge.scope, keys integer[], of_day date)
RETURNS TABLE (test_key integer, at timestamptz)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    since CONSTANT timestamptz := greatest(s.since, of_day::timestamp AT TIME ZONE 'UTC');
    until CONSTANT timestamptz := least(s.until, (of_day + 1)::timestamp AT TIME ZONE 'UTC');
    at_once integer[];
    names text[];
    frameworks text[];
BEGIN
    SELECT array_agg(d.test_key), array_agg(d.test_id), array_agg(d.framework) INTO at_once, names, frameworks
      FROM (SELECT DISTINCT k.test_key
              FROM unnest(keys) AS k(test_key)
              JOIN crossbridge.first_passes AS p ON p.chunk = k.test_key / 512 AND get_bit(p.tests, k.test_key % 512) = 1
             WHERE p.day = of_day
               AND (s.environments IS NULL AND s.branches IS NULL AND s.run_id IS NULL
                    OR p.run_key IN (SELECT r.run_key FROM crossbridge.chosen_runs(s) AS r))) AS k
      JOIN crossbridge.test_dim AS d USING (test_key);
    RETURN QUERY
    SELECT x.test_key, max(x.created_at)
      FROM crossbridge.troubles AS x
     WHERE x.created_at >= since AND x.created_at < until AND x.passed AND x.test_key = ANY (keys)
       AND x.test_key <> ALL (coalesce(at_once, '{}'))
       AND (s.environments IS NULL AND s.branches IS NULL AND s.run_id IS NULL
            OR x.run_key IN (SELECT r.run_key FROM crossbridge.chosen_runs(s) AS r))
     GROUP BY 1;
    IF names IS NOT NULL THEN
        RETURN QUERY
        SELECT x.test_key, max(t.created_at)
          FROM unnest(at_once, names, frameworks) AS x(test_key, test_id, framework)
         CROSS JOIN LATERAL (SELECT t.run_id, t.created_at
                               FROM crossbridge.tests AS t
                              WHERE t.created_at >= since AND t.created_at < until AND t.test_id = x.test_id
                                AND t.framework = x.framework AND t.status = 'passed'
                             OFFSET 0) AS t   -- test by test: none has many rows on a day
         WHERE (s.environments IS NULL AND s.branches IS NULL AND s.run_id IS NULL
                OR t.run_id IN (SELECT r.run_id FROM crossbridge.chosen_runs(s) AS r))
         GROUP BY 1;
    END IF;
END $$;
