-- From event to row.

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
    SELECT count(*) FILTER (WHERE e.test_id IS NULL AND e.type IN ('test_start', 'test_end', 'step_start', 'step_end')),
           -- jsonb_to_recordset would take anything for text
           count(*) FILTER (WHERE 'string' <> ANY (ARRAY[
               jsonb_typeof(e.test_id), jsonb_typeof(e.step_name), jsonb_typeof(e.endpoint), jsonb_typeof(e.method),
               jsonb_typeof(e.command)])),
           count(*) FILTER (WHERE e.at_us IS NULL AND e.type NOT IN ('run_info', 'rejected') OR e.type IS NULL),
           count(*) FILTER (WHERE e.count < 0 OR e.count IS NULL AND e.type IN ('dropped', 'rejected')),
           count(*),
           count(*) FILTER (WHERE e.type = 'segment_start'),
           count(*) FILTER (WHERE e.type = 'segment_end'),
           count(*) FILTER (WHERE e.type = 'run_info'),
           count(*) FILTER (WHERE e.type IN ('dropped', 'rejected')),
           count(*) FILTER (WHERE e.type = 'test_start'),
           count(*) FILTER (WHERE e.type = 'test_end'),
           count(*) FILTER (WHERE e.type = 'step_start'),
           count(*) FILTER (WHERE e.type = 'step_end'),
           count(*) FILTER (WHERE e.type = 'http_call'),
           count(*) FILTER (WHERE e.type = 'driver_command'),
           count(*) FILTER (WHERE e.type = 'system_metric'),
           coalesce(max(e.count) FILTER (WHERE e.type = 'dropped'), 0),
           coalesce(sum(e.count) FILTER (WHERE e.type = 'rejected'), 0),
           min(e.at_us),
           max(e.at_us),
           count(*) FILTER (WHERE e.type = 'test_end' AND e.status = 'passed'),
           count(*) FILTER (WHERE e.type = 'test_end' AND e.status = 'failed'),
           count(*) FILTER (WHERE e.type = 'test_end' AND e.status = 'error'),
           count(*) FILTER (WHERE e.type = 'test_end' AND e.status = 'skipped'),
           count(*) FILTER (WHERE e.type = 'test_end' AND e.status = 'xfailed'),
           count(*) FILTER (WHERE e.type = 'test_end' AND e.status = 'xpassed'),
           count(*) FILTER (WHERE e.type = 'test_end' AND e.status = 'interrupted'),
           array_agg(DISTINCT e.framework) FILTER (WHERE e.type = 'test_end' AND e.framework IS NOT NULL)
      INTO nameless, misnamed, timeless, negative, b.lines, b.headers, b.ends, b.infos, b.markers, b.test_starts, b.test_ends,
           b.step_starts, b.step_ends, b.http_calls, b.driver_commands, b.system_metrics, b.dropped, b.rejected, b.first_us,
           b.last_us, b.passed, b.failed, b.error, b.skipped, b.xfailed, b.xpassed, b.interrupted, b.frameworks
      FROM jsonb_to_recordset(events) AS e(
               type text, at_us bigint, status text, framework text, count bigint, test_id jsonb, step_name jsonb,
               endpoint jsonb, method jsonb, command jsonb);

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

-- Rows of the event tables. started_at is the end less the duration.
CREATE OR REPLACE FUNCTION crossbridge.store_tests(s crossbridge.segments, events jsonb) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO crossbridge.tests (
        run_id, test_id, status, framework, created_at, duration_us, started_at, attempt, worker, suite, file, setup_us,
        teardown_us, error_type, error_message)
    SELECT s.run_id, e.test_id, e.status, coalesce(e.framework, s.framework), to_timestamp(e.at_us / 1e6), e.duration_us,
           to_timestamp((e.at_us - e.duration_us) / 1e6), coalesce(e.attempt, 1), coalesce(e.worker, s.worker), e.suite,
           e.file, e.setup_us, e.teardown_us, e.error_type, e.error_message
      FROM jsonb_to_recordset(events) AS e(
               type text, test_id text, status text, framework text, at_us bigint, duration_us bigint, attempt integer,
               worker text, suite text, file text, setup_us bigint, teardown_us bigint, error_type text, error_message text)
     WHERE e.type = 'test_end';
END $$;

CREATE OR REPLACE FUNCTION crossbridge.store_steps(s crossbridge.segments, events jsonb) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO crossbridge.steps (
        run_id, test_id, step_name, event_type, framework, created_at, duration_us, started_at, attempt, worker, step_index,
        depth, status)
    SELECT s.run_id, e.test_id, e.step_name, coalesce(e.event_type, 'step'), coalesce(e.framework, s.framework),
           to_timestamp(e.at_us / 1e6), e.duration_us, to_timestamp((e.at_us - e.duration_us) / 1e6), coalesce(e.attempt, 1),
           coalesce(e.worker, s.worker), e.step_index, coalesce(e.depth, 0), coalesce(e.status, 'passed')
      FROM jsonb_to_recordset(events) AS e(
               type text, test_id text, step_name text, event_type text, framework text, at_us bigint, duration_us bigint,
               attempt integer, worker text, step_index integer, depth integer, status text)
     WHERE e.type = 'step_end';
END $$;

CREATE OR REPLACE FUNCTION crossbridge.store_http_calls(s crossbridge.segments, events jsonb) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO crossbridge.http_calls (
        run_id, test_id, endpoint, method, status_code, created_at, duration_us, started_at, attempt, framework, error)
    SELECT s.run_id, e.test_id, e.endpoint, e.method, e.status_code, to_timestamp(e.at_us / 1e6), e.duration_us,
           to_timestamp((e.at_us - e.duration_us) / 1e6), e.attempt, coalesce(e.framework, s.framework), e.error
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
    SELECT s.run_id, e.test_id, e.command, e.target, coalesce(e.retry_count, 0), to_timestamp(e.at_us / 1e6), e.duration_us,
           to_timestamp((e.at_us - e.duration_us) / 1e6), e.attempt, coalesce(e.framework, s.framework), e.error
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
    SELECT s.run_id, e.test_id, e.cpu_percent, e.memory_mb, to_timestamp(e.at_us / 1e6)
      FROM jsonb_to_recordset(events) AS e(
               type text, test_id text, cpu_percent double precision, memory_mb double precision, at_us bigint)
     WHERE e.type = 'system_metric';
END $$;
