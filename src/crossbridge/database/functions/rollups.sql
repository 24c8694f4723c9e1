-- What ingest adds to the rollups for one batch. Rows are added in the order of their keys, see ingest.sql.

-- The rollups of a day are added to by any number of ingests (shared) or rebuilt by one (exclusive).
CREATE OR REPLACE FUNCTION crossbridge.day_lock_class() RETURNS integer
LANGUAGE sql IMMUTABLE
AS $$ SELECT hashtext('crossbridge rollups of a day') $$;

-- In which of the 8 rows of a key that knows no test a run counts: concurrent runs seldom wait for one row.
CREATE OR REPLACE FUNCTION crossbridge.slot_of(run_id uuid) RETURNS smallint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT (get_byte(uuid_send(run_id), 15) % 8)::smallint $$;

CREATE OR REPLACE FUNCTION crossbridge.share_days(events jsonb, b crossbridge.batch) RETURNS void
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

-- The same, with keys for those that had none. All of a batch at once, so that keys are made in one order.
CREATE OR REPLACE FUNCTION crossbridge.assign_test_keys(INOUT tests crossbridge.ended[], INOUT steps crossbridge.ended[])
LANGUAGE plpgsql
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM unnest(tests || steps) AS e WHERE e.test_key IS NULL) THEN
        RETURN;
    END IF;
    INSERT INTO crossbridge.test_dim (test_id, framework)
    SELECT DISTINCT e.test_id, e.framework FROM unnest(tests || steps) AS e WHERE e.test_key IS NULL
     ORDER BY 1, 2
    ON CONFLICT DO NOTHING;
    tests := crossbridge.with_test_keys(tests);
    steps := crossbridge.with_test_keys(steps);
END $$;

CREATE OR REPLACE FUNCTION crossbridge.with_test_keys(ends crossbridge.ended[]) RETURNS crossbridge.ended[]
LANGUAGE sql
AS $$
    SELECT array_agg(ROW(coalesce(e.test_key, d.test_key), NULL, e.framework, e.at_us, e.status, e.duration_us, e.attempt,
                         e.error_type, e.step_name)::crossbridge.ended)
      FROM unnest(ends) AS e
      LEFT JOIN crossbridge.test_dim AS d ON d.test_id = e.test_id AND d.framework = e.framework
$$;

-- Logarithms turn a slow-down by a tenth into the same step for a test of a millisecond and one of a minute, and a hung
-- attempt into a small one. Of passed attempts alone: a failure is quick or waits for a time-out.
-- Whole ten-thousandths of a nat, so that sums are exact in whatever order batches arrive.
CREATE OR REPLACE FUNCTION crossbridge.ln_us(duration_us bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE   -- not STRICT: that would keep it from being inlined
AS $$ SELECT round(ln(greatest(duration_us, 1)::double precision) * 10000)::bigint $$;

-- What each test of a batch did each day, in the order of the rollups' keys; outcomes are kept on the way.
CREATE OR REPLACE FUNCTION crossbridge.rollup_outcomes(ends crossbridge.ended[], key_of_run integer)
RETURNS crossbridge.test_cell[]
LANGUAGE plpgsql
AS $$
DECLARE
    cells crossbridge.test_cell[];
BEGIN
    WITH ended AS MATERIALIZED (
        SELECT date '1970-01-01' + (e.at_us / 86400000000)::integer AS day, e.test_key, e.at_us, e.status, e.duration_us,
               e.attempt
          FROM unnest(ends) AS e
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
        SELECT crossbridge.time_of(e.at_us), e.test_key, key_of_run, e.attempt, e.status = 'passed', e.duration_us
          FROM ended AS e
         WHERE e.status IN ('failed', 'error') OR e.status = 'passed' AND e.attempt > 1
    )
    SELECT array_agg(c::crossbridge.test_cell ORDER BY c.day, c.test_key) INTO cells
      FROM (SELECT e.day, e.test_key, count(*) AS n,
                   count(*) FILTER (WHERE e.status = 'passed') AS passed, count(*) FILTER (WHERE e.status = 'failed') AS failed,
                   count(*) FILTER (WHERE e.status = 'error') AS error, count(*) FILTER (WHERE e.status = 'skipped') AS skipped,
                   count(*) FILTER (WHERE e.status = 'xfailed') AS xfailed,
                   count(*) FILTER (WHERE e.status = 'xpassed') AS xpassed,
                   count(*) FILTER (WHERE e.status = 'interrupted') AS interrupted,
                   crossbridge.total(e.duration_us) AS sum_us, min(e.duration_us) AS min_us, max(e.duration_us) AS max_us,
                   crossbridge.total(e.duration_us) FILTER (WHERE e.status = 'passed') AS passed_us,
                   crossbridge.total(crossbridge.ln_us(e.duration_us)) FILTER (WHERE e.status = 'passed') AS ln_sum,
                   crossbridge.total(crossbridge.ln_us(e.duration_us) * crossbridge.ln_us(e.duration_us))
                       FILTER (WHERE e.status = 'passed') AS ln_sq
              FROM ended AS e
             GROUP BY 1, 2) AS c;
    RETURN cells;
END $$;

-- In which cells of its tests a run counts: see rollup_test_day.environment.
CREATE OR REPLACE FUNCTION crossbridge.slices_of(run_environment text, rolled_branch text) RETURNS SETOF text
LANGUAGE sql IMMUTABLE
AS $$ SELECT '*' UNION SELECT run_environment UNION SELECT '*' || rolled_branch WHERE rolled_branch <> '' $$;

CREATE OR REPLACE FUNCTION crossbridge.rollup_tests(
    cells crossbridge.test_cell[], run_environment text, rolled_branch text) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    slice text;
BEGIN
    FOR slice IN SELECT s FROM crossbridge.slices_of(run_environment, rolled_branch) AS s ORDER BY 1 LOOP
        INSERT INTO crossbridge.rollup_test_day AS r (
            environment, day, test_key, n, passed, failed, error, skipped, xfailed, xpassed, interrupted, sum_us, min_us,
            max_us, ln_sum, ln_sq)
        SELECT slice, c.day, c.test_key, c.n, c.passed, c.failed, c.error, c.skipped, c.xfailed, c.xpassed,
               c.interrupted, c.sum_us, c.min_us, c.max_us, c.ln_sum, c.ln_sq
          FROM unnest(cells) AS c
         ORDER BY c.day, c.test_key
        ON CONFLICT (environment, day, test_key) DO UPDATE SET
            n = r.n + excluded.n, passed = r.passed + excluded.passed, failed = r.failed + excluded.failed,
            error = r.error + excluded.error, skipped = r.skipped + excluded.skipped, xfailed = r.xfailed + excluded.xfailed,
            xpassed = r.xpassed + excluded.xpassed, interrupted = r.interrupted + excluded.interrupted,
            sum_us = r.sum_us + excluded.sum_us, min_us = least(r.min_us, excluded.min_us),
            max_us = greatest(r.max_us, excluded.max_us), ln_sum = r.ln_sum + excluded.ln_sum,
            ln_sq = r.ln_sq + excluded.ln_sq;
        IF EXISTS (SELECT FROM crossbridge.rolled_weeks AS w
                    WHERE w.environment = slice AND w.week >= crossbridge.week_of(cells[1].day)) THEN
            PERFORM crossbridge.add_to_weeks(cells, slice);
        END IF;
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION crossbridge.rollup_steps(ends crossbridge.ended[]) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO crossbridge.rollup_step_day AS r
    SELECT e.test_key, date '1970-01-01' + (e.at_us / 86400000000)::integer, e.step_name, count(*),
           count(*) FILTER (WHERE e.status = 'failed'), crossbridge.total(e.duration_us), min(e.duration_us), max(e.duration_us)
      FROM unnest(ends) AS e
     GROUP BY 1, 2, 3
     ORDER BY 1, 2, 3
    ON CONFLICT (test_key, day, step_name) DO UPDATE SET
        n = r.n + excluded.n, failed = r.failed + excluded.failed, sum_us = r.sum_us + excluded.sum_us,
        min_us = least(r.min_us, excluded.min_us), max_us = greatest(r.max_us, excluded.max_us);
END $$;

-- Hours of the series and of the run, and histograms: of one pass through the batch. The tables are filled in the same
-- order by everybody.
CREATE OR REPLACE FUNCTION crossbridge.rollup_series(
    s crossbridge.segments, ends crossbridge.ended[], run_environment text, run_branch text) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    run_slot CONSTANT smallint := crossbridge.slot_of(s.run_id);
BEGIN
    WITH cells AS MATERIALIZED (
        SELECT to_timestamp(e.at_us / 3600000000 * 3600) AS hour, e.framework, count(*) AS n,
               count(*) FILTER (WHERE e.status = 'passed') AS passed, count(*) FILTER (WHERE e.status = 'failed') AS failed,
               count(*) FILTER (WHERE e.status = 'error') AS error, count(*) FILTER (WHERE e.status = 'skipped') AS skipped,
               count(*) FILTER (WHERE e.status = 'xfailed') AS xfailed, count(*) FILTER (WHERE e.status = 'xpassed') AS xpassed,
               count(*) FILTER (WHERE e.status = 'interrupted') AS interrupted,
               sum(e.duration_us) AS sum_us, min(e.duration_us) AS min_us, max(e.duration_us) AS max_us,
               crossbridge.hist_of(array_agg(crossbridge.hist_bin(e.duration_us))) AS hist
          FROM unnest(ends) AS e
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
