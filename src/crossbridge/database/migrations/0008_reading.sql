-- What dashboards ask for and no older rollup holds; kept by ingest like those, see 0004_rollups.sql.
-- Measured at 10 million tests over 90 days, answers from the rows would take from half a second to some seconds.

-- The few rows that tell of failures and retries, some 3 % of all, with what is asked of them: each has a page of its own.
CREATE INDEX tests_telling ON crossbridge.tests (created_at) INCLUDE (test_id, framework, run_id, attempt, status, duration_us)
 WHERE status IN ('failed', 'error') OR attempt > 1;

-- What a run did: by way of `runs` that is also what a version, a commit, a branch did.
CREATE TABLE crossbridge.rollup_run_hour (
    hour        timestamptz NOT NULL,
    run_id      uuid NOT NULL,
    framework   text NOT NULL,
    n           bigint NOT NULL,
    passed      bigint NOT NULL,
    failed      bigint NOT NULL,
    error       bigint NOT NULL,
    skipped     bigint NOT NULL,
    sum_us      bigint NOT NULL,
    min_us      bigint NOT NULL,
    max_us      bigint NOT NULL,
    PRIMARY KEY (run_id, hour, framework)
) WITH (fillfactor = 70);
CREATE INDEX rollup_run_hour_hour ON crossbridge.rollup_run_hour (hour);

CREATE TABLE crossbridge.rollup_error_day (
    day         date NOT NULL,
    error_type  text NOT NULL,      -- the first 200 characters; '' when not told
    framework   text NOT NULL,
    environment text NOT NULL,
    git_branch  text NOT NULL,
    slot        smallint NOT NULL,
    failed      bigint NOT NULL,
    error       bigint NOT NULL,
    last_at     timestamptz NOT NULL,
    PRIMARY KEY (day, error_type, framework, environment, git_branch, slot)
) WITH (fillfactor = 70);

-- HTTP calls by endpoint and method, driver commands by command; with histograms like those of tests.
CREATE TABLE crossbridge.rollup_call_day (
    day         date NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('http', 'driver')),
    name        text NOT NULL,      -- the first 300 characters
    method      text NOT NULL,      -- the first 20; '' of a driver command
    environment text NOT NULL,
    n           bigint NOT NULL,
    errors      bigint NOT NULL,    -- HTTP: no answer, a status from 400 on, or an error; driver: an error
    retries     bigint NOT NULL,
    sum_us      bigint NOT NULL,
    max_us      bigint NOT NULL,
    lo          integer NOT NULL,
    cnt         integer[] NOT NULL,
    PRIMARY KEY (day, kind, name, method, environment)
) WITH (fillfactor = 70);

-- What each test did in each version of the application, in an environment and on a branch.
CREATE TABLE crossbridge.version_dim (
    version_key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    app_version text NOT NULL,      -- the first 200 characters
    environment text NOT NULL,
    git_branch  text NOT NULL,
    UNIQUE (app_version, environment, git_branch)
);
CREATE TABLE crossbridge.rollup_test_version (
    version_key integer NOT NULL,
    day         date NOT NULL,
    test_key    integer NOT NULL,
    n           integer NOT NULL,
    passed      integer NOT NULL,
    failed      integer NOT NULL,
    error       integer NOT NULL,
    passed_us   bigint NOT NULL,    -- sum of the durations of passed attempts
    PRIMARY KEY (version_key, day, test_key)
) WITH (fillfactor = 70);

CREATE FUNCTION crossbridge.rollup_errors(
    events jsonb, default_framework text, run_environment text, run_branch text, run_slot smallint) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO crossbridge.rollup_error_day AS r
    SELECT (to_timestamp(e.at_us / 86400000000 * 86400) AT TIME ZONE 'UTC')::date, left(coalesce(e.error_type, ''), 200),
           coalesce(e.framework, default_framework), run_environment, run_branch, run_slot,
           count(*) FILTER (WHERE e.status = 'failed'), count(*) FILTER (WHERE e.status = 'error'),
           to_timestamp(max(e.at_us) / 1e6)
      FROM jsonb_to_recordset(events) AS e(type text, framework text, at_us bigint, status text, error_type text)
     WHERE e.type = 'test_end' AND e.status IN ('failed', 'error')
     GROUP BY 1, 2, 3
     ORDER BY 1, 2, 3
    ON CONFLICT (day, error_type, framework, environment, git_branch, slot) DO UPDATE SET
        failed = r.failed + excluded.failed, error = r.error + excluded.error,
        last_at = greatest(r.last_at, excluded.last_at);
END $$;

CREATE FUNCTION crossbridge.http_failed(status_code integer, error text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT coalesce(status_code, 599) >= 400 OR error IS NOT NULL $$;

CREATE FUNCTION crossbridge.rollup_calls(events jsonb, run_environment text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO crossbridge.rollup_call_day AS r
    SELECT x.day, x.kind, x.name, x.method, run_environment, x.n, x.errors, x.retries, x.sum_us, x.max_us,
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
     ORDER BY 1, 2, 3, 4
    ON CONFLICT (day, kind, name, method, environment) DO UPDATE SET
        n = r.n + excluded.n, errors = r.errors + excluded.errors, retries = r.retries + excluded.retries,
        sum_us = r.sum_us + excluded.sum_us, max_us = greatest(r.max_us, excluded.max_us),
        (lo, cnt) = (SELECT h.lo, h.cnt FROM crossbridge.hist_add(r.lo, r.cnt, excluded.lo, excluded.cnt) AS h);
END $$;

-- The key of the run's version in its environment and branch; null while the version is not known.
CREATE FUNCTION crossbridge.version_key(run crossbridge.runs) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
    version text := left(run.app_version, 200);
    place text := coalesce(run.environment, '');
    branch text := coalesce(run.git_branch, '');
    key integer;
BEGIN
    IF version IS NULL THEN
        RETURN NULL;
    END IF;
    FOR attempt IN 1 .. 2 LOOP
        SELECT v.version_key INTO key FROM crossbridge.version_dim AS v
         WHERE v.app_version = version AND v.environment = place AND v.git_branch = branch;
        EXIT WHEN FOUND;
        INSERT INTO crossbridge.version_dim (app_version, environment, git_branch) VALUES (version, place, branch)
        ON CONFLICT DO NOTHING;
    END LOOP;
    RETURN key;
END $$;

-- Called with the run's row locked, once its counts are moved: whoever comes second, the batch or the news of the
-- version, knows of the other.
CREATE FUNCTION crossbridge.rollup_versions(s crossbridge.segments, events jsonb) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    key integer := crossbridge.version_key(r) FROM crossbridge.runs AS r WHERE r.run_id = s.run_id;
BEGIN
    IF key IS NULL THEN
        RETURN;
    END IF;
    INSERT INTO crossbridge.rollup_test_version AS r
    SELECT key, (to_timestamp(e.at_us / 86400000000 * 86400) AT TIME ZONE 'UTC')::date, d.test_key, count(*),
           count(*) FILTER (WHERE e.status = 'passed'), count(*) FILTER (WHERE e.status = 'failed'),
           count(*) FILTER (WHERE e.status = 'error'), coalesce(sum(e.duration_us) FILTER (WHERE e.status = 'passed'), 0)
      FROM jsonb_to_recordset(events) AS e(
               type text, test_id text, framework text, at_us bigint, status text, duration_us bigint)
      JOIN crossbridge.test_dim AS d ON d.test_id = e.test_id AND d.framework = coalesce(e.framework, s.framework)
     WHERE e.type = 'test_end'
     GROUP BY 2, 3
     ORDER BY 2, 3
    ON CONFLICT (version_key, day, test_key) DO UPDATE SET
        n = r.n + excluded.n, passed = r.passed + excluded.passed, failed = r.failed + excluded.failed,
        error = r.error + excluded.error, passed_us = r.passed_us + excluded.passed_us;
END $$;

-- The version of a run became known when some of its tests were stored: they are added now.
CREATE FUNCTION crossbridge.add_run_to_version() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    key integer;
    since timestamptz;
    until timestamptz;
BEGIN
    SELECT min(r.hour), max(r.hour) + interval '1 hour' INTO since, until
      FROM crossbridge.rollup_run_hour AS r WHERE r.run_id = NEW.run_id;
    PERFORM pg_advisory_xact_lock_shared(crossbridge.day_lock_class(), d.day)   -- a rebuild of the day waits for us
       FROM (SELECT DISTINCT (r.hour AT TIME ZONE 'UTC')::date - date '1970-01-01' AS day
               FROM crossbridge.rollup_run_hour AS r WHERE r.run_id = NEW.run_id ORDER BY 1) AS d;
    key := crossbridge.version_key(NEW);
    INSERT INTO crossbridge.rollup_test_version AS r
    SELECT key, (t.created_at AT TIME ZONE 'UTC')::date, d.test_key, count(*),
           count(*) FILTER (WHERE t.status = 'passed'), count(*) FILTER (WHERE t.status = 'failed'),
           count(*) FILTER (WHERE t.status = 'error'), coalesce(sum(t.duration_us) FILTER (WHERE t.status = 'passed'), 0)
      FROM crossbridge.tests AS t
      JOIN crossbridge.test_dim AS d ON d.test_id = t.test_id AND d.framework = t.framework
     WHERE t.run_id = NEW.run_id AND t.created_at >= since AND t.created_at < until
     GROUP BY 2, 3
     ORDER BY 2, 3
    ON CONFLICT (version_key, day, test_key) DO UPDATE SET
        n = r.n + excluded.n, passed = r.passed + excluded.passed, failed = r.failed + excluded.failed,
        error = r.error + excluded.error, passed_us = r.passed_us + excluded.passed_us;
    RETURN NULL;
END $$;
CREATE TRIGGER add_run_to_version AFTER UPDATE OF app_version ON crossbridge.runs
    FOR EACH ROW WHEN (OLD.app_version IS NULL AND NEW.app_version IS NOT NULL)
    EXECUTE FUNCTION crossbridge.add_run_to_version();

-- The part of store_events that keeps these rollups, but for versions and rollup_run_hour, which rollup_series keeps.
CREATE FUNCTION crossbridge.rollup_reading(s crossbridge.segments, events jsonb, b crossbridge.batch) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    run record;
    slot CONSTANT smallint := get_byte(uuid_send(s.run_id), 15) % 8;
BEGIN
    IF b.failed + b.error + b.http_calls + b.driver_commands = 0 THEN
        RETURN;
    END IF;
    SELECT coalesce(r.environment, '') AS environment, coalesce(r.git_branch, '') AS git_branch
      INTO run FROM crossbridge.runs AS r WHERE r.run_id = s.run_id;
    IF b.failed + b.error > 0 THEN
        PERFORM crossbridge.rollup_errors(events, s.framework, run.environment, run.git_branch, slot);
    END IF;
    IF b.http_calls + b.driver_commands > 0 THEN
        PERFORM crossbridge.rollup_calls(events, run.environment);
    END IF;
END $$;

-- Makes these rollups of a day anew from its rows; what no key stands in front of goes first.
CREATE FUNCTION crossbridge.rebuild_reading(day date, since timestamptz, until timestamptz) RETURNS void
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

    DELETE FROM crossbridge.rollup_call_day AS r WHERE r.day = rebuild_reading.day;
    INSERT INTO crossbridge.rollup_call_day
    SELECT rebuild_reading.day, x.kind, x.name, x.method, x.environment, x.n, x.errors, x.retries, x.sum_us, x.max_us,
           (x.hist).lo, (x.hist).cnt
      FROM (SELECT c.kind, c.name, c.method, coalesce(r.environment, '') AS environment, count(*) AS n,
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
             GROUP BY 1, 2, 3, 4) AS x
     ORDER BY 1, 2, 3, 4, 5;

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

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA crossbridge FROM PUBLIC;
