-- What dashboards show: a panel's query is one call of these functions. Whole hours and days come from rollups, what lies
-- before and behind them from the rows, so that any window is exact. Hours and days are UTC's.
-- In plpgsql, planned anew each time: filters that are not set vanish from the plan, and the window prunes partitions.

-- What a dashboard's variables choose. A null chooses everything.
CREATE TYPE crossbridge.scope AS (
    since        timestamptz,
    until        timestamptz,   -- excluded
    environments text[],
    branches     text[],
    frameworks   text[],
    test_id      text,
    run_id       uuid
);

-- Grafana's time range includes its end; a variable's All is NULL, alone or in an array. A run narrows the window to its own.
CREATE FUNCTION crossbridge.panel_scope(
    since timestamptz, until timestamptz, environments text[], branches text[], frameworks text[], test_id text, run_id text)
RETURNS crossbridge.scope
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    s crossbridge.scope;
    began timestamptz;
    ended timestamptz;
BEGIN
    s.since := since;
    s.until := until + interval '1 microsecond';
    s.environments := CASE WHEN array_position(environments, NULL) IS NULL THEN nullif(environments, '{}') END;
    s.branches := CASE WHEN array_position(branches, NULL) IS NULL THEN nullif(branches, '{}') END;
    s.frameworks := CASE WHEN array_position(frameworks, NULL) IS NULL THEN nullif(frameworks, '{}') END;
    s.test_id := test_id;
    s.run_id := run_id::uuid;
    IF s.run_id IS NOT NULL THEN
        SELECT least(u.started_at, min(r.hour)), greatest(u.ended_at, max(r.hour) + interval '1 hour') INTO began, ended
          FROM crossbridge.runs AS u
          LEFT JOIN crossbridge.rollup_run_hour AS r USING (run_id)
         WHERE u.run_id = s.run_id
         GROUP BY u.run_id;
        s.since := greatest(s.since, coalesce(began, s.until));
        s.until := greatest(s.since, least(s.until, ended + interval '1 microsecond'));
    END IF;
    RETURN s;
END $$;

CREATE FUNCTION crossbridge.ceiling_of(at timestamptz, unit text) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT date_trunc(unit, at + ('1 ' || unit)::interval - interval '1 microsecond', 'UTC') $$;

-- The hour of a moment in a window of two days at most, its day in a longer one.
CREATE FUNCTION crossbridge.bucket_of(s crossbridge.scope, at timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT date_trunc(CASE WHEN (s).until - (s).since > interval '2 days 1 second' THEN 'day' ELSE 'hour' END, at, 'UTC') $$;

-- The midnight that is nearest to a moment; the next one when nothing happened from then on till it.
CREATE FUNCTION crossbridge.nearest_day(at timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE
AS $$
    SELECT CASE WHEN EXISTS (SELECT FROM crossbridge.tests AS t
                              WHERE t.created_at >= at AND t.created_at < date_trunc('day', at, 'UTC') + interval '1 day')
                THEN date_trunc('day', at + interval '12 hours', 'UTC')
                ELSE date_trunc('day', at, 'UTC') + interval '1 day' END
$$;

-- Runs in the chosen environments and branches.
CREATE FUNCTION crossbridge.chosen_runs(s crossbridge.scope) RETURNS SETOF crossbridge.runs
LANGUAGE sql STABLE
AS $$
    SELECT r.*
      FROM crossbridge.runs AS r
     WHERE ((s).run_id IS NULL OR r.run_id = (s).run_id)
       AND ((s).environments IS NULL OR r.environment = ANY ((s).environments))
       AND ((s).branches IS NULL OR r.git_branch = ANY ((s).branches))
$$;

-- Those of them that began in the window and had a chosen framework.
CREATE FUNCTION crossbridge.begun_runs(s crossbridge.scope) RETURNS SETOF crossbridge.runs
LANGUAGE sql STABLE
AS $$
    SELECT r.*
      FROM crossbridge.chosen_runs(s) AS r
     WHERE r.started_at >= (s).since AND r.started_at < (s).until
       AND ((s).frameworks IS NULL OR string_to_array(r.framework, ',') && (s).frameworks)
$$;

-- Attempts between two moments of those the variables choose.
CREATE FUNCTION crossbridge.chosen_tests(s crossbridge.scope, since timestamptz, until timestamptz)
RETURNS SETOF crossbridge.tests
LANGUAGE sql STABLE
AS $$
    SELECT t.*
      FROM crossbridge.tests AS t
     WHERE t.created_at >= since AND t.created_at < until
       AND ((s).frameworks IS NULL OR t.framework = ANY ((s).frameworks))
       AND ((s).test_id IS NULL OR t.test_id = (s).test_id)
       AND ((s).run_id IS NULL OR t.run_id = (s).run_id)
       AND ((s).environments IS NULL AND (s).branches IS NULL
            OR t.run_id IN (SELECT r.run_id FROM crossbridge.chosen_runs(s) AS r))
$$;

-- Attempts of the window before one moment, and from another one on: what rollups of whole hours or days leave out.
CREATE FUNCTION crossbridge.edge_tests(s crossbridge.scope, before timestamptz, since timestamptz)
RETURNS SETOF crossbridge.tests
LANGUAGE sql STABLE
AS $$
    SELECT * FROM crossbridge.chosen_tests(s, (s).since, before)
     UNION ALL
    SELECT * FROM crossbridge.chosen_tests(s, since, (s).until)
$$;

-- Attempts by hour and framework.
CREATE FUNCTION crossbridge.panel_hours(s crossbridge.scope)
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

-- Attempts between two moments in runs of the chosen branches that the per-test days of branches do not count. They are few: a
-- run's rows are found by when it ran. OFFSET 0 keeps the planner from reading all rows for those of some runs.
CREATE FUNCTION crossbridge.unrolled_tests(s crossbridge.scope, since timestamptz, until timestamptz)
RETURNS SETOF crossbridge.tests
LANGUAGE sql STABLE
AS $$
    SELECT t.*
      FROM (SELECT r.run_id, greatest(min(x.started_at), since) AS began, max(greatest(x.last_at, x.closed_at)) AS ended
              FROM crossbridge.chosen_runs(s) AS r
              JOIN crossbridge.segments AS x USING (run_id)
             WHERE (s).branches IS NOT NULL AND NOT r.rolled_branch
             GROUP BY 1
            HAVING max(greatest(x.last_at, x.closed_at)) >= since AND min(x.started_at) < until) AS u
     CROSS JOIN LATERAL (
         SELECT * FROM crossbridge.tests AS t
          WHERE t.run_id = u.run_id AND t.created_at BETWEEN u.began AND u.ended AND t.created_at < until
         OFFSET 0) AS t
$$;

-- Attempts by test. Rows between the window's edge and the nearest midnight are added to the whole days, or taken off.
CREATE FUNCTION crossbridge.panel_tests(s crossbridge.scope)
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
CREATE FUNCTION crossbridge.panel_steps(s crossbridge.scope)
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
CREATE FUNCTION crossbridge.panel_percentiles(s crossbridge.scope)
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
CREATE FUNCTION crossbridge.panel_errors(s crossbridge.scope)
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

-- Calls of a kind, http or driver, between two moments of those the variables choose.
CREATE FUNCTION crossbridge.chosen_calls(s crossbridge.scope, kind text, since timestamptz, until timestamptz)
RETURNS TABLE (name text, method text, failed boolean, retries integer, duration_us bigint)
LANGUAGE sql STABLE
AS $$
    SELECT c.name, c.method, c.failed, c.retries, c.duration_us
      FROM (SELECT h.created_at, h.run_id, h.test_id, h.framework, left(h.endpoint, 300) AS name, left(h.method, 20) AS method,
                   crossbridge.http_failed(h.status_code, h.error) AS failed, 0 AS retries, h.duration_us
              FROM crossbridge.http_calls AS h
             WHERE kind = 'http'
             UNION ALL
            SELECT d.created_at, d.run_id, d.test_id, d.framework, left(d.command, 300), '', d.error IS NOT NULL, d.retry_count,
                   d.duration_us
              FROM crossbridge.driver_commands AS d
             WHERE kind = 'driver') AS c
     WHERE c.created_at >= since AND c.created_at < until
       AND ((s).frameworks IS NULL OR c.framework = ANY ((s).frameworks))
       AND ((s).test_id IS NULL OR c.test_id = (s).test_id)
       AND ((s).run_id IS NULL OR c.run_id = (s).run_id)
       AND ((s).environments IS NULL AND (s).branches IS NULL
            OR c.run_id IN (SELECT r.run_id FROM crossbridge.chosen_runs(s) AS r))
$$;

-- HTTP calls by endpoint and method, or driver commands by command.
CREATE FUNCTION crossbridge.panel_calls(s crossbridge.scope, kind text)
RETURNS TABLE (name text, method text, n bigint, errors bigint, retries bigint, sum_us bigint, max_us bigint, p95_us double precision)
LANGUAGE plpgsql STABLE
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    first_day timestamptz := least(crossbridge.ceiling_of(s.since, 'day'), s.until);
    rows_from timestamptz := greatest(first_day, date_trunc('day', s.until, 'UTC'));
BEGIN
    IF s.branches IS NOT NULL OR s.frameworks IS NOT NULL OR s.test_id IS NOT NULL OR s.run_id IS NOT NULL THEN
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
                       AND r.kind = panel_calls.kind
                       AND (s.environments IS NULL OR r.environment = ANY (s.environments))
                     UNION ALL
                    SELECT e.name, e.method, e.n, e.errors, e.retries, e.sum_us, e.max_us,
                           crossbridge.hist_pack((e.hist).lo, (e.hist).cnt)
                      FROM (SELECT c.name, c.method, count(*) AS n, count(*) FILTER (WHERE c.failed) AS errors,
                                   sum(c.retries) AS retries, sum(c.duration_us) AS sum_us, max(c.duration_us) AS max_us,
                                   crossbridge.hist_of(array_agg(crossbridge.hist_bin(c.duration_us))) AS hist
                              FROM (SELECT * FROM crossbridge.chosen_calls(s, kind, s.since, first_day)
                                     UNION ALL
                                    SELECT * FROM crossbridge.chosen_calls(s, kind, rows_from, s.until)) AS c
                             GROUP BY 1, 2) AS e) AS p
             GROUP BY 1, 2) AS x;
END $$;

-- CPU and memory of the processes under test, by minute over a day at most, by hour over more.
CREATE FUNCTION crossbridge.panel_system(s crossbridge.scope)
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

-- Runs that began in the window, with what the variables choose in them.
CREATE FUNCTION crossbridge.panel_runs(s crossbridge.scope) RETURNS SETOF crossbridge.runs
LANGUAGE plpgsql STABLE
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
BEGIN
    RETURN QUERY
    SELECT * FROM crossbridge.begun_runs(s);
END $$;

-- Runs of a status that began in the window, the latest first; with what runs in them now.
CREATE FUNCTION crossbridge.panel_runs_of(s crossbridge.scope, status text)
RETURNS TABLE (run_id uuid, started_at timestamptz, ended_at timestamptz, environment text, git_branch text, framework text,
               tests bigint, failed bigint, interrupted bigint, in_flight bigint, longest_test text, longest_since timestamptz)
LANGUAGE plpgsql STABLE
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT r.run_id, r.started_at, r.ended_at, r.environment, r.git_branch, r.framework, r.tests, r.failed + r.error,
           r.interrupted, f.tests, f.longest, f.since
      FROM crossbridge.panel_runs(s) AS r
     CROSS JOIN LATERAL (SELECT count(*) AS tests, min(x.started_at) AS since,
                                (array_agg(x.test_id ORDER BY x.started_at, x.test_id))[1] AS longest
                           FROM crossbridge.in_flight AS x WHERE x.run_id = r.run_id) AS f
     WHERE r.status = panel_runs_of.status
     ORDER BY r.started_at DESC, r.run_id
     LIMIT 50;
END $$;

-- What became of the events of these runs, by the hour or day in which the runs began.
CREATE FUNCTION crossbridge.panel_health(s crossbridge.scope)
RETURNS TABLE ("time" timestamptz, written bigint, spooled bigint, dropped bigint)
LANGUAGE plpgsql STABLE
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    unit CONSTANT text := CASE WHEN s.until - s.since > interval '7 days 1 second' THEN 'day' ELSE 'hour' END;
BEGIN
    RETURN QUERY
    SELECT date_trunc(unit, r.started_at, 'UTC'), sum(r.events_written)::bigint, sum(r.events_spooled)::bigint,
           sum(r.events_dropped)::bigint
      FROM crossbridge.begun_runs(s) AS r
     GROUP BY 1;
END $$;

-- Retries that turned a failing test of a run into a passing one. `lost_us` is what the failing attempts before took.
CREATE FUNCTION crossbridge.panel_saved(s crossbridge.scope)
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
CREATE FUNCTION crossbridge.suspects(s crossbridge.scope) RETURNS TABLE (framework text, test_id text)
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

-- How each run of the suspects ended, and what that tells, of the latest 500 attempts of each. A run's outcome is that of
-- the last attempt.
-- retried: it failed and passed when retried. same_commit: it ended otherwise than the run before it of the same code in
-- the same place; at a developer's desk the first such change is what an edit looks like and does not count.
-- across_commits: it ended otherwise than the run of another commit before it in this environment and branch.
CREATE FUNCTION crossbridge.panel_outcomes(s crossbridge.scope)
RETURNS TABLE (framework text, test_id text, run_id uuid, started_at timestamptz, last_at timestamptz, passed boolean,
               retried boolean, same_commit boolean, across_commits boolean, lost_us bigint)
LANGUAGE plpgsql STABLE
SET jit = off
SET plan_cache_mode = force_custom_plan
SET work_mem = '16MB'
AS $$
#variable_conflict use_column
DECLARE
    frameworks text[];
    names text[];
BEGIN
    SELECT array_agg(x.framework), array_agg(x.test_id) INTO frameworks, names FROM crossbridge.suspects(s) AS x;
    RETURN QUERY
    WITH outcomes AS (
        SELECT x.number, t.run_id,
               (array_agg(t.status = 'passed' ORDER BY t.attempt DESC, t.status = 'passed'))[1] AS passed,
               coalesce(min(t.attempt) FILTER (WHERE t.status <> 'passed') < max(t.attempt) FILTER (WHERE t.status = 'passed'),
                        false) AS retried,
               sum(t.duration_us) FILTER (WHERE t.status <> 'passed') AS failed_us, max(t.created_at) AS last_at
          FROM generate_subscripts(names, 1) AS x(number)
         CROSS JOIN LATERAL (SELECT * FROM crossbridge.tests AS t
                              WHERE t.test_id = names[x.number] AND t.framework = frameworks[x.number]
                                AND t.created_at >= s.since AND t.created_at < s.until
                                AND t.status IN ('passed', 'failed', 'error')
                                AND (s.run_id IS NULL OR t.run_id = s.run_id)
                              ORDER BY t.created_at DESC, t.id DESC
                              LIMIT 500) AS t
         GROUP BY 1, 2
    ), codes AS MATERIALIZED (
        SELECT r.run_id, r.started_at, r.git_commit, r.environment, r.git_branch,
               r.environment = 'local' AND r.ci_provider IS NULL AS at_a_desk,
               dense_rank() OVER (ORDER BY r.git_commit, r.app_version, r.environment, split_part(r.os, ' ', 1), r.runtime,
                                           r.labels) AS code,
               dense_rank() OVER (ORDER BY r.environment, r.git_branch) AS line
          FROM crossbridge.chosen_runs(s) AS r
         WHERE r.run_id IN (SELECT o.run_id FROM outcomes AS o)
    ), changes AS (
        SELECT o.*, c.started_at, c.code, c.at_a_desk,
               c.git_commit IS NOT NULL AND coalesce(o.passed <> lag(o.passed) OVER code, false) AS changed,
               c.git_commit <> lag(c.git_commit) OVER line AND o.passed <> lag(o.passed) OVER line AS across_commits
          FROM outcomes AS o
          JOIN codes AS c USING (run_id)
        WINDOW code AS (PARTITION BY o.number, c.code ORDER BY c.started_at, o.last_at, o.run_id),
               line AS (PARTITION BY o.number, c.line ORDER BY c.started_at, o.last_at, o.run_id)
    )
    SELECT frameworks[c.number], names[c.number], c.run_id, c.started_at, c.last_at, c.passed, c.retried,
           c.changed AND NOT (c.at_a_desk AND 1 = count(*) FILTER (WHERE c.changed) OVER (
               PARTITION BY c.number, c.code ORDER BY c.started_at, c.last_at, c.run_id)),
           coalesce(c.across_commits, false), CASE WHEN c.retried THEN c.failed_us ELSE 0 END::bigint
      FROM changes AS c;
END $$;

-- The share, 0 to 1, that `hits` of `n` is at least, with 97.5 % confidence: lower end of Wilson's score interval (1927).
CREATE FUNCTION crossbridge.at_least(hits bigint, n bigint) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT greatest(0, (hits::float8 / n + 1.9208 / n - 1.96 * sqrt(hits::float8 / n * (1 - hits::float8 / n) / n + 0.9604 / n / n))
                       / (1 + 3.8416 / n))
     WHERE n > 0
$$;

-- Flaky tests among the suspects. `score` is the share of runs, in per cent, that at least were flaky: retried or ended
-- otherwise than a run of the same code.
CREATE FUNCTION crossbridge.panel_flaky(s crossbridge.scope)
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
CREATE FUNCTION crossbridge.panel_flaky_history(s crossbridge.scope)
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
CREATE FUNCTION crossbridge.panel_retries(s crossbridge.scope)
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
CREATE FUNCTION crossbridge.panel_broken(s crossbridge.scope)
RETURNS TABLE (framework text, test_id text, broken_at timestamptz, git_commit text, git_branch text, environment text,
               run_id uuid, error_type text, failed_since bigint, passed_before timestamptz)
LANGUAGE plpgsql STABLE
SET jit = off
SET plan_cache_mode = force_custom_plan
SET work_mem = '16MB'
AS $$
#variable_conflict use_column
DECLARE
    frameworks text[];
    names text[];
BEGIN
    SELECT array_agg(x.framework), array_agg(x.test_id) INTO frameworks, names
      FROM (SELECT d.framework, d.test_id
              FROM (SELECT r.test_key, (array_agg((r.failed + r.error)::float8 / r.n ORDER BY r.day DESC))[1] AS share,
                           sum(r.failed + r.error) AS failed
                      FROM crossbridge.rollup_test_day AS r
                     WHERE r.environment = ANY (coalesce(s.environments, '{*}'))
                       AND r.day >= greatest((s.since AT TIME ZONE 'UTC')::date, (s.until AT TIME ZONE 'UTC')::date - 7)
                       AND r.day <= (s.until AT TIME ZONE 'UTC')::date
                     GROUP BY 1
                    HAVING sum(r.failed + r.error) > 0) AS r
              JOIN crossbridge.test_dim AS d USING (test_key)
             WHERE (s.frameworks IS NULL OR d.framework = ANY (s.frameworks))
               AND (s.test_id IS NULL OR d.test_id = s.test_id)
             ORDER BY r.share DESC, r.failed DESC, d.test_key
             LIMIT 15) AS x;
    RETURN QUERY
    WITH attempts AS (
        SELECT t.framework, t.test_id, t.run_id, t.created_at, t.status = 'passed' AS passed, t.error_type,
               max(t.created_at) FILTER (WHERE t.status = 'passed') OVER (PARTITION BY t.framework, t.test_id) AS passed_at
          FROM crossbridge.tests AS t
         WHERE t.test_id = ANY (names) AND (t.framework, t.test_id) IN (SELECT * FROM unnest(frameworks, names))
           AND t.created_at >= s.since AND t.created_at < s.until AND t.status IN ('passed', 'failed', 'error')
           AND (s.run_id IS NULL OR t.run_id = s.run_id)
           AND (s.environments IS NULL AND s.branches IS NULL
                OR t.run_id IN (SELECT r.run_id FROM crossbridge.chosen_runs(s) AS r))
    ), first_failures AS (
        SELECT DISTINCT ON (a.framework, a.test_id) a.*, count(*) OVER (PARTITION BY a.framework, a.test_id) AS failed_since
          FROM attempts AS a
         WHERE NOT a.passed AND a.created_at > coalesce(a.passed_at, '-infinity')
         ORDER BY a.framework, a.test_id, a.created_at
    )
    SELECT f.framework, f.test_id, f.created_at, r.git_commit, r.git_branch, r.environment, f.run_id, f.error_type,
           f.failed_since, f.passed_at
      FROM first_failures AS f
      LEFT JOIN crossbridge.runs AS r USING (run_id);
END $$;

-- Attempts by what their runs have in common: app_version, git_commit, git_branch or environment.
CREATE FUNCTION crossbridge.panel_groups(s crossbridge.scope, attribute text)
RETURNS TABLE (name text, runs bigint, n bigint, passed bigint, failed bigint, sum_us bigint, max_us bigint,
               first_at timestamptz, last_at timestamptz)
LANGUAGE plpgsql STABLE
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    first_hour timestamptz := least(crossbridge.ceiling_of(s.since, 'hour'), s.until);
    rows_from timestamptz := greatest(first_hour, date_trunc('hour', s.until, 'UTC'));
BEGIN
    IF s.test_id IS NOT NULL THEN
        first_hour := s.until;
        rows_from := s.until;
    END IF;
    RETURN QUERY
    SELECT coalesce(nullif(CASE attribute WHEN 'app_version' THEN r.app_version WHEN 'git_commit' THEN r.git_commit
                                          WHEN 'git_branch' THEN r.git_branch WHEN 'environment' THEN r.environment END, ''),
                    'not told'),
           count(*), sum(p.n)::bigint, sum(p.passed)::bigint, sum(p.failed)::bigint, sum(p.sum_us)::bigint, max(p.max_us),
           min(r.started_at), max(r.started_at)
      FROM (SELECT x.run_id, sum(x.n) AS n, sum(x.passed) AS passed, sum(x.failed) AS failed, sum(x.sum_us) AS sum_us,
                   max(x.max_us) AS max_us
              FROM (SELECT r.run_id, r.n, r.passed, r.failed + r.error AS failed, r.sum_us, r.max_us
                      FROM crossbridge.rollup_run_hour AS r
                     WHERE r.hour >= first_hour AND r.hour < rows_from
                       AND (s.frameworks IS NULL OR r.framework = ANY (s.frameworks))
                       AND (s.run_id IS NULL OR r.run_id = s.run_id)
                     UNION ALL
                    SELECT t.run_id, 1, (t.status = 'passed')::integer, (t.status IN ('failed', 'error'))::integer,
                           t.duration_us, t.duration_us
                      FROM crossbridge.edge_tests(s, first_hour, rows_from) AS t) AS x
             GROUP BY 1) AS p
      JOIN crossbridge.chosen_runs(s) AS r USING (run_id)
     GROUP BY 1;
END $$;

-- Versions of the application that ran in the window, the latest first.
CREATE FUNCTION crossbridge.panel_versions(s crossbridge.scope)
RETURNS TABLE (app_version text, number bigint, first_at timestamptz, last_at timestamptz)
LANGUAGE plpgsql STABLE
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT r.app_version, row_number() OVER (ORDER BY max(r.started_at) DESC, r.app_version), min(r.started_at),
           max(r.started_at)
      FROM crossbridge.begun_runs(s) AS r
     WHERE r.app_version IS NOT NULL
     GROUP BY 1;
END $$;

-- What each test did in two versions, whenever that was; durations are those of passed attempts, null when none passed.
CREATE FUNCTION crossbridge.panel_compare(s crossbridge.scope, base text, head text)
RETURNS TABLE (framework text, test_id text, base_n bigint, head_n bigint, base_failed bigint, head_failed bigint,
               base_us double precision, head_us double precision)
LANGUAGE plpgsql STABLE
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT d.framework, d.test_id, x.base_n, x.head_n, x.base_failed, x.head_failed, x.base_us, x.head_us
      FROM (SELECT r.test_key,
                   coalesce(sum(r.n) FILTER (WHERE v.app_version = left(base, 200)), 0)::bigint AS base_n,
                   coalesce(sum(r.n) FILTER (WHERE v.app_version = left(head, 200)), 0)::bigint AS head_n,
                   coalesce(sum(r.failed + r.error) FILTER (WHERE v.app_version = left(base, 200)), 0)::bigint AS base_failed,
                   coalesce(sum(r.failed + r.error) FILTER (WHERE v.app_version = left(head, 200)), 0)::bigint AS head_failed,
                   (sum(r.passed_us) FILTER (WHERE v.app_version = left(base, 200))
                    / nullif(sum(r.passed) FILTER (WHERE v.app_version = left(base, 200)), 0))::float8 AS base_us,
                   (sum(r.passed_us) FILTER (WHERE v.app_version = left(head, 200))
                    / nullif(sum(r.passed) FILTER (WHERE v.app_version = left(head, 200)), 0))::float8 AS head_us
              FROM crossbridge.version_dim AS v
              JOIN crossbridge.rollup_test_version AS r USING (version_key)
             WHERE v.app_version IN (left(base, 200), left(head, 200))
               AND (s.environments IS NULL OR v.environment = ANY (s.environments))
               AND (s.branches IS NULL OR v.git_branch = ANY (s.branches))
             GROUP BY 1) AS x
      JOIN crossbridge.test_dim AS d USING (test_key)
     WHERE (s.frameworks IS NULL OR d.framework = ANY (s.frameworks))
       AND (s.test_id IS NULL OR d.test_id = s.test_id);
END $$;

-- Runs to choose from, in words.
CREATE VIEW crossbridge.run_choices AS
SELECT r.run_id, r.started_at,
       to_char(r.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' ' || r.status || ' '
       || concat_ws(' ', r.git_branch, left(r.git_commit, 8), r.framework) AS label
  FROM crossbridge.runs AS r;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA crossbridge FROM PUBLIC;

-- Dashboards read as crossbridge_reader, where 'crossbridge db init' has made it; these functions can do what it can.
DO $$
DECLARE
    reading regprocedure;
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'crossbridge_reader') THEN
        FOR reading IN SELECT p.oid FROM pg_catalog.pg_proc AS p
                        WHERE p.pronamespace = 'crossbridge'::regnamespace AND p.provolatile <> 'v' AND NOT p.prosecdef LOOP
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO crossbridge_reader', reading);
        END LOOP;
        GRANT SELECT ON ALL TABLES IN SCHEMA crossbridge TO crossbridge_reader;
    END IF;
END $$;
