-- What dashboards show: a panel's query is one call of these functions. Whole hours and days come from rollups, what lies
-- before and behind them from the rows, so that any window is exact. Hours and days are UTC's.
-- In plpgsql, planned anew each time: filters that are not set vanish from the plan, and the window prunes partitions.

-- Attempts by hour and framework.
CREATE OR REPLACE FUNCTION crossbridge.panel_hours(s crossbridge.scope)
RETURNS TABLE (hour timestamptz, framework text, n bigint, passed bigint, failed bigint, sum_us bigint, min_us bigint, max_us bigint)
LANGUAGE plpgsql STABLE
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    first_hour timestamptz := least(crossbridge.ceiling_of(s.since, 'hour'), s.until);
    rows_from timestamptz := greatest(first_hour, date_trunc('hour', s.until, 'UTC'));
BEGIN
    IF s.test_id IS NOT NULL OR s.run_id IS NOT NULL THEN   -- which this rollup does not know
        first_hour := s.until;
        rows_from := s.until;
    END IF;
    RETURN QUERY
    SELECT p.hour, p.framework, sum(p.n)::bigint, sum(p.passed)::bigint, sum(p.failed)::bigint, sum(p.sum_us)::bigint,
           min(p.min_us), max(p.max_us)
      FROM (SELECT r.hour, r.framework, r.n, r.passed, r.failed + r.error AS failed, r.sum_us, r.min_us, r.max_us
              FROM crossbridge.rollup_hour AS r
             WHERE r.hour >= first_hour AND r.hour < rows_from
               AND (s.environments IS NULL OR r.environment = ANY (s.environments))
               AND (s.branches IS NULL OR r.git_branch = ANY (s.branches))
               AND (s.frameworks IS NULL OR r.framework = ANY (s.frameworks))
             UNION ALL
            SELECT date_trunc('hour', t.created_at, 'UTC'), t.framework, 1, (t.status = 'passed')::integer,
                   (t.status IN ('failed', 'error'))::integer, t.duration_us, t.duration_us, t.duration_us
              FROM crossbridge.edge_tests(s, first_hour, rows_from) AS t) AS p
     GROUP BY 1, 2;
END $$;

-- Attempts by test. Rows between the window's edge and the nearest midnight are added to the whole days, or taken off.
CREATE OR REPLACE FUNCTION crossbridge.panel_tests(s crossbridge.scope)
RETURNS TABLE (test_id text, framework text, n bigint, passed bigint, failed bigint, error bigint, sum_us bigint)
LANGUAGE plpgsql STABLE
SET jit = off
SET plan_cache_mode = force_custom_plan
SET enable_sort = off   -- the planner does not see how few tests there are
AS $$
#variable_conflict use_column
DECLARE
    first_day timestamptz := crossbridge.nearest_day(s.since);
    end_day timestamptz := crossbridge.nearest_day(s.until);
    cells text[] := coalesce((SELECT array_agg('*' || b) FROM unnest(s.branches) AS b), s.environments, '{*}');
BEGIN
    IF s.branches IS NOT NULL AND s.environments IS NOT NULL OR s.test_id IS NOT NULL OR s.run_id IS NOT NULL
       OR first_day >= end_day THEN
        first_day := s.until;
        end_day := s.until;
    END IF;
    RETURN QUERY
    SELECT d.test_id, d.framework, p.n, p.passed, p.failed, p.error, p.sum_us
      FROM (SELECT x.test_key, sum(x.n)::bigint AS n, sum(x.passed)::bigint AS passed, sum(x.failed)::bigint AS failed,
                   sum(x.error)::bigint AS error, sum(x.sum_us)::bigint AS sum_us
              FROM (SELECT r.test_key, sum(r.n) AS n, sum(r.passed) AS passed, sum(r.failed) AS failed, sum(r.error) AS error,
                           sum(r.sum_us)::bigint AS sum_us
                      FROM crossbridge.rollup_test_day AS r
                     WHERE r.environment = ANY (cells)
                       AND r.day >= (first_day AT TIME ZONE 'UTC')::date AND r.day < (end_day AT TIME ZONE 'UTC')::date
                     GROUP BY 1
                     UNION ALL
                    SELECT d.test_key, e.n, e.passed, e.failed, e.error, e.sum_us
                      FROM (SELECT t.test_id, t.framework, sum(t.sign) AS n,
                                   sum(t.sign) FILTER (WHERE t.status = 'passed') AS passed,
                                   sum(t.sign) FILTER (WHERE t.status = 'failed') AS failed,
                                   sum(t.sign) FILTER (WHERE t.status = 'error') AS error,
                                   sum(t.sign * t.duration_us)::bigint AS sum_us
                              FROM (SELECT CASE WHEN s.since < first_day THEN 1 ELSE -1 END AS sign, t.test_id, t.framework,
                                           t.status, t.duration_us
                                      FROM crossbridge.chosen_tests(s, least(s.since, first_day),
                                                                    greatest(s.since, first_day)) AS t
                                     UNION ALL
                                    SELECT CASE WHEN end_day < s.until THEN 1 ELSE -1 END, t.test_id, t.framework, t.status,
                                           t.duration_us
                                      FROM crossbridge.chosen_tests(s, least(s.until, end_day),
                                                                    greatest(s.until, end_day)) AS t
                                     UNION ALL
                                    SELECT 1, t.test_id, t.framework, t.status, t.duration_us
                                      FROM crossbridge.unrolled_tests(s, first_day, end_day) AS t) AS t
                             GROUP BY 1, 2) AS e
                      JOIN crossbridge.test_dim AS d USING (test_id, framework)) AS x
             GROUP BY 1
            HAVING sum(x.n) > 0) AS p
      JOIN crossbridge.test_dim AS d USING (test_key)
     WHERE s.frameworks IS NULL OR d.framework = ANY (s.frameworks);
END $$;

-- Average duration of the steps of the chosen test: by minute over a week at most, by day over more.
CREATE OR REPLACE FUNCTION crossbridge.panel_steps(s crossbridge.scope)
RETURNS TABLE ("time" timestamptz, step_name text, n bigint, failed bigint, sum_us bigint)
LANGUAGE plpgsql STABLE
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    long CONSTANT boolean := s.until - s.since > interval '7 days 1 second';
    first_day timestamptz := s.until;
    rows_from timestamptz := s.until;
BEGIN
    IF s.test_id IS NULL THEN
        RETURN;
    ELSIF long AND s.environments IS NULL AND s.branches IS NULL AND s.run_id IS NULL THEN
        first_day := crossbridge.ceiling_of(s.since, 'day');
        rows_from := date_trunc('day', s.until, 'UTC');
    END IF;
    RETURN QUERY
    SELECT p.at, p.step_name, sum(p.n)::bigint, sum(p.failed)::bigint, sum(p.sum_us)::bigint
      FROM (SELECT r.day::timestamp AT TIME ZONE 'UTC' AS at, r.step_name, r.n, r.failed, r.sum_us
              FROM crossbridge.rollup_step_day AS r
              JOIN crossbridge.test_dim AS d USING (test_key)
             WHERE d.test_id = s.test_id AND (s.frameworks IS NULL OR d.framework = ANY (s.frameworks))
               AND r.day >= (first_day AT TIME ZONE 'UTC')::date AND r.day < (rows_from AT TIME ZONE 'UTC')::date
             UNION ALL
            SELECT date_trunc(CASE WHEN long THEN 'day' ELSE 'minute' END, x.created_at, 'UTC'), x.step_name, 1,
                   (x.status = 'failed')::integer, x.duration_us
              FROM crossbridge.steps AS x
             WHERE x.test_id = s.test_id
               AND (x.created_at >= s.since AND x.created_at < first_day OR x.created_at >= rows_from AND x.created_at < s.until)
               AND (s.frameworks IS NULL OR x.framework = ANY (s.frameworks))
               AND (s.run_id IS NULL OR x.run_id = s.run_id)
               AND (s.environments IS NULL AND s.branches IS NULL
                    OR x.run_id IN (SELECT r.run_id FROM crossbridge.chosen_runs(s) AS r))) AS p
     GROUP BY 1, 2;
END $$;

-- Percentiles of attempts' durations in us over time: by hour over two days at most, by day over more.
CREATE OR REPLACE FUNCTION crossbridge.panel_percentiles(s crossbridge.scope)
RETURNS TABLE ("time" timestamptz, p50_us double precision, p95_us double precision, p99_us double precision)
LANGUAGE plpgsql STABLE
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    unit CONSTANT text := CASE WHEN s.until - s.since > interval '2 days 1 second' THEN 'day' ELSE 'hour' END;
    first_hour timestamptz := least(crossbridge.ceiling_of(s.since, 'hour'), s.until);
    rows_from timestamptz := greatest(first_hour, date_trunc('hour', s.until, 'UTC'));
    first_day timestamptz;
    hours_from timestamptz;
BEGIN
    IF s.test_id IS NOT NULL OR s.run_id IS NOT NULL THEN
        first_hour := s.until;
        rows_from := s.until;
    END IF;
    first_day := rows_from;
    hours_from := rows_from;
    IF unit = 'day' AND s.branches IS NULL THEN   -- histograms of days know no branches
        first_day := least(crossbridge.ceiling_of(first_hour, 'day'), rows_from);
        hours_from := greatest(first_day, date_trunc('day', rows_from, 'UTC'));
    END IF;
    RETURN QUERY
    SELECT x.at, crossbridge.hist_percentile((x.hist).lo, (x.hist).cnt, 0.50),
           crossbridge.hist_percentile((x.hist).lo, (x.hist).cnt, 0.95),
           crossbridge.hist_percentile((x.hist).lo, (x.hist).cnt, 0.99)
      FROM (SELECT p.at, crossbridge.hist_sum(p.packed) AS hist
              FROM (SELECT r.day::timestamp AT TIME ZONE 'UTC' AS at, r.packed
                      FROM crossbridge.hist_day AS r
                     WHERE r.day >= (first_day AT TIME ZONE 'UTC')::date AND r.day < (hours_from AT TIME ZONE 'UTC')::date
                       AND (s.environments IS NULL OR r.environment = ANY (s.environments))
                       AND (s.frameworks IS NULL OR r.framework = ANY (s.frameworks))
                     UNION ALL
                    SELECT date_trunc(unit, r.hour, 'UTC'), r.packed
                      FROM crossbridge.hist_hour AS r
                     WHERE (r.hour >= first_hour AND r.hour < first_day OR r.hour >= hours_from AND r.hour < rows_from)
                       AND (s.environments IS NULL OR r.environment = ANY (s.environments))
                       AND (s.branches IS NULL OR r.git_branch = ANY (s.branches))
                       AND (s.frameworks IS NULL OR r.framework = ANY (s.frameworks))
                     UNION ALL
                    SELECT e.at, crossbridge.hist_pack((e.hist).lo, (e.hist).cnt)
                      FROM (SELECT date_trunc(unit, t.created_at, 'UTC') AS at,
                                   crossbridge.hist_of(array_agg(crossbridge.hist_bin(t.duration_us))) AS hist
                              FROM crossbridge.edge_tests(s, first_hour, rows_from) AS t
                             GROUP BY 1) AS e) AS p
             GROUP BY 1) AS x;
END $$;

-- Failing attempts by the type of their error.
CREATE OR REPLACE FUNCTION crossbridge.panel_errors(s crossbridge.scope)
RETURNS TABLE (error_type text, failed bigint, error bigint, last_at timestamptz)
LANGUAGE plpgsql STABLE
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    first_day timestamptz := least(crossbridge.ceiling_of(s.since, 'day'), s.until);
    rows_from timestamptz := greatest(first_day, date_trunc('day', s.until, 'UTC'));
BEGIN
    IF s.test_id IS NOT NULL OR s.run_id IS NOT NULL THEN
        first_day := s.until;
        rows_from := s.until;
    END IF;
    RETURN QUERY
    SELECT coalesce(nullif(p.error_type, ''), 'not told'), sum(p.failed)::bigint, sum(p.error)::bigint, max(p.last_at)
      FROM (SELECT r.error_type, r.failed, r.error, r.last_at
              FROM crossbridge.rollup_error_day AS r
             WHERE r.day >= (first_day AT TIME ZONE 'UTC')::date AND r.day < (rows_from AT TIME ZONE 'UTC')::date
               AND (s.environments IS NULL OR r.environment = ANY (s.environments))
               AND (s.branches IS NULL OR r.git_branch = ANY (s.branches))
               AND (s.frameworks IS NULL OR r.framework = ANY (s.frameworks))
             UNION ALL
            SELECT left(coalesce(t.error_type, ''), 200), (t.status = 'failed')::integer, (t.status = 'error')::integer,
                   t.created_at
              FROM crossbridge.edge_tests(s, first_day, rows_from) AS t
             WHERE (t.status IN ('failed', 'error') OR t.attempt > 1)   -- as the index tests_telling has it
               AND t.status IN ('failed', 'error')) AS p
     GROUP BY 1;
END $$;

-- HTTP calls by endpoint and method, or driver commands by command.
CREATE OR REPLACE FUNCTION crossbridge.panel_calls(s crossbridge.scope, kind text)
RETURNS TABLE (name text, method text, n bigint, errors bigint, retries bigint, sum_us bigint, max_us bigint, p95_us double precision)
LANGUAGE plpgsql STABLE
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    branches CONSTANT text[] := coalesce(s.branches, '{""}');
    first_day timestamptz := least(crossbridge.ceiling_of(s.since, 'day'), s.until);
    rows_from timestamptz := greatest(first_day, date_trunc('day', s.until, 'UTC'));
BEGIN
    IF s.branches IS NOT NULL AND s.environments IS NOT NULL OR s.frameworks IS NOT NULL OR s.test_id IS NOT NULL OR s.run_id IS NOT NULL THEN
        first_day := s.until;
        rows_from := s.until;
    END IF;
    RETURN QUERY
    SELECT x.name, x.method, x.n, x.errors, x.retries, x.sum_us, x.max_us,
           crossbridge.hist_percentile((x.hist).lo, (x.hist).cnt, 0.95)
      FROM (SELECT p.name, p.method, sum(p.n)::bigint AS n, sum(p.errors)::bigint AS errors, sum(p.retries)::bigint AS retries,
                   sum(p.sum_us)::bigint AS sum_us, max(p.max_us) AS max_us, crossbridge.hist_sum(p.packed) AS hist
              FROM (SELECT r.name, r.method, r.n, r.errors, r.retries, r.sum_us, r.max_us, r.packed
                      FROM crossbridge.rollup_call_day AS r
                     WHERE r.day >= (first_day AT TIME ZONE 'UTC')::date AND r.day < (rows_from AT TIME ZONE 'UTC')::date
                       AND r.kind = panel_calls.kind AND r.git_branch = ANY (branches)
                       AND (s.environments IS NULL OR r.environment = ANY (s.environments))
                     UNION ALL
                    SELECT e.name, e.method, e.n, e.errors, e.retries, e.sum_us, e.max_us,
                           crossbridge.hist_pack((e.hist).lo, (e.hist).cnt)
                      FROM (SELECT c.name, c.method, count(*) AS n, count(*) FILTER (WHERE c.failed) AS errors,
                                   sum(c.retries) AS retries, sum(c.duration_us) AS sum_us, max(c.duration_us) AS max_us,
                                   crossbridge.hist_of(array_agg(crossbridge.hist_bin(c.duration_us))) AS hist
                              FROM (SELECT * FROM crossbridge.chosen_calls(s, kind, s.since, first_day)
                                     UNION ALL
                                    SELECT * FROM crossbridge.chosen_calls(s, kind, rows_from, s.until)
                                     UNION ALL
                                    SELECT * FROM crossbridge.unrolled_calls(s, kind, first_day, rows_from)) AS c
                             GROUP BY 1, 2) AS e) AS p
             GROUP BY 1, 2) AS x;
END $$;

-- CPU and memory of the processes under test, by minute over a day at most, by hour over more.
CREATE OR REPLACE FUNCTION crossbridge.panel_system(s crossbridge.scope)
RETURNS TABLE ("time" timestamptz, cpu_average double precision, cpu_highest double precision,
               memory_average double precision, memory_highest double precision)
LANGUAGE plpgsql STABLE
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    unit CONSTANT text := CASE WHEN s.until - s.since > interval '1 day 1 second' THEN 'hour' ELSE 'minute' END;
BEGIN
    RETURN QUERY
    SELECT date_trunc(unit, m.created_at, 'UTC'), avg(m.cpu_percent), max(m.cpu_percent), avg(m.memory_mb), max(m.memory_mb)
      FROM crossbridge.system_metrics AS m
     WHERE m.created_at >= s.since AND m.created_at < s.until
       AND (s.test_id IS NULL OR m.test_id = s.test_id)
       AND (s.run_id IS NULL OR m.run_id = s.run_id)
       AND (s.environments IS NULL AND s.branches IS NULL AND s.frameworks IS NULL
            OR m.run_id IN (SELECT r.run_id FROM crossbridge.chosen_runs(s) AS r
                             WHERE s.frameworks IS NULL OR string_to_array(r.framework, ',') && s.frameworks))
     GROUP BY 1;
END $$;
