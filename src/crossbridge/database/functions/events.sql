-- From event to row.

-- A sum of bigints that is one. That of PostgreSQL is a numeric: of thousands of groups of a row or two it takes several
-- times as long.
CREATE OR REPLACE AGGREGATE crossbridge.total(bigint) (
    SFUNC = pg_catalog.int8pl, STYPE = bigint, INITCOND = '0', COMBINEFUNC = pg_catalog.int8pl, PARALLEL = SAFE
);

-- Counts a batch and checks what no constraint of a table would.
CREATE OR REPLACE FUNCTION crossbridge.survey(events jsonb) RETURNS crossbridge.batch
LANGUAGE plpgsql
AS $$
DECLARE
    b crossbridge.batch;
    nameless bigint;
    misnamed bigint;
    timeless bigint;
    negative bigint;
BEGIN
    IF jsonb_typeof(events) IS DISTINCT FROM 'array' THEN
        RAISE invalid_parameter_value USING MESSAGE = 'events must be a JSON array of objects';
    END IF;
    -- Counted by kind first: a filter an event for each of the counts takes twice the time.
    WITH kinds AS (
        SELECT e.type, e.status, e.framework, count(*) AS n, min(e.at_us) AS first_us, max(e.at_us) AS last_us,
               max(e.count) AS greatest, crossbridge.total(e.count) AS total,
               count(*) FILTER (WHERE e.test_id IS NULL AND e.type IN ('test_start', 'test_end', 'step_start', 'step_end'))
                   AS nameless,
               -- jsonb_to_recordset would take anything for text
               count(*) FILTER (
                   WHERE jsonb_typeof(e.test_id) <> 'string' OR jsonb_typeof(e.step_name) <> 'string'
                      OR jsonb_typeof(e.endpoint) <> 'string' OR jsonb_typeof(e.method) <> 'string'
                      OR jsonb_typeof(e.command) <> 'string') AS misnamed,
               count(*) FILTER (WHERE e.at_us IS NULL AND e.type NOT IN ('run_info', 'rejected') OR e.type IS NULL)
                   AS timeless,
               count(*) FILTER (WHERE e.count < 0 OR e.count IS NULL AND e.type IN ('dropped', 'rejected')) AS negative
          FROM jsonb_to_recordset(events) AS e(
                   type text, at_us bigint, status text, framework text, count bigint, test_id jsonb, step_name jsonb,
                   endpoint jsonb, method jsonb, command jsonb)
         GROUP BY 1, 2, 3
    )
    SELECT crossbridge.total(k.nameless), crossbridge.total(k.misnamed), crossbridge.total(k.timeless),
           crossbridge.total(k.negative), crossbridge.total(k.n),
           crossbridge.total(k.n) FILTER (WHERE k.type = 'segment_start'),
           crossbridge.total(k.n) FILTER (WHERE k.type = 'segment_end'),
           crossbridge.total(k.n) FILTER (WHERE k.type = 'run_info'),
           crossbridge.total(k.n) FILTER (WHERE k.type IN ('dropped', 'rejected')),
           crossbridge.total(k.n) FILTER (WHERE k.type = 'test_start'),
           crossbridge.total(k.n) FILTER (WHERE k.type = 'test_end'),
           crossbridge.total(k.n) FILTER (WHERE k.type = 'step_start'),
           crossbridge.total(k.n) FILTER (WHERE k.type = 'step_end'),
           crossbridge.total(k.n) FILTER (WHERE k.type = 'http_call'),
           crossbridge.total(k.n) FILTER (WHERE k.type = 'driver_command'),
           crossbridge.total(k.n) FILTER (WHERE k.type = 'system_metric'),
           coalesce(max(k.greatest) FILTER (WHERE k.type = 'dropped'), 0),
           crossbridge.total(k.total) FILTER (WHERE k.type = 'rejected'),
           min(k.first_us),
           max(k.last_us),
           crossbridge.total(k.n) FILTER (WHERE k.type = 'test_end' AND k.status = 'passed'),
           crossbridge.total(k.n) FILTER (WHERE k.type = 'test_end' AND k.status = 'failed'),
           crossbridge.total(k.n) FILTER (WHERE k.type = 'test_end' AND k.status = 'error'),
           crossbridge.total(k.n) FILTER (WHERE k.type = 'test_end' AND k.status = 'skipped'),
           crossbridge.total(k.n) FILTER (WHERE k.type = 'test_end' AND k.status = 'xfailed'),
           crossbridge.total(k.n) FILTER (WHERE k.type = 'test_end' AND k.status = 'xpassed'),
           crossbridge.total(k.n) FILTER (WHERE k.type = 'test_end' AND k.status = 'interrupted'),
           array_agg(DISTINCT k.framework) FILTER (WHERE k.type = 'test_end' AND k.framework IS NOT NULL)
      INTO nameless, misnamed, timeless, negative, b.lines, b.headers, b.ends, b.infos, b.markers, b.test_starts, b.test_ends,
           b.step_starts, b.step_ends, b.http_calls, b.driver_commands, b.system_metrics, b.dropped, b.rejected, b.first_us,
           b.last_us, b.passed, b.failed, b.error, b.skipped, b.xfailed, b.xpassed, b.interrupted, b.frameworks
      FROM kinds AS k;

    IF nameless + misnamed + timeless + negative > 0 THEN
        RAISE invalid_parameter_value USING MESSAGE = format(
            'of %s lines %s lack a test_id, %s have a name that is no text, %s lack a type or at_us, %s lack a count of 0 or more',
            b.lines, nameless, misnamed, timeless, negative);
    ELSIF b.first_us < 946684800000000 OR b.last_us >= 4102444800000000 THEN
        RAISE datetime_field_overflow USING MESSAGE = format(
            'at_us must lie in the years 2000 to 2099, got %s to %s', b.first_us, b.last_us);
    END IF;
    b.events := b.test_starts + b.test_ends + b.step_starts + b.step_ends + b.http_calls + b.driver_commands
                + b.system_metrics;
    b.unknown_events := b.lines - b.events - b.headers - b.ends - b.infos - b.markers;
    RETURN b;
END $$;

-- Division of doubles: that of numerics, then turned into doubles, takes ten times as long and has the same result.
CREATE OR REPLACE FUNCTION crossbridge.time_of(at_us bigint) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE   -- not STRICT: that would keep it from being inlined
AS $$ SELECT to_timestamp(at_us / 1e6::double precision) $$;

-- Rows of the event tables. started_at is the end less the duration. What rollups need of tests and steps is returned:
-- reading it from the JSON again, and looking the tests up again, would take a third of the whole time.
CREATE OR REPLACE FUNCTION crossbridge.store_tests(s crossbridge.segments, events jsonb) RETURNS crossbridge.ended[]
LANGUAGE plpgsql
AS $$
DECLARE
    ends crossbridge.ended[];
BEGIN
    WITH e AS MATERIALIZED (
        SELECT x.test_id, coalesce(x.framework, s.framework) AS framework, d.test_key, x.at_us, x.status, x.duration_us,
               coalesce(x.attempt, 1) AS attempt, coalesce(x.worker, s.worker) AS worker, x.suite, x.file, x.setup_us,
               x.teardown_us, x.error_type, x.error_message
          FROM jsonb_to_recordset(events) AS x(
                   type text, test_id text, status text, framework text, at_us bigint, duration_us bigint, attempt integer,
                   worker text, suite text, file text, setup_us bigint, teardown_us bigint, error_type text,
                   error_message text)
          LEFT JOIN crossbridge.test_dim AS d
            ON d.test_id = x.test_id AND d.framework = coalesce(x.framework, s.framework)
         WHERE x.type = 'test_end'
    ), stored AS (
        INSERT INTO crossbridge.tests (
            run_id, test_id, status, framework, created_at, duration_us, started_at, attempt, worker, suite, file, setup_us,
            teardown_us, error_type, error_message)
        SELECT s.run_id, e.test_id, e.status, e.framework, crossbridge.time_of(e.at_us), e.duration_us,
               crossbridge.time_of(e.at_us - e.duration_us), e.attempt, e.worker, e.suite, e.file, e.setup_us, e.teardown_us,
               e.error_type, e.error_message
          FROM e
    )
    SELECT array_agg(ROW(e.test_key, CASE WHEN e.test_key IS NULL THEN e.test_id END, e.framework, e.at_us, e.status,
                         e.duration_us, e.attempt, left(e.error_type, 200), NULL)::crossbridge.ended)
      INTO ends FROM e;
    RETURN ends;
END $$;

CREATE OR REPLACE FUNCTION crossbridge.store_steps(s crossbridge.segments, events jsonb) RETURNS crossbridge.ended[]
LANGUAGE plpgsql
AS $$
DECLARE
    ends crossbridge.ended[];
BEGIN
    WITH e AS MATERIALIZED (
        SELECT x.test_id, coalesce(x.framework, s.framework) AS framework, d.test_key, x.step_name,
               coalesce(x.event_type, 'step') AS event_type, x.at_us, x.duration_us, coalesce(x.attempt, 1) AS attempt,
               coalesce(x.worker, s.worker) AS worker, x.step_index, coalesce(x.depth, 0) AS depth,
               coalesce(x.status, 'passed') AS status
          FROM jsonb_to_recordset(events) AS x(
                   type text, test_id text, step_name text, event_type text, framework text, at_us bigint, duration_us bigint,
                   attempt integer, worker text, step_index integer, depth integer, status text)
          LEFT JOIN crossbridge.test_dim AS d
            ON d.test_id = x.test_id AND d.framework = coalesce(x.framework, s.framework)
         WHERE x.type = 'step_end'
    ), stored AS (
        INSERT INTO crossbridge.steps (
            run_id, test_id, step_name, event_type, framework, created_at, duration_us, started_at, attempt, worker,
            step_index, depth, status)
        SELECT s.run_id, e.test_id, e.step_name, e.event_type, e.framework, crossbridge.time_of(e.at_us), e.duration_us,
               crossbridge.time_of(e.at_us - e.duration_us), e.attempt, e.worker, e.step_index, e.depth, e.status
          FROM e
    )
    SELECT array_agg(ROW(e.test_key, CASE WHEN e.test_key IS NULL THEN e.test_id END, e.framework, e.at_us, e.status,
                         e.duration_us, e.attempt, NULL, e.step_name)::crossbridge.ended)
      INTO ends FROM e;
    RETURN ends;
END $$;

CREATE OR REPLACE FUNCTION crossbridge.store_http_calls(s crossbridge.segments, events jsonb) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO crossbridge.http_calls (
        run_id, test_id, endpoint, method, status_code, created_at, duration_us, started_at, attempt, framework, error)
    SELECT s.run_id, e.test_id, e.endpoint, e.method, e.status_code, crossbridge.time_of(e.at_us), e.duration_us,
           crossbridge.time_of(e.at_us - e.duration_us), CASE WHEN e.test_id IS NOT NULL THEN coalesce(e.attempt, 1) END,
           coalesce(e.framework, s.framework), e.error
      FROM jsonb_to_recordset(events) AS e(
               type text, test_id text, endpoint text, method text, status_code integer, at_us bigint, duration_us bigint,
               attempt integer, framework text, error text)
     WHERE e.type = 'http_call';
END $$;

CREATE OR REPLACE FUNCTION crossbridge.store_driver_commands(s crossbridge.segments, events jsonb) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO crossbridge.driver_commands (
        run_id, test_id, command, target, retry_count, created_at, duration_us, started_at, attempt, framework, error)
    SELECT s.run_id, e.test_id, e.command, e.target, coalesce(e.retry_count, 0), crossbridge.time_of(e.at_us), e.duration_us,
           crossbridge.time_of(e.at_us - e.duration_us), CASE WHEN e.test_id IS NOT NULL THEN coalesce(e.attempt, 1) END,
           coalesce(e.framework, s.framework), e.error
      FROM jsonb_to_recordset(events) AS e(
               type text, test_id text, command text, target text, retry_count integer, at_us bigint, duration_us bigint,
               attempt integer, framework text, error text)
     WHERE e.type = 'driver_command';
END $$;

CREATE OR REPLACE FUNCTION crossbridge.store_system_metrics(s crossbridge.segments, events jsonb) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO crossbridge.system_metrics (run_id, test_id, cpu_percent, memory_mb, created_at)
    SELECT s.run_id, e.test_id, e.cpu_percent, e.memory_mb, crossbridge.time_of(e.at_us)
      FROM jsonb_to_recordset(events) AS e(
               type text, test_id text, cpu_percent double precision, memory_mb double precision, at_us bigint)
     WHERE e.type = 'system_metric';
END $$;
