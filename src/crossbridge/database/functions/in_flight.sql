-- Tests that have begun and not ended, and what becomes of them when their process is gone.

-- Follows the starts and ends of a batch. Most tests begin and end within one batch and never touch the table.
-- Few rows meet many events, of which the planner knows nothing: without the setting it compares each with each.
CREATE OR REPLACE FUNCTION crossbridge.track_in_flight(s crossbridge.segments, events jsonb, with_steps boolean) RETURNS void
LANGUAGE plpgsql
SET enable_nestloop = off
AS $$
BEGIN
    -- A process also ends the tests of its children: an xdist controller reports the test in which a worker crashed.
    DELETE FROM crossbridge.in_flight AS f
     USING (SELECT f.run_id, f.writer, f.test_id, f.attempt
              FROM crossbridge.in_flight AS f
             WHERE f.run_id = s.run_id AND (f.writer = s.writer OR f.parent = s.writer)
               AND EXISTS (SELECT FROM jsonb_to_recordset(events) AS e(type text, test_id text, attempt integer, worker text)
                            WHERE e.type = 'test_end' AND e.test_id = f.test_id AND coalesce(e.attempt, 1) = f.attempt
                              AND (f.writer = s.writer OR coalesce(e.worker = f.worker, true)))
             ORDER BY f.writer, f.test_id, f.attempt
               FOR UPDATE) AS ended
     WHERE (f.run_id, f.writer, f.test_id, f.attempt) = (ended.run_id, ended.writer, ended.test_id, ended.attempt);

    INSERT INTO crossbridge.in_flight AS f
        (run_id, writer, parent, test_id, attempt, framework, worker, suite, file, started_at)
    SELECT s.run_id, s.writer, s.parent, open.test_id, open.attempt, coalesce(e.framework, s.framework),
           coalesce(e.worker, s.worker), e.suite, e.file, to_timestamp(e.at_us / 1e6)
      FROM (SELECT x.test_id, coalesce(x.attempt, 1) AS attempt,
                   max(x.line) FILTER (WHERE x.type = 'test_start') AS begun
              FROM ROWS FROM (jsonb_to_recordset(events) AS (type text, test_id text, attempt integer))
                   WITH ORDINALITY AS x(type, test_id, attempt, line)
             WHERE x.type IN ('test_start', 'test_end')
             GROUP BY 1, 2
            HAVING max(x.line) FILTER (WHERE x.type = 'test_start')
                   > coalesce(max(x.line) FILTER (WHERE x.type = 'test_end'), 0)) AS open,
           jsonb_to_record(events -> (open.begun - 1)::integer) AS e(
               at_us bigint, framework text, worker text, suite text, file text)
     ORDER BY open.test_id, open.attempt
    ON CONFLICT (run_id, writer, test_id, attempt) DO UPDATE SET
        started_at = excluded.started_at, step_name = NULL, step_started_at = NULL, open_steps = '[]';

    IF with_steps THEN
        PERFORM crossbridge.track_open_steps(s, events);
    END IF;
END $$;

-- A step is open when there are more starts than ends of it; the ends belong to its earliest starts.
CREATE OR REPLACE FUNCTION crossbridge.track_open_steps(s crossbridge.segments, events jsonb) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    WITH marks AS (
        SELECT f.test_id, f.attempt, o.line - 1000000 AS line, true AS begins, o.step_name, o.step_index, o.at_us
          FROM crossbridge.in_flight AS f,
               ROWS FROM (jsonb_to_recordset(f.open_steps) AS (step_name text, step_index integer, at_us bigint))
               WITH ORDINALITY AS o(step_name, step_index, at_us, line)
         WHERE f.run_id = s.run_id AND f.writer = s.writer
         UNION ALL
        SELECT f.test_id, f.attempt, e.line, e.type = 'step_start', e.step_name, e.step_index, e.at_us
          FROM ROWS FROM (jsonb_to_recordset(events) AS (
                   type text, test_id text, attempt integer, step_name text, step_index integer, at_us bigint))
               WITH ORDINALITY AS e(type, test_id, attempt, step_name, step_index, at_us, line)
          JOIN crossbridge.in_flight AS f
            ON f.run_id = s.run_id AND f.writer = s.writer AND f.test_id = e.test_id AND f.attempt = coalesce(e.attempt, 1)
         WHERE e.type IN ('step_start', 'step_end')
    ), ranked AS (
        SELECT m.*, count(*) FILTER (WHERE m.begins) OVER (step ORDER BY m.line DESC) AS from_last,
               count(*) FILTER (WHERE m.begins) OVER step - count(*) FILTER (WHERE NOT m.begins) OVER step AS still_open
          FROM marks AS m
        WINDOW step AS (PARTITION BY m.test_id, m.attempt, m.step_name, m.step_index)
    ), open_now AS (
        SELECT r.test_id, r.attempt,
               coalesce(jsonb_agg(jsonb_build_object('step_name', r.step_name, 'step_index', r.step_index, 'at_us', r.at_us)
                                  ORDER BY r.line) FILTER (WHERE r.begins AND r.from_last <= r.still_open), '[]') AS steps
          FROM ranked AS r
         GROUP BY 1, 2
    )
    UPDATE crossbridge.in_flight AS f
       SET open_steps = o.steps, step_name = o.steps -> -1 ->> 'step_name',
           step_started_at = to_timestamp((o.steps -> -1 ->> 'at_us')::bigint / 1e6)
      FROM open_now AS o
     WHERE f.run_id = s.run_id AND f.writer = s.writer AND f.test_id = o.test_id AND f.attempt = o.attempt
       AND f.open_steps <> o.steps;
END $$;

-- Writers of the run that have ended, with the time: their latest segment is closed and names no next one.
CREATE OR REPLACE FUNCTION crossbridge.ended_writers(run_id uuid)
RETURNS TABLE (writer uuid, parent uuid, ended_at timestamptz, status text)
LANGUAGE sql STABLE
AS $$
    SELECT latest.writer, latest.parent, latest.closed_at, latest.status
      FROM (SELECT DISTINCT ON (s.writer) s.*
              FROM crossbridge.segments AS s
             WHERE s.run_id = ended_writers.run_id
             ORDER BY s.writer, s.seq DESC) AS latest
     WHERE latest.closed_at IS NOT NULL AND latest.next IS NULL
$$;

-- Takes what the end of this segment leaves in flight for good out of in_flight and returns it as test_end events.
-- A child's test waits for the process that answers for the child, which may still report it.
CREATE OR REPLACE FUNCTION crossbridge.take_interrupted(s crossbridge.segments) RETURNS jsonb
LANGUAGE sql
AS $$
    WITH ended AS (
        SELECT * FROM crossbridge.ended_writers(s.run_id)
    ), settled AS (
        SELECT f.*, e.ended_at,
               -- reported by the parent before the child's own start of it arrived
               f.parent IS NOT NULL AND EXISTS (
                   SELECT FROM crossbridge.tests AS t
                    WHERE t.test_id = f.test_id AND t.run_id = f.run_id AND t.attempt = f.attempt
                      AND t.created_at >= f.started_at - interval '1 minute'
                      AND coalesce(t.worker = f.worker, true)) AS reported
          FROM crossbridge.in_flight AS f
          JOIN ended AS e ON e.writer = f.writer
         WHERE f.run_id = s.run_id AND (f.writer = s.writer OR f.parent = s.writer)
         ORDER BY f.writer, f.test_id, f.attempt
           FOR UPDATE OF f
    ), taken AS (
        DELETE FROM crossbridge.in_flight AS f
         USING settled AS x
         WHERE f.run_id = x.run_id AND f.writer = x.writer AND f.test_id = x.test_id AND f.attempt = x.attempt
           AND (x.reported OR x.parent IS NULL OR x.parent IN (SELECT writer FROM ended))
        RETURNING x.*
    )
    SELECT coalesce(jsonb_agg(jsonb_build_object(
               'type', 'test_end', 'status', 'interrupted', 'test_id', t.test_id, 'attempt', t.attempt,
               'at_us', (extract(epoch FROM t.ended_at) * 1000000)::bigint,
               -- the end may be told by another clock; and duration_ms holds 24 days
               'duration_us', least((extract(epoch FROM greatest(t.ended_at - t.started_at, '0')) * 1000000)::bigint,
                                    2147483647000),
               'framework', t.framework, 'worker', t.worker, 'suite', t.suite, 'file', t.file, 'error_message',
               'the process ended before the test did' || coalesce(', in step: ' || t.step_name, ''))), '[]')
      FROM taken AS t
     WHERE NOT t.reported
$$;
