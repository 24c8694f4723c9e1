-- Rebuilding the rollups from the rows, a day at a time, while ingest goes on.

-- Keys for the tests of a day that have none, as of rows that came by COPY.
CREATE OR REPLACE FUNCTION crossbridge.rebuild_test_keys(since timestamptz, until timestamptz) RETURNS void
LANGUAGE sql
AS $$
    INSERT INTO crossbridge.test_dim (test_id, framework)
    SELECT x.test_id, x.framework
      FROM (SELECT t.test_id, t.framework FROM crossbridge.tests AS t WHERE t.created_at >= since AND t.created_at < until
             UNION
            SELECT s.test_id, s.framework FROM crossbridge.steps AS s WHERE s.created_at >= since AND s.created_at < until) AS x
     WHERE NOT EXISTS (SELECT FROM crossbridge.test_dim AS d WHERE d.test_id = x.test_id AND d.framework = x.framework)
     ORDER BY 1, 2
    ON CONFLICT DO NOTHING
$$;

-- Environments that have cells of tests, found by stepping through the index: it cannot be entered by day alone.
CREATE OR REPLACE FUNCTION crossbridge.rollup_environments() RETURNS SETOF text
LANGUAGE sql STABLE
AS $$
    WITH RECURSIVE x(environment) AS (
        (SELECT min(environment) FROM crossbridge.rollup_test_day)
         UNION ALL
        SELECT (SELECT min(r.environment) FROM crossbridge.rollup_test_day AS r WHERE r.environment > x.environment)
          FROM x WHERE x.environment IS NOT NULL
    )
    SELECT environment FROM x WHERE environment IS NOT NULL
$$;

CREATE OR REPLACE FUNCTION crossbridge.rebuild_tests(day date, since timestamptz, until timestamptz) RETURNS void
LANGUAGE sql
AS $$
    DELETE FROM crossbridge.rollup_test_day AS r
     WHERE r.environment = ANY (ARRAY(SELECT crossbridge.rollup_environments())) AND r.day = rebuild_tests.day;
    DELETE FROM crossbridge.rolled_weeks AS w WHERE w.week = crossbridge.week_of(day);

    -- First by what decides in which cells a row is counted, then by cell.
    WITH parts AS MATERIALIZED (
        SELECT coalesce(r.environment, '') AS environment, CASE WHEN r.rolled_branch THEN r.git_branch END AS rolled_branch,
               t.test_id, t.framework, count(*) AS n,
               count(*) FILTER (WHERE t.status = 'passed') AS passed, count(*) FILTER (WHERE t.status = 'failed') AS failed,
               count(*) FILTER (WHERE t.status = 'error') AS error, count(*) FILTER (WHERE t.status = 'skipped') AS skipped,
               count(*) FILTER (WHERE t.status = 'xfailed') AS xfailed, count(*) FILTER (WHERE t.status = 'xpassed') AS xpassed,
               count(*) FILTER (WHERE t.status = 'interrupted') AS interrupted,
               sum(t.duration_us) AS sum_us, min(t.duration_us) AS min_us, max(t.duration_us) AS max_us,
               sum(crossbridge.ln_us(t.duration_us)) FILTER (WHERE t.status = 'passed') AS ln_sum,
               sum(crossbridge.ln_us(t.duration_us) * crossbridge.ln_us(t.duration_us)) FILTER (WHERE t.status = 'passed')
                   AS ln_sq
          FROM crossbridge.tests AS t
          LEFT JOIN crossbridge.runs AS r USING (run_id)
         WHERE t.created_at >= since AND t.created_at < until
         GROUP BY 1, 2, 3, 4
    )
    INSERT INTO crossbridge.rollup_test_day (
        environment, day, test_key, n, passed, failed, error, skipped, xfailed, xpassed, interrupted, sum_us, min_us, max_us,
        ln_sum, ln_sq)
    SELECT cell.environment, rebuild_tests.day, d.test_key, sum(p.n), sum(p.passed), sum(p.failed), sum(p.error),
           sum(p.skipped), sum(p.xfailed), sum(p.xpassed), sum(p.interrupted), sum(p.sum_us), min(p.min_us), max(p.max_us),
           coalesce(sum(p.ln_sum), 0), coalesce(sum(p.ln_sq), 0)
      FROM parts AS p
      JOIN crossbridge.test_dim AS d ON d.test_id = p.test_id AND d.framework = p.framework
      JOIN (SELECT x.environment AS of_environment, x.rolled_branch AS of_branch, s AS environment
              FROM (SELECT DISTINCT y.environment, y.rolled_branch FROM parts AS y) AS x
             CROSS JOIN LATERAL crossbridge.slices_of(x.environment, x.rolled_branch) AS s) AS cell
        ON cell.of_environment = p.environment AND cell.of_branch IS NOT DISTINCT FROM p.rolled_branch
     GROUP BY 1, 3
     ORDER BY 1, 3;
$$;

CREATE OR REPLACE FUNCTION crossbridge.rebuild_outcomes(day date, since timestamptz, until timestamptz) RETURNS void
LANGUAGE sql
AS $$
    DELETE FROM crossbridge.troubles AS x WHERE x.created_at >= since AND x.created_at < until;
    INSERT INTO crossbridge.troubles
    SELECT t.created_at, d.test_key, r.run_key, t.attempt, t.status = 'passed', t.duration_us
      FROM crossbridge.tests AS t
      JOIN crossbridge.runs AS r USING (run_id)
      JOIN crossbridge.test_dim AS d ON d.test_id = t.test_id AND d.framework = t.framework
     WHERE t.created_at >= since AND t.created_at < until AND (t.status IN ('failed', 'error') OR t.attempt > 1)
       AND t.status IN ('passed', 'failed', 'error')
     ORDER BY 1;

    DELETE FROM crossbridge.first_passes AS p WHERE p.day = rebuild_outcomes.day;
    INSERT INTO crossbridge.first_passes
    SELECT rebuild_outcomes.day, r.run_key, d.test_key / 512, bit_or(set_bit(0::bit(512), d.test_key % 512, 1))
      FROM crossbridge.tests AS t
      JOIN crossbridge.runs AS r USING (run_id)
      JOIN crossbridge.test_dim AS d ON d.test_id = t.test_id AND d.framework = t.framework
     WHERE t.created_at >= since AND t.created_at < until AND t.status = 'passed' AND t.attempt = 1
     GROUP BY 2, 3
     ORDER BY 2, 3;
$$;

CREATE OR REPLACE FUNCTION crossbridge.rebuild_steps(day date, since timestamptz, until timestamptz) RETURNS void
LANGUAGE sql
AS $$
    DELETE FROM crossbridge.rollup_step_day AS r
     WHERE r.test_key = ANY (ARRAY(SELECT d.test_key FROM crossbridge.test_dim AS d)) AND r.day = rebuild_steps.day;

    INSERT INTO crossbridge.rollup_step_day
    SELECT d.test_key, rebuild_steps.day, s.step_name, count(*), count(*) FILTER (WHERE s.status = 'failed'),
           sum(s.duration_us), min(s.duration_us), max(s.duration_us)
      FROM crossbridge.steps AS s
      JOIN crossbridge.test_dim AS d ON d.test_id = s.test_id AND d.framework = s.framework
     WHERE s.created_at >= since AND s.created_at < until
     GROUP BY 1, 3
     ORDER BY 1, 3;
$$;

CREATE OR REPLACE FUNCTION crossbridge.rebuild_series(day date, since timestamptz, until timestamptz) RETURNS void
LANGUAGE sql
AS $$
    DELETE FROM crossbridge.rollup_hour AS r WHERE r.hour >= since AND r.hour < until;
    DELETE FROM crossbridge.hist_hour AS r WHERE r.hour >= since AND r.hour < until;
    DELETE FROM crossbridge.hist_day AS r WHERE r.day = rebuild_series.day;

    WITH cells AS (
        SELECT date_trunc('hour', t.created_at, 'UTC') AS hour, t.framework, coalesce(r.environment, '') AS environment,
               coalesce(r.git_branch, '') AS git_branch, crossbridge.slot_of(t.run_id) AS slot,
               count(*) AS n,
               count(*) FILTER (WHERE t.status = 'passed') AS passed, count(*) FILTER (WHERE t.status = 'failed') AS failed,
               count(*) FILTER (WHERE t.status = 'error') AS error, count(*) FILTER (WHERE t.status = 'skipped') AS skipped,
               count(*) FILTER (WHERE t.status = 'xfailed') AS xfailed, count(*) FILTER (WHERE t.status = 'xpassed') AS xpassed,
               count(*) FILTER (WHERE t.status = 'interrupted') AS interrupted,
               sum(t.duration_us) AS sum_us, min(t.duration_us) AS min_us, max(t.duration_us) AS max_us,
               crossbridge.hist_of(array_agg(crossbridge.hist_bin(t.duration_us))) AS hist
          FROM crossbridge.tests AS t
          LEFT JOIN crossbridge.runs AS r USING (run_id)
         WHERE t.created_at >= since AND t.created_at < until
         GROUP BY 1, 2, 3, 4, 5
    ), histograms AS (
        INSERT INTO crossbridge.hist_hour
        SELECT c.hour, c.framework, c.environment, c.git_branch, c.slot, (c.hist).lo, (c.hist).cnt
          FROM cells AS c ORDER BY 1, 2, 3, 4, 5
    )
    INSERT INTO crossbridge.rollup_hour
    SELECT c.hour, c.framework, c.environment, c.git_branch, c.slot, c.n, c.passed, c.failed, c.error, c.skipped, c.xfailed,
           c.xpassed, c.interrupted, c.sum_us, c.min_us, c.max_us
      FROM cells AS c ORDER BY 1, 2, 3, 4, 5;

    INSERT INTO crossbridge.hist_day
    SELECT rebuild_series.day, x.framework, x.environment, x.slot, (x.hist).lo, (x.hist).cnt
      FROM (SELECT h.framework, h.environment, h.slot, crossbridge.hist_sum(h.lo, h.cnt) AS hist
              FROM crossbridge.hist_hour AS h
             WHERE h.hour >= since AND h.hour < until
             GROUP BY 1, 2, 3) AS x
     ORDER BY 2, 3, 4;
$$;

CREATE OR REPLACE FUNCTION crossbridge.rebuild_calls(day date, since timestamptz, until timestamptz) RETURNS void
LANGUAGE sql
AS $$
    DELETE FROM crossbridge.rollup_call_day AS r WHERE r.day = rebuild_calls.day;
    INSERT INTO crossbridge.rollup_call_day (
        day, kind, name, method, environment, git_branch, n, errors, retries, sum_us, max_us, lo, cnt)
    SELECT rebuild_calls.day, x.kind, x.name, x.method, x.environment, x.git_branch, x.n, x.errors, x.retries, x.sum_us,
           x.max_us, (x.hist).lo, (x.hist).cnt
      FROM (SELECT c.kind, c.name, c.method, cell.environment, cell.git_branch, count(*) AS n,
                   count(*) FILTER (WHERE c.failed) AS errors, sum(c.retries) AS retries, sum(c.duration_us) AS sum_us,
                   max(c.duration_us) AS max_us,
                   crossbridge.hist_of(array_agg(crossbridge.hist_bin(c.duration_us))) AS hist
              FROM (SELECT h.run_id, 'http' AS kind, left(h.endpoint, 300) AS name, left(h.method, 20) AS method,
                           crossbridge.http_failed(h.status_code, h.error) AS failed, 0 AS retries, h.duration_us
                      FROM crossbridge.http_calls AS h WHERE h.created_at >= since AND h.created_at < until
                     UNION ALL
                    SELECT d.run_id, 'driver', left(d.command, 300), '', d.error IS NOT NULL, d.retry_count, d.duration_us
                      FROM crossbridge.driver_commands AS d WHERE d.created_at >= since AND d.created_at < until) AS c
              LEFT JOIN crossbridge.runs AS r USING (run_id)
             CROSS JOIN LATERAL (SELECT coalesce(r.environment, ''), ''
                                  UNION ALL SELECT '', r.git_branch WHERE r.rolled_branch AND r.git_branch <> '')
                        AS cell(environment, git_branch)
             GROUP BY 1, 2, 3, 4, 5) AS x
     ORDER BY 2, 6, 3, 4, 5;
$$;

-- What rollups_reading.sql keeps, and hours of runs.
CREATE OR REPLACE FUNCTION crossbridge.rebuild_reading(day date, since timestamptz, until timestamptz) RETURNS void
LANGUAGE sql
AS $$
    DELETE FROM crossbridge.rollup_run_hour AS r WHERE r.hour >= since AND r.hour < until;
    INSERT INTO crossbridge.rollup_run_hour
    SELECT date_trunc('hour', t.created_at, 'UTC'), t.run_id, t.framework, count(*),
           count(*) FILTER (WHERE t.status = 'passed'), count(*) FILTER (WHERE t.status = 'failed'),
           count(*) FILTER (WHERE t.status = 'error'), count(*) FILTER (WHERE t.status = 'skipped'),
           sum(t.duration_us), min(t.duration_us), max(t.duration_us)
      FROM crossbridge.tests AS t
     WHERE t.created_at >= since AND t.created_at < until
     GROUP BY 1, 2, 3
     ORDER BY 1, 2, 3;

    DELETE FROM crossbridge.rollup_error_day AS r WHERE r.day = rebuild_reading.day;
    INSERT INTO crossbridge.rollup_error_day
    SELECT rebuild_reading.day, left(coalesce(t.error_type, ''), 200), t.framework, coalesce(r.environment, ''),
           coalesce(r.git_branch, ''), crossbridge.slot_of(t.run_id),
           count(*) FILTER (WHERE t.status = 'failed'), count(*) FILTER (WHERE t.status = 'error'), max(t.created_at)
      FROM crossbridge.tests AS t
      LEFT JOIN crossbridge.runs AS r USING (run_id)
     WHERE t.created_at >= since AND t.created_at < until AND t.status IN ('failed', 'error')
     GROUP BY 1, 2, 3, 4, 5, 6
     ORDER BY 1, 2, 3, 4, 5, 6;

    SELECT crossbridge.rebuild_calls(day, since, until);

    INSERT INTO crossbridge.version_dim (app_version, environment, git_branch)
    SELECT DISTINCT left(r.app_version, 200), coalesce(r.environment, ''), coalesce(r.git_branch, '')
      FROM crossbridge.runs AS r
     WHERE r.app_version IS NOT NULL
       AND r.run_id IN (SELECT x.run_id FROM crossbridge.rollup_run_hour AS x WHERE x.hour >= since AND x.hour < until)
     ORDER BY 1, 2, 3
    ON CONFLICT DO NOTHING;
    -- An array: the index cannot be entered by day alone.
    DELETE FROM crossbridge.rollup_test_version AS r
     WHERE r.version_key = ANY (ARRAY(SELECT v.version_key FROM crossbridge.version_dim AS v)) AND r.day = rebuild_reading.day;
    INSERT INTO crossbridge.rollup_test_version
    SELECT v.version_key, rebuild_reading.day, d.test_key, count(*), count(*) FILTER (WHERE t.status = 'passed'),
           count(*) FILTER (WHERE t.status = 'failed'), count(*) FILTER (WHERE t.status = 'error'),
           coalesce(sum(t.duration_us) FILTER (WHERE t.status = 'passed'), 0)
      FROM crossbridge.tests AS t
      JOIN crossbridge.runs AS r USING (run_id)
      JOIN crossbridge.version_dim AS v
        ON v.app_version = left(r.app_version, 200) AND v.environment = coalesce(r.environment, '')
       AND v.git_branch = coalesce(r.git_branch, '')
      JOIN crossbridge.test_dim AS d ON d.test_id = t.test_id AND d.framework = t.framework
     WHERE t.created_at >= since AND t.created_at < until
     GROUP BY 1, 3
     ORDER BY 1, 3;
$$;

-- Makes the rollups of a day anew from its rows, and tells how many rows there were. Ingest of other days goes on; ingest
-- of this one waits. Locks in the order of the others: the tables (as 'crossbridge db prune' takes them), then the day.
CREATE OR REPLACE FUNCTION crossbridge.rebuild_day(day date, OUT attempts bigint, OUT steps bigint)
LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan
SET enable_nestloop = off   -- of a table just filled the planner knows nothing
AS $$
DECLARE
    since timestamptz := day::timestamp AT TIME ZONE 'UTC';
    until timestamptz := (day + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE feature_not_supported USING MESSAGE = 'crossbridge.rebuild_day needs the isolation level READ COMMITTED';
    END IF;
    LOCK TABLE ONLY crossbridge.tests, ONLY crossbridge.steps, ONLY crossbridge.http_calls, ONLY crossbridge.driver_commands
        IN ACCESS SHARE MODE;
    PERFORM pg_advisory_xact_lock(crossbridge.day_lock_class(), day - date '1970-01-01');
    IF EXISTS (SELECT FROM crossbridge.pruned_months AS p WHERE p.month = date_trunc('month', rebuild_day.day)) THEN
        RETURN;
    END IF;
    PERFORM crossbridge.rebuild_test_keys(since, until);
    PERFORM crossbridge.rebuild_tests(day, since, until);
    PERFORM crossbridge.rebuild_outcomes(day, since, until);
    PERFORM crossbridge.rebuild_steps(day, since, until);
    PERFORM crossbridge.rebuild_series(day, since, until);
    PERFORM crossbridge.rebuild_reading(day, since, until);
    SELECT coalesce(sum(r.n), 0) INTO attempts FROM crossbridge.rollup_hour AS r WHERE r.hour >= since AND r.hour < until;
    SELECT count(*) INTO rebuild_day.steps FROM crossbridge.steps AS s WHERE s.created_at >= since AND s.created_at < until;
END $$;

-- Rebuilds one day of the queue, the newest that no other session is at. Null when the queue is empty: what others were
-- at is done, or it would be in the queue again.
CREATE OR REPLACE FUNCTION crossbridge.rebuild_next(OUT day date, OUT attempts bigint, OUT steps bigint)
LANGUAGE plpgsql
AS $$
BEGIN
    LOOP
        SELECT q.day INTO day FROM crossbridge.rebuild_queue AS q ORDER BY q.day DESC LIMIT 1 FOR UPDATE SKIP LOCKED;
        IF FOUND THEN
            SELECT r.attempts, r.steps INTO attempts, steps FROM crossbridge.rebuild_day(day) AS r;
            DELETE FROM crossbridge.rebuild_queue AS q WHERE q.day = rebuild_next.day;
            RETURN;
        END IF;
        PERFORM FROM crossbridge.rebuild_queue AS q FOR UPDATE;
        EXIT WHEN NOT FOUND AND NOT EXISTS (SELECT FROM crossbridge.rebuild_queue);
    END LOOP;
END $$;
