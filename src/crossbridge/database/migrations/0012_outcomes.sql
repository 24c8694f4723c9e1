-- Who failed, was retried or passed in which run, by integer keys; calls of busy branches; and an index from a run to its
-- tests. Kept by ingest like the rollups before. Measured at 10 million tests: flakiness read from rows with names and
-- uuids took 700 ms over 90 days, of which two thirds went into comparing texts.

-- All rows of a batch are of one run, so its entries lie together and are packed: some 7 bytes a row.
CREATE INDEX tests_run_id ON crossbridge.tests (run_id);

-- Two runs with one same_code ran the same code in the same place.
CREATE FUNCTION crossbridge.code_of(
    git_commit text, app_version text, environment text, os text, runtime text, labels jsonb) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT pg_catalog.jsonb_hash_extended(
        pg_catalog.jsonb_build_array(git_commit, app_version, environment, pg_catalog.split_part(os, ' ', 1), runtime, labels), 0)
$$;
ALTER TABLE crossbridge.runs
    ADD COLUMN run_key integer GENERATED ALWAYS AS IDENTITY UNIQUE,
    ADD COLUMN same_code bigint GENERATED ALWAYS AS
        (crossbridge.code_of(git_commit, app_version, environment, os, runtime, labels)) STORED;

-- Attempts that passed, failed or broke, but for those that passed at once: some 3 % of all.
CREATE TABLE crossbridge.troubles (
    created_at  timestamptz NOT NULL,
    test_key    integer NOT NULL,
    run_key     integer NOT NULL,
    attempt     integer NOT NULL,
    passed      boolean NOT NULL,
    duration_us bigint NOT NULL
);
CREATE INDEX troubles_created_at ON crossbridge.troubles (created_at);

-- Those: bit i of `tests` is set when the test with key 512 * chunk + i passed at its first attempt in the run that day.
CREATE TABLE crossbridge.first_passes (
    day     date NOT NULL,
    run_key integer NOT NULL,
    chunk   integer NOT NULL,
    tests   bit(512) NOT NULL,
    PRIMARY KEY (day, run_key, chunk)
) WITH (fillfactor = 70);

-- As before, and these two: of one pass through the batch.
DROP FUNCTION crossbridge.rollup_tests(jsonb, text, text, text);
CREATE FUNCTION crossbridge.rollup_tests(
    events jsonb, default_framework text, run_environment text, rolled_branch text, key_of_run integer) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    WITH ended AS MATERIALIZED (
        SELECT (to_timestamp(e.at_us / 86400000000 * 86400) AT TIME ZONE 'UTC')::date AS day, d.test_key, e.at_us, e.status,
               e.duration_us, coalesce(e.attempt, 1) AS attempt
          FROM jsonb_to_recordset(events) AS e(
                   type text, test_id text, framework text, at_us bigint, status text, duration_us bigint, attempt integer)
          JOIN crossbridge.test_dim AS d
            ON d.test_id = e.test_id AND d.framework = coalesce(e.framework, default_framework)
         WHERE e.type = 'test_end'
    ), passes AS (
        INSERT INTO crossbridge.first_passes AS p
        SELECT e.day, key_of_run, e.test_key / 512, bit_or(set_bit(0::bit(512), e.test_key % 512, 1))
          FROM ended AS e
         WHERE e.status = 'passed' AND e.attempt = 1
         GROUP BY 1, 3
         ORDER BY 1, 3
        ON CONFLICT (day, run_key, chunk) DO UPDATE SET tests = p.tests | excluded.tests
    ), troubles AS (
        INSERT INTO crossbridge.troubles
        SELECT to_timestamp(e.at_us / 1e6), e.test_key, key_of_run, e.attempt, e.status = 'passed', e.duration_us
          FROM ended AS e
         WHERE e.status IN ('failed', 'error') OR e.status = 'passed' AND e.attempt > 1
    )
    INSERT INTO crossbridge.rollup_test_day AS r (
        environment, day, test_key, n, passed, failed, error, skipped, xfailed, xpassed, interrupted, sum_us, min_us, max_us,
        ln_sum, ln_sq)
    SELECT env.environment, d.*
      FROM (SELECT e.day, e.test_key, count(*),
                   count(*) FILTER (WHERE e.status = 'passed'), count(*) FILTER (WHERE e.status = 'failed'),
                   count(*) FILTER (WHERE e.status = 'error'), count(*) FILTER (WHERE e.status = 'skipped'),
                   count(*) FILTER (WHERE e.status = 'xfailed'), count(*) FILTER (WHERE e.status = 'xpassed'),
                   count(*) FILTER (WHERE e.status = 'interrupted'), sum(e.duration_us), min(e.duration_us), max(e.duration_us),
                   coalesce(sum(crossbridge.ln_us(e.duration_us)) FILTER (WHERE e.status = 'passed'), 0),
                   coalesce(sum(crossbridge.ln_us(e.duration_us) * crossbridge.ln_us(e.duration_us))
                            FILTER (WHERE e.status = 'passed'), 0)
              FROM ended AS e
             GROUP BY 1, 2) AS d
     CROSS JOIN (SELECT '*' UNION SELECT run_environment UNION SELECT '*' || rolled_branch WHERE rolled_branch <> '')
                AS env(environment)
     ORDER BY env.environment, d.day, d.test_key
    ON CONFLICT (environment, day, test_key) DO UPDATE SET
        n = r.n + excluded.n, passed = r.passed + excluded.passed, failed = r.failed + excluded.failed,
        error = r.error + excluded.error, skipped = r.skipped + excluded.skipped, xfailed = r.xfailed + excluded.xfailed,
        xpassed = r.xpassed + excluded.xpassed, interrupted = r.interrupted + excluded.interrupted,
        sum_us = r.sum_us + excluded.sum_us, min_us = least(r.min_us, excluded.min_us),
        max_us = greatest(r.max_us, excluded.max_us), ln_sum = r.ln_sum + excluded.ln_sum, ln_sq = r.ln_sq + excluded.ln_sq;
END $$;

CREATE FUNCTION crossbridge.rebuild_outcomes(day date, since timestamptz, until timestamptz) RETURNS void
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

-- Calls of a busy branch (see rolled_branch in 0009_history.sql), all its environments together, are counted once more.
ALTER TABLE crossbridge.rollup_call_day
    ADD COLUMN git_branch text NOT NULL DEFAULT '',   -- '': all branches together; else `environment` is ''
    DROP CONSTRAINT rollup_call_day_pkey,
    ADD PRIMARY KEY (day, kind, git_branch, name, method, environment);

DROP FUNCTION crossbridge.rollup_calls(jsonb, text);
CREATE FUNCTION crossbridge.rollup_calls(events jsonb, run_environment text, rolled_branch text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO crossbridge.rollup_call_day AS r (
        day, kind, name, method, environment, git_branch, n, errors, retries, sum_us, max_us, lo, cnt)
    SELECT x.day, x.kind, x.name, x.method, cell.environment, cell.git_branch, x.n, x.errors, x.retries, x.sum_us, x.max_us,
           (x.hist).lo, (x.hist).cnt
      FROM (SELECT (to_timestamp(e.at_us / 86400000000 * 86400) AT TIME ZONE 'UTC')::date AS day,
                   CASE e.type WHEN 'http_call' THEN 'http' ELSE 'driver' END AS kind,
                   left(CASE e.type WHEN 'http_call' THEN e.endpoint ELSE e.command END, 300) AS name,
                   CASE e.type WHEN 'http_call' THEN left(e.method, 20) ELSE '' END AS method, count(*) AS n,
                   count(*) FILTER (WHERE CASE e.type WHEN 'http_call' THEN crossbridge.http_failed(e.status_code, e.error)
                                                      ELSE e.error IS NOT NULL END) AS errors,
                   coalesce(sum(e.retry_count) FILTER (WHERE e.type = 'driver_command'), 0) AS retries,
                   sum(e.duration_us) AS sum_us, max(e.duration_us) AS max_us,
                   crossbridge.hist_of(array_agg(crossbridge.hist_bin(e.duration_us))) AS hist
              FROM jsonb_to_recordset(events) AS e(
                       type text, at_us bigint, endpoint text, method text, status_code integer, command text,
                       retry_count integer, duration_us bigint, error text)
             WHERE e.type IN ('http_call', 'driver_command')
             GROUP BY 1, 2, 3, 4) AS x
     CROSS JOIN (SELECT run_environment, '' UNION ALL SELECT '', rolled_branch WHERE rolled_branch <> '')
                AS cell(environment, git_branch)
     ORDER BY x.day, x.kind, cell.git_branch, x.name, x.method
    ON CONFLICT (day, kind, git_branch, name, method, environment) DO UPDATE SET
        n = r.n + excluded.n, errors = r.errors + excluded.errors, retries = r.retries + excluded.retries,
        sum_us = r.sum_us + excluded.sum_us, max_us = greatest(r.max_us, excluded.max_us),
        (lo, cnt) = (SELECT h.lo, h.cnt FROM crossbridge.hist_add(r.lo, r.cnt, excluded.lo, excluded.cnt) AS h);
END $$;

CREATE FUNCTION crossbridge.rebuild_calls(day date, since timestamptz, until timestamptz) RETURNS void
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

-- As before, but for calls and branches, keys of runs and outcomes.
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
           coalesce(r.git_branch, ''), (get_byte(uuid_send(t.run_id), 15) % 8)::smallint,
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

CREATE OR REPLACE FUNCTION crossbridge.rollup_reading(s crossbridge.segments, events jsonb, b crossbridge.batch) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    run record;
    slot CONSTANT smallint := get_byte(uuid_send(s.run_id), 15) % 8;
BEGIN
    IF b.failed + b.error + b.http_calls + b.driver_commands = 0 THEN
        RETURN;
    END IF;
    SELECT coalesce(r.environment, '') AS environment, coalesce(r.git_branch, '') AS git_branch,
           CASE WHEN r.rolled_branch THEN r.git_branch END AS rolled_branch
      INTO run FROM crossbridge.runs AS r WHERE r.run_id = s.run_id;
    IF b.failed + b.error > 0 THEN
        PERFORM crossbridge.rollup_errors(events, s.framework, run.environment, run.git_branch, slot);
    END IF;
    IF b.http_calls + b.driver_commands > 0 THEN
        PERFORM crossbridge.rollup_calls(events, run.environment, run.rolled_branch);
    END IF;
END $$;

CREATE OR REPLACE FUNCTION crossbridge.store_events(s crossbridge.segments, events jsonb, b crossbridge.batch) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    run record;
BEGIN
    IF b.test_ends + b.step_ends + b.http_calls + b.driver_commands + b.system_metrics = 0 THEN
        RETURN;
    END IF;
    PERFORM crossbridge.ensure_partitions(CASE
        WHEN crossbridge.month_of(b.first_us) = crossbridge.month_of(b.last_us) THEN ARRAY[crossbridge.month_of(b.last_us)]
        ELSE (SELECT array_agg(DISTINCT crossbridge.month_of(e.at_us))
                FROM jsonb_to_recordset(events) AS e(at_us bigint) WHERE e.at_us IS NOT NULL) END);
    PERFORM crossbridge.share_days(events, b);
    IF b.test_ends > 0 THEN
        PERFORM crossbridge.store_tests(s, events);
    END IF;
    IF b.step_ends > 0 THEN
        PERFORM crossbridge.store_steps(s, events);
    END IF;
    IF b.http_calls > 0 THEN
        PERFORM crossbridge.store_http_calls(s, events);
    END IF;
    IF b.driver_commands > 0 THEN
        PERFORM crossbridge.store_driver_commands(s, events);
    END IF;
    IF b.system_metrics > 0 THEN
        PERFORM crossbridge.store_system_metrics(s, events);
    END IF;

    IF b.test_ends + b.step_ends > 0 THEN
        SELECT coalesce(r.environment, '') AS environment, coalesce(r.git_branch, '') AS git_branch,
               CASE WHEN r.rolled_branch THEN r.git_branch END AS rolled_branch,
               r.run_key
          INTO run FROM crossbridge.runs AS r WHERE r.run_id = s.run_id;
        PERFORM crossbridge.assign_test_keys(events, s.framework);
    END IF;
    IF b.test_ends > 0 THEN
        PERFORM crossbridge.rollup_tests(events, s.framework, run.environment, run.rolled_branch, run.run_key);
    END IF;
    IF b.step_ends > 0 THEN
        PERFORM crossbridge.rollup_steps(events, s.framework);
    END IF;
    IF b.test_ends > 0 THEN
        PERFORM crossbridge.rollup_series(s, events, run.environment, run.git_branch);
    END IF;
    PERFORM crossbridge.rollup_reading(s, events, b);
END $$;

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

-- Runs of the chosen branches that the days of branches do not count, with rows between two moments. They are few.
CREATE FUNCTION crossbridge.unrolled_runs(s crossbridge.scope, since timestamptz, until timestamptz)
RETURNS TABLE (run_id uuid, began timestamptz, ended timestamptz)
LANGUAGE sql STABLE
AS $$
    SELECT r.run_id, greatest(min(x.started_at), since), least(max(greatest(x.last_at, x.closed_at)), until)
      FROM crossbridge.chosen_runs(s) AS r
      JOIN crossbridge.segments AS x USING (run_id)
     WHERE (s).branches IS NOT NULL AND NOT r.rolled_branch AND since < until
     GROUP BY 1
    HAVING max(greatest(x.last_at, x.closed_at)) >= since AND min(x.started_at) < until
$$;

-- As before, of them.
CREATE OR REPLACE FUNCTION crossbridge.unrolled_tests(s crossbridge.scope, since timestamptz, until timestamptz)
RETURNS SETOF crossbridge.tests
LANGUAGE sql STABLE
AS $$
    SELECT t.*
      FROM crossbridge.unrolled_runs(s, since, until) AS u
      JOIN crossbridge.tests AS t USING (run_id)
     WHERE t.created_at >= since AND t.created_at < until
$$;

-- No index leads from a run to its calls; OFFSET 0 keeps the planner from reading all of them for those of some runs.
CREATE FUNCTION crossbridge.unrolled_calls(s crossbridge.scope, kind text, since timestamptz, until timestamptz)
RETURNS TABLE (name text, method text, failed boolean, retries integer, duration_us bigint)
LANGUAGE sql STABLE
AS $$
    SELECT c.name, c.method, c.failed, c.retries, c.duration_us
      FROM crossbridge.unrolled_runs(s, since, until) AS u
     CROSS JOIN LATERAL (
         SELECT left(h.endpoint, 300) AS name, left(h.method, 20) AS method,
                crossbridge.http_failed(h.status_code, h.error) AS failed, 0 AS retries, h.duration_us
           FROM crossbridge.http_calls AS h
          WHERE kind = 'http' AND h.run_id = u.run_id AND h.created_at BETWEEN u.began AND u.ended AND h.created_at < until
          UNION ALL
         SELECT left(d.command, 300), '', d.error IS NOT NULL, d.retry_count, d.duration_us
           FROM crossbridge.driver_commands AS d
          WHERE kind = 'driver' AND d.run_id = u.run_id AND d.created_at BETWEEN u.began AND u.ended AND d.created_at < until
         OFFSET 0) AS c
$$;

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

-- The days that are there already; of months that were pruned nothing is left to read.
DO $$
DECLARE
    since timestamptz;
    until timestamptz;
    d date;
BEGIN
    FOR d IN SELECT DISTINCT (r.hour AT TIME ZONE 'UTC')::date FROM crossbridge.rollup_hour AS r
              UNION SELECT r.day FROM crossbridge.rollup_call_day AS r ORDER BY 1 LOOP
        CONTINUE WHEN EXISTS (SELECT FROM crossbridge.pruned_months AS p WHERE p.month = date_trunc('month', d));
        since := d::timestamp AT TIME ZONE 'UTC';
        until := (d + 1)::timestamp AT TIME ZONE 'UTC';
        PERFORM crossbridge.rebuild_outcomes(d, since, until);
        PERFORM crossbridge.rebuild_calls(d, since, until);
    END LOOP;
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA crossbridge FROM PUBLIC;

-- As at the end of 0011_panels.sql.
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
