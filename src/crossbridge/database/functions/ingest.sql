-- crossbridge.ingest: the one door into the database. spec/segment.md says how it is called.
--
-- Locks are taken in one order, so that concurrent calls never wait in a circle: the segment's row; the run's advisory
-- lock, only when a segment opens or closes; rows of in_flight; the table tests, against others that make or drop
-- partitions; test_dim and the rollups, each in the order of its key; the run's row.

-- The first line: the segment's row, and the run's when it is the first of its run.
CREATE OR REPLACE FUNCTION crossbridge.open_segment(segment_id uuid, run_id uuid, header jsonb) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    h record;
    began timestamptz;
BEGIN
    SELECT * INTO h FROM jsonb_to_record(header) AS x(
        type text, v integer, segment_id uuid, run_id uuid, writer uuid, seq integer, parent uuid, role text, pid bigint,
        pid_start bigint, host text, os text, runtime text, sdk text, framework text, framework_version text, worker text,
        at_us bigint, environment text, app_version text, labels jsonb, git_commit text, git_branch text, ci_provider text,
        ci_url text);
    IF h.type IS DISTINCT FROM 'segment_start' THEN
        RAISE invalid_parameter_value USING MESSAGE = format(
            'a segment begins with segment_start, got %s', h.type);
    ELSIF h.v IS DISTINCT FROM 1 THEN
        RAISE invalid_parameter_value USING MESSAGE = format(
            'this database reads wire format 1, got %s', coalesce(h.v::text, 'none'));
    ELSIF (h.segment_id, h.run_id) IS DISTINCT FROM (open_segment.segment_id, open_segment.run_id) THEN
        RAISE invalid_parameter_value USING MESSAGE = format(
            'segment %s of run %s calls itself %s of run %s', segment_id, run_id, h.segment_id, h.run_id);
    ELSIF jsonb_typeof(h.labels) <> 'object' THEN
        RAISE invalid_parameter_value USING MESSAGE = format('labels must be an object, got %s', h.labels);
    END IF;
    began := to_timestamp(h.at_us / 1e6);

    INSERT INTO crossbridge.segments (
        segment_id, run_id, writer, seq, parent, role, worker, framework, framework_version, host, pid, pid_start, os,
        runtime, sdk, started_at, last_at)
    VALUES (h.segment_id, h.run_id, h.writer, h.seq, h.parent, coalesce(h.role, 'main'), h.worker, h.framework,
            h.framework_version, h.host, h.pid, h.pid_start, h.os, h.runtime, h.sdk, began, began)
    ON CONFLICT DO NOTHING;
    -- Cut, because an index entry of the rollups holds framework, environment and branch together.
    INSERT INTO crossbridge.runs (
        run_id, started_at, environment, framework, git_commit, git_branch, app_version, ci_provider, ci_url, hostname, os,
        runtime, labels)
    VALUES (h.run_id, began, left(h.environment, 200), h.framework, h.git_commit, left(h.git_branch, 200), h.app_version,
            h.ci_provider, h.ci_url, h.host, h.os, h.runtime, coalesce(h.labels, '{}'))
    ON CONFLICT DO NOTHING;
END $$;

-- Moves the segment's row past the batch. A segment that goes on after a reader took its writer for dead opens again.
CREATE OR REPLACE FUNCTION crossbridge.advance_segment(
    before crossbridge.segments, to_offset bigint, events jsonb, b crossbridge.batch) RETURNS crossbridge.segments
LANGUAGE plpgsql
AS $$
DECLARE
    s crossbridge.segments := before;
    e record;
BEGIN
    s.delivered := to_offset;
    s.events := s.events + b.events;
    s.dropped := greatest(s.dropped, b.dropped, CASE WHEN b.headers > 0 THEN (events #>> '{0,dropped}')::bigint END);
    s.rejected := s.rejected + b.rejected;
    s.unknown_events := s.unknown_events + b.unknown_events;
    s.last_at := greatest(s.last_at, to_timestamp(b.last_us / 1e6));
    IF to_offset > before.delivered THEN
        s.closed_at := NULL;
    END IF;
    IF b.ends > 0 THEN
        SELECT * INTO e FROM jsonb_to_record(jsonb_path_query_first(events, '$[*] ? (@.type == "segment_end")')) AS x(
            at_us bigint, status text, collected bigint, dropped bigint, torn bigint, next uuid);
        IF least(e.collected, e.dropped, e.torn) < 0 THEN
            RAISE invalid_parameter_value USING MESSAGE = format(
                'collected, dropped and torn must be 0 or more, got %s, %s and %s', e.collected, e.dropped, e.torn);
        ELSIF s.closed_at IS NULL OR s.next IS NOT NULL AND e.next IS NULL THEN
            s.closed_at := to_timestamp(e.at_us / 1e6);
            s.status := e.status;
            s.collected := e.collected;
            s.dropped := greatest(s.dropped, e.dropped);
            s.torn := s.torn + coalesce(e.torn, 0);
            s.next := e.next;
        END IF;
    END IF;
    UPDATE crossbridge.segments AS x
       SET delivered = s.delivered, events = s.events, collected = s.collected, dropped = s.dropped, rejected = s.rejected,
           torn = s.torn, unknown_events = s.unknown_events, last_at = s.last_at, closed_at = s.closed_at,
           status = s.status, next = s.next
     WHERE x.run_id = s.run_id AND x.segment_id = s.segment_id
    RETURNING * INTO s;
    RETURN s;
END $$;

-- A batch of a forgotten segment: what it brings again was stored once; what is new after all this time is dropped, and
-- counted. Returns where the segment stands; 0 when it is not known.
CREATE OR REPLACE FUNCTION crossbridge.pass_forgotten(
    segment_id uuid, run_id uuid, from_offset bigint, to_offset bigint, b crossbridge.batch) RETURNS bigint
LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE crossbridge.forgotten_segments AS f
       SET delivered = to_offset
     WHERE f.run_id = pass_forgotten.run_id AND f.segment_id = pass_forgotten.segment_id AND f.delivered = from_offset;
    IF FOUND THEN
        UPDATE crossbridge.runs AS r
           SET events_collected = r.events_collected + b.events, events_dropped = r.events_dropped + b.events
         WHERE r.run_id = pass_forgotten.run_id AND b.events > 0;
        RETURN to_offset;
    END IF;
    RETURN coalesce((SELECT f.delivered FROM crossbridge.forgotten_segments AS f
                      WHERE f.run_id = pass_forgotten.run_id AND f.segment_id = pass_forgotten.segment_id), 0);
END $$;

CREATE OR REPLACE FUNCTION crossbridge.is_forgotten(segment_id uuid, run_id uuid) RETURNS boolean
LANGUAGE sql
AS $$
    SELECT EXISTS (SELECT FROM crossbridge.forgotten_segments AS f
                    WHERE f.run_id = is_forgotten.run_id AND f.segment_id = is_forgotten.segment_id)
$$;

-- Stores the rows of a batch and adds them to the rollups; returns what its tests did each day.
CREATE OR REPLACE FUNCTION crossbridge.store_events(s crossbridge.segments, events jsonb, b crossbridge.batch)
RETURNS crossbridge.test_cell[]
LANGUAGE plpgsql
AS $$
DECLARE
    run record;
    tests crossbridge.ended[];
    steps crossbridge.ended[];
    cells crossbridge.test_cell[];
BEGIN
    IF b.test_ends + b.step_ends + b.http_calls + b.driver_commands + b.system_metrics = 0 THEN
        RETURN NULL;
    END IF;
    PERFORM crossbridge.ensure_partitions(CASE
        WHEN crossbridge.month_of(b.first_us) = crossbridge.month_of(b.last_us) THEN ARRAY[crossbridge.month_of(b.last_us)]
        ELSE (SELECT array_agg(DISTINCT crossbridge.month_of(e.at_us))
                FROM jsonb_to_recordset(events) AS e(at_us bigint) WHERE e.at_us IS NOT NULL) END);
    PERFORM crossbridge.share_days(events, b);
    IF b.test_ends > 0 THEN
        tests := crossbridge.store_tests(s, events);
    END IF;
    IF b.step_ends > 0 THEN
        steps := crossbridge.store_steps(s, events);
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

    SELECT coalesce(r.environment, '') AS environment, coalesce(r.git_branch, '') AS git_branch,
           CASE WHEN r.rolled_branch THEN r.git_branch END AS rolled_branch, r.run_key
      INTO run FROM crossbridge.runs AS r WHERE r.run_id = s.run_id;
    IF b.test_ends + b.step_ends > 0 THEN
        SELECT k.tests, k.steps INTO tests, steps FROM crossbridge.assign_test_keys(tests, steps) AS k;
    END IF;
    IF b.test_ends > 0 THEN
        cells := crossbridge.rollup_outcomes(tests, run.run_key);
        PERFORM crossbridge.rollup_tests(cells, run.environment, run.rolled_branch);
    END IF;
    IF b.step_ends > 0 THEN
        PERFORM crossbridge.rollup_steps(steps);
    END IF;
    IF b.test_ends > 0 THEN
        PERFORM crossbridge.rollup_series(s, tests, run.environment, run.git_branch);
    END IF;
    PERFORM crossbridge.rollup_reading(s, events, b, tests);
    RETURN cells;
END $$;

-- Stores the lines between two offsets of a segment file, once, and returns the offset now delivered: another one than
-- to_offset when the lines do not begin where the database stands, and then nothing was stored.
-- Raises SQLSTATE class 22 or 23 for lines that can never be stored.
CREATE OR REPLACE FUNCTION crossbridge.ingest(segment_id uuid, run_id uuid, from_offset bigint, to_offset bigint, events jsonb)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    before crossbridge.segments;
    s crossbridge.segments;
    b crossbridge.batch := crossbridge.survey(events);
    interrupted jsonb;
    closes boolean;   -- or opens again
    cells crossbridge.test_cell[];
BEGIN
    IF coalesce(from_offset < 0 OR to_offset < from_offset, true) THEN
        RAISE invalid_parameter_value USING MESSAGE = format(
            'offsets must rise from 0, got %s to %s', coalesce(from_offset::text, 'null'), coalesce(to_offset::text, 'null'));
    ELSIF from_offset = to_offset AND b.lines > b.ends + b.infos THEN
        RAISE invalid_parameter_value USING MESSAGE = format('%s lines cannot lie between %s and %1$s', b.lines, from_offset);
    ELSIF b.headers <> (from_offset = 0)::integer THEN
        RAISE invalid_parameter_value USING MESSAGE = format(
            'a segment has one segment_start, its first line; got %s at offset %s', b.headers, from_offset);
    ELSIF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE feature_not_supported USING MESSAGE = 'crossbridge.ingest needs the isolation level READ COMMITTED';
    END IF;
    IF from_offset = 0 THEN
        PERFORM crossbridge.open_segment(segment_id, run_id, events -> 0);
    END IF;
    SELECT * INTO before FROM crossbridge.segments AS x
     WHERE x.run_id = ingest.run_id AND x.segment_id = ingest.segment_id FOR UPDATE;
    IF NOT FOUND THEN
        RETURN crossbridge.pass_forgotten(segment_id, run_id, from_offset, to_offset, b);
    ELSIF from_offset = 0 AND before.delivered = 0 AND crossbridge.is_forgotten(segment_id, run_id) THEN
        DELETE FROM crossbridge.segments AS x WHERE x.run_id = ingest.run_id AND x.segment_id = ingest.segment_id;
        RETURN crossbridge.pass_forgotten(segment_id, run_id, from_offset, to_offset, b);
    ELSIF before.delivered <> from_offset THEN
        RETURN before.delivered;
    END IF;

    s := crossbridge.advance_segment(before, to_offset, events, b);
    closes := b.ends > 0 OR s.closed_at IS DISTINCT FROM before.closed_at;
    IF from_offset = 0 OR closes THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('crossbridge run ' || run_id, 0));
    END IF;
    IF b.test_starts > 0 OR EXISTS (SELECT FROM crossbridge.in_flight AS f WHERE f.run_id = s.run_id) THEN
        PERFORM crossbridge.track_in_flight(s, events, b.step_starts + b.step_ends > 0);
    END IF;
    IF closes THEN
        interrupted := crossbridge.take_interrupted(s);
        events := events || interrupted;
        b.test_ends := b.test_ends + jsonb_array_length(interrupted);
        b.interrupted := b.interrupted + jsonb_array_length(interrupted);
        SELECT least(b.first_us, min(e.at_us)), greatest(b.last_us, max(e.at_us)) INTO b.first_us, b.last_us
          FROM jsonb_to_recordset(interrupted) AS e(at_us bigint);
    END IF;
    cells := crossbridge.store_events(s, events, b);

    PERFORM crossbridge.count_in_run(before, s, b);
    IF b.test_ends > 0 THEN
        PERFORM crossbridge.rollup_versions(s, cells);
    END IF;
    IF from_offset = 0 THEN
        PERFORM crossbridge.join_run(s, events -> 0);
    END IF;
    IF b.infos > 0 THEN
        PERFORM crossbridge.fill_run(run_id, events);
    END IF;
    IF from_offset = 0 OR closes THEN
        PERFORM crossbridge.settle_run(run_id);
    END IF;
    IF from_offset = 0 THEN
        PERFORM crossbridge.roll_up_a_week(run_id);   -- last: it shuts batches of that week out until the commit
    END IF;
    RETURN to_offset;
END $$;
