-- crossbridge.ingest: the one door into the database. spec/segment.md says how it is called.
--
-- Locks are taken in one order, so that concurrent calls never wait in a circle: the segment's row, the run's
-- advisory lock (only when a segment opens or closes), in_flight rows, the partitions' advisory lock, test_dim, the rollups
-- (each in the order of its key), the run's row.

-- Bookkeeping of the first line: the segment's row, and the run's when it is the first of its run.
CREATE FUNCTION crossbridge.ingest_open(segment_id uuid, run_id uuid, header jsonb) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    h record;
    began timestamptz;
BEGIN
    SELECT * INTO h FROM jsonb_to_record(header) AS x(
        type text, v integer, segment_id uuid, run_id uuid, writer uuid, seq integer, parent uuid, role text, pid bigint,
        pid_start bigint, host text, os text, runtime text, sdk text, framework text, framework_version text, worker text,
        at_us bigint, dropped bigint, environment text, app_version text, labels jsonb, git_commit text, git_branch text,
        ci_provider text, ci_url text);
    IF h.type IS DISTINCT FROM 'segment_start' THEN
        RAISE invalid_parameter_value USING MESSAGE = format(
            'a segment begins with segment_start, got %s at offset 0', coalesce(h.type, 'nothing'));
    ELSIF h.v IS DISTINCT FROM 1 THEN
        RAISE invalid_parameter_value USING MESSAGE = format(
            'this database reads wire format 1, got v = %s; update it with ''crossbridge db migrate''', coalesce(h.v::text, 'null'));
    ELSIF h.segment_id IS DISTINCT FROM ingest_open.segment_id OR h.run_id IS DISTINCT FROM ingest_open.run_id THEN
        RAISE invalid_parameter_value USING MESSAGE = format(
            'segment %s of run %s says it is %s of run %s', segment_id, run_id, h.segment_id, h.run_id);
    ELSIF jsonb_typeof(h.labels) <> 'object' THEN
        RAISE invalid_parameter_value USING MESSAGE = format('labels must be an object, got %s', h.labels);
    END IF;
    began := to_timestamp(h.at_us / 1e6);

    INSERT INTO crossbridge.segments AS s (
        segment_id, run_id, writer, seq, parent, role, worker, framework, framework_version, host, pid, pid_start, os,
        runtime, sdk, started_at, last_at)
    VALUES (h.segment_id, h.run_id, h.writer, h.seq, h.parent, coalesce(h.role, 'main'), h.worker, h.framework,
        h.framework_version, h.host, h.pid, h.pid_start, h.os, h.runtime, h.sdk, began, began)
    ON CONFLICT DO NOTHING;
    -- An index entry of the rollups holds framework, environment and branch together.
    INSERT INTO crossbridge.runs AS r (
        run_id, started_at, environment, framework, git_commit, git_branch, app_version, ci_provider, ci_url, hostname, os,
        runtime, labels)
    VALUES (h.run_id, began, left(h.environment, 200), h.framework, h.git_commit, left(h.git_branch, 200), h.app_version,
        h.ci_provider, h.ci_url, h.host, h.os, h.runtime, coalesce(h.labels, '{}'))
    ON CONFLICT DO NOTHING;
END $$;
