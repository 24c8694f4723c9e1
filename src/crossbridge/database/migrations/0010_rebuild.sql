-- Rebuilding the rollups from the rows, a day at a time, while ingest goes on; and what is left of what was pruned.

-- Histograms as one number: the count of bin b stands at the digits from 12 b on. Adding such numbers adds the histograms,
-- at the speed of built-in arithmetic: some 2 us a cell instead of 50, which is what windows of months are read with.
CREATE FUNCTION crossbridge.hist_pack(lo integer, cnt integer[]) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT (pg_catalog.string_agg(pg_catalog.lpad(u.c::text, 12, '0'), '' ORDER BY u.i DESC)
            || pg_catalog.repeat('0', 12 * lo))::numeric
      FROM pg_catalog.unnest(cnt) WITH ORDINALITY AS u(c, i)
$$;

CREATE FUNCTION crossbridge.hist_unpack(packed numeric) RETURNS crossbridge.histogram
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    hist crossbridge.histogram;
    digits text := packed::text;
    bins integer := (pg_catalog.length(digits) + 11) / 12;
    bytes bytea := pg_catalog.convert_to(pg_catalog.lpad(digits, 12 * bins, '0'), 'UTF8');   -- text is slow to cut
BEGIN
    hist.lo := (pg_catalog.length(digits) - pg_catalog.length(pg_catalog.rtrim(digits, '0'))) / 12;
    hist.cnt := ARRAY(SELECT pg_catalog.convert_from(pg_catalog.substr(bytes, 12 * (bins - 1 - b) + 1, 12), 'UTF8')::integer
                        FROM pg_catalog.generate_series(hist.lo, bins - 1) AS b);
    RETURN hist;
END $$;

-- SELECT (h).lo, (h).cnt FROM (SELECT crossbridge.hist_sum(packed) AS h FROM crossbridge.hist_day ...) AS x
CREATE AGGREGATE crossbridge.hist_sum(numeric) (
    SFUNC = pg_catalog.numeric_add, STYPE = numeric, COMBINEFUNC = pg_catalog.numeric_add,
    FINALFUNC = crossbridge.hist_unpack, PARALLEL = SAFE
);

ALTER TABLE crossbridge.hist_hour ADD COLUMN packed numeric GENERATED ALWAYS AS (crossbridge.hist_pack(lo, cnt)) STORED;
ALTER TABLE crossbridge.hist_day ADD COLUMN packed numeric GENERATED ALWAYS AS (crossbridge.hist_pack(lo, cnt)) STORED;
ALTER TABLE crossbridge.rollup_call_day ADD COLUMN packed numeric GENERATED ALWAYS AS (crossbridge.hist_pack(lo, cnt)) STORED;

-- Segments that are open or lost something: few, and asked for whenever a window's health is.
CREATE INDEX segments_not_in_order ON crossbridge.segments (run_id)
    WHERE rejected + torn + unknown_events > 0 OR closed_at IS NULL;

-- Months whose rows 'crossbridge db prune' has dropped. Their rollups are all that is left of them: never rebuilt.
CREATE TABLE crossbridge.pruned_months (
    month     date PRIMARY KEY,
    pruned_at timestamptz NOT NULL DEFAULT now()
);

-- Segments that were pruned, and how far they had been delivered: what comes again is not stored again.
CREATE TABLE crossbridge.forgotten_segments (
    run_id     uuid NOT NULL,
    segment_id uuid NOT NULL,
    delivered  bigint NOT NULL,
    PRIMARY KEY (run_id, segment_id)
);

-- Days still to be rebuilt. A day leaves in the transaction that rebuilds it, so a rebuild cut short goes on where it was.
CREATE TABLE crossbridge.rebuild_queue (
    day   date PRIMARY KEY,
    since date   -- as it was asked for; null: all
);

-- The rollups of a day are added to by any number of ingests (shared) or rebuilt by one (exclusive).
CREATE FUNCTION crossbridge.day_lock_class() RETURNS integer
LANGUAGE sql IMMUTABLE
AS $$ SELECT hashtext('crossbridge rollups of a day') $$;

CREATE FUNCTION crossbridge.share_days(events jsonb, b crossbridge.batch) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF b.first_us / 86400000000 = b.last_us / 86400000000 THEN
        PERFORM pg_advisory_xact_lock_shared(crossbridge.day_lock_class(), (b.last_us / 86400000000)::integer);
    ELSE
        PERFORM pg_advisory_xact_lock_shared(crossbridge.day_lock_class(), d.day)
           FROM (SELECT DISTINCT (e.at_us / 86400000000)::integer AS day
                   FROM jsonb_to_recordset(events) AS e(at_us bigint)
                  WHERE e.at_us IS NOT NULL ORDER BY 1) AS d;
    END IF;
END $$;

-- Keys for the tests of a day that have none, as of rows that came by COPY.
CREATE FUNCTION crossbridge.rebuild_test_keys(since timestamptz, until timestamptz) RETURNS void
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
CREATE FUNCTION crossbridge.rollup_environments() RETURNS SETOF text
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

CREATE FUNCTION crossbridge.rebuild_tests(day date, since timestamptz, until timestamptz) RETURNS void
LANGUAGE sql
AS $$
    DELETE FROM crossbridge.rollup_test_day AS r
     WHERE r.environment = ANY (ARRAY(SELECT crossbridge.rollup_environments())) AND r.day = rebuild_tests.day;

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
      -- as crossbridge.rollup_tests does it
      JOIN (SELECT x.environment AS of_environment, x.rolled_branch AS of_branch, e.environment
              FROM (SELECT DISTINCT y.environment, y.rolled_branch FROM parts AS y) AS x
             CROSS JOIN LATERAL (SELECT '*' UNION SELECT x.environment
                                  UNION SELECT '*' || x.rolled_branch WHERE x.rolled_branch <> '') AS e(environment)) AS cell
        ON cell.of_environment = p.environment AND cell.of_branch IS NOT DISTINCT FROM p.rolled_branch
     GROUP BY 1, 3
     ORDER BY 1, 3;
$$;

CREATE FUNCTION crossbridge.rebuild_steps(day date, since timestamptz, until timestamptz) RETURNS void
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

CREATE FUNCTION crossbridge.rebuild_series(day date, since timestamptz, until timestamptz) RETURNS void
LANGUAGE sql
AS $$
    DELETE FROM crossbridge.rollup_hour AS r WHERE r.hour >= since AND r.hour < until;
    DELETE FROM crossbridge.hist_hour AS r WHERE r.hour >= since AND r.hour < until;
    DELETE FROM crossbridge.hist_day AS r WHERE r.day = rebuild_series.day;

    WITH cells AS (
        SELECT date_trunc('hour', t.created_at, 'UTC') AS hour, t.framework, coalesce(r.environment, '') AS environment,
               coalesce(r.git_branch, '') AS git_branch, (get_byte(uuid_send(t.run_id), 15) % 8)::smallint AS slot,
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

-- Makes the rollups of a day anew from its rows, and tells how many rows there were. Ingest of other days goes on; ingest
-- of this one waits. Locks in the order of the others: the tables (as 'crossbridge db prune' takes them), then the day.
CREATE FUNCTION crossbridge.rebuild_day(day date, OUT attempts bigint, OUT steps bigint)
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
    PERFORM crossbridge.rebuild_steps(day, since, until);
    PERFORM crossbridge.rebuild_series(day, since, until);
    PERFORM crossbridge.rebuild_reading(day, since, until);
    SELECT coalesce(sum(r.n), 0) INTO attempts FROM crossbridge.rollup_hour AS r WHERE r.hour >= since AND r.hour < until;
    SELECT count(*) INTO rebuild_day.steps FROM crossbridge.steps AS s WHERE s.created_at >= since AND s.created_at < until;
END $$;

-- Rebuilds one day of the queue, the newest that no other session is at. Null when the queue is empty: what others were
-- at is done, or it would be in the queue again.
CREATE FUNCTION crossbridge.rebuild_next(OUT day date, OUT attempts bigint, OUT steps bigint)
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

-- A batch of a forgotten segment: what it brings again was stored once; what is new after all this time is dropped, and
-- counted. Returns where the segment stands; 0 when it is not known.
CREATE FUNCTION crossbridge.pass_forgotten(
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

CREATE FUNCTION crossbridge.is_forgotten(segment_id uuid, run_id uuid) RETURNS boolean
LANGUAGE sql
AS $$
    SELECT EXISTS (SELECT FROM crossbridge.forgotten_segments AS f
                    WHERE f.run_id = is_forgotten.run_id AND f.segment_id = is_forgotten.segment_id)
$$;

-- Hours of the series and of the run, and histograms: of one pass through the batch. Replaces the function of 0004.
-- The tables are filled in the same order by everybody.
DROP FUNCTION crossbridge.rollup_series(jsonb, text, text, text, smallint);
CREATE FUNCTION crossbridge.rollup_series(
    s crossbridge.segments, events jsonb, run_environment text, run_branch text) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    run_slot CONSTANT smallint := get_byte(uuid_send(s.run_id), 15) % 8;
BEGIN
    WITH cells AS MATERIALIZED (
        SELECT to_timestamp(e.at_us / 3600000000 * 3600) AS hour, coalesce(e.framework, s.framework) AS framework,
               count(*) AS n,
               count(*) FILTER (WHERE e.status = 'passed') AS passed, count(*) FILTER (WHERE e.status = 'failed') AS failed,
               count(*) FILTER (WHERE e.status = 'error') AS error, count(*) FILTER (WHERE e.status = 'skipped') AS skipped,
               count(*) FILTER (WHERE e.status = 'xfailed') AS xfailed, count(*) FILTER (WHERE e.status = 'xpassed') AS xpassed,
               count(*) FILTER (WHERE e.status = 'interrupted') AS interrupted,
               sum(e.duration_us) AS sum_us, min(e.duration_us) AS min_us, max(e.duration_us) AS max_us,
               crossbridge.hist_of(array_agg(crossbridge.hist_bin(e.duration_us))) AS hist
          FROM jsonb_to_recordset(events) AS e(type text, framework text, at_us bigint, status text, duration_us bigint)
         WHERE e.type = 'test_end'
         GROUP BY 1, 2
    ), hours AS (
        INSERT INTO crossbridge.rollup_hour AS r
        SELECT c.hour, c.framework, run_environment, run_branch, run_slot, c.n, c.passed, c.failed, c.error, c.skipped,
               c.xfailed, c.xpassed, c.interrupted, c.sum_us, c.min_us, c.max_us
          FROM cells AS c ORDER BY 1, 2
        ON CONFLICT (hour, framework, environment, git_branch, slot) DO UPDATE SET
            n = r.n + excluded.n, passed = r.passed + excluded.passed, failed = r.failed + excluded.failed,
            error = r.error + excluded.error, skipped = r.skipped + excluded.skipped, xfailed = r.xfailed + excluded.xfailed,
            xpassed = r.xpassed + excluded.xpassed, interrupted = r.interrupted + excluded.interrupted,
            sum_us = r.sum_us + excluded.sum_us, min_us = least(r.min_us, excluded.min_us),
            max_us = greatest(r.max_us, excluded.max_us)
    ), run_hours AS (
        INSERT INTO crossbridge.rollup_run_hour AS r
        SELECT c.hour, s.run_id, c.framework, c.n, c.passed, c.failed, c.error, c.skipped, c.sum_us, c.min_us, c.max_us
          FROM cells AS c ORDER BY 1, 3
        ON CONFLICT (run_id, hour, framework) DO UPDATE SET
            n = r.n + excluded.n, passed = r.passed + excluded.passed, failed = r.failed + excluded.failed,
            error = r.error + excluded.error, skipped = r.skipped + excluded.skipped, sum_us = r.sum_us + excluded.sum_us,
            min_us = least(r.min_us, excluded.min_us), max_us = greatest(r.max_us, excluded.max_us)
    ), histograms AS (
        INSERT INTO crossbridge.hist_hour AS r
        SELECT c.hour, c.framework, run_environment, run_branch, run_slot, (c.hist).lo, (c.hist).cnt
          FROM cells AS c ORDER BY 1, 2
        ON CONFLICT (hour, framework, environment, git_branch, slot) DO UPDATE SET
            (lo, cnt) = (SELECT h.lo, h.cnt FROM crossbridge.hist_add(r.lo, r.cnt, excluded.lo, excluded.cnt) AS h)
    )
    INSERT INTO crossbridge.hist_day AS r
    SELECT x.day, x.framework, run_environment, run_slot, (x.hist).lo, (x.hist).cnt
      FROM (SELECT (c.hour AT TIME ZONE 'UTC')::date AS day, c.framework,
                   crossbridge.hist_sum((c.hist).lo, (c.hist).cnt) AS hist
              FROM cells AS c GROUP BY 1, 2) AS x
     ORDER BY 1, 2
    ON CONFLICT (day, framework, environment, slot) DO UPDATE SET
        (lo, cnt) = (SELECT h.lo, h.cnt FROM crossbridge.hist_add(r.lo, r.cnt, excluded.lo, excluded.cnt) AS h);
END $$;

-- As before, but for share_days, rollup_series and rollup_reading.
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
               CASE WHEN r.rolled_branch THEN r.git_branch END AS rolled_branch
          INTO run FROM crossbridge.runs AS r WHERE r.run_id = s.run_id;
        PERFORM crossbridge.assign_test_keys(events, s.framework);
    END IF;
    IF b.test_ends > 0 THEN
        PERFORM crossbridge.rollup_tests(events, s.framework, run.environment, run.rolled_branch);
    END IF;
    IF b.step_ends > 0 THEN
        PERFORM crossbridge.rollup_steps(events, s.framework);
    END IF;
    IF b.test_ends > 0 THEN
        PERFORM crossbridge.rollup_series(s, events, run.environment, run.git_branch);
    END IF;
    PERFORM crossbridge.rollup_reading(s, events, b);
END $$;

-- As before, but for forgotten segments and rollup_versions.
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
    PERFORM crossbridge.store_events(s, events, b);

    PERFORM crossbridge.count_in_run(before, s, b);
    IF b.test_ends > 0 THEN
        PERFORM crossbridge.rollup_versions(s, events);
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
    RETURN to_offset;
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA crossbridge FROM PUBLIC;
