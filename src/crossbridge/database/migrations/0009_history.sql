-- What the analyses of history read: logarithms of durations in the per-test days, and days of a branch.

-- Logarithms turn a slow-down by a tenth into the same step for a test of a millisecond and one of a minute, and a hung
-- attempt into a small one. Of passed attempts alone: a failure is quick or waits for a time-out.
-- Whole ten-thousandths of a nat, so that sums are exact in whatever order batches arrive.
CREATE FUNCTION crossbridge.ln_us(duration_us bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE   -- not STRICT: that would keep it from being inlined
AS $$ SELECT round(ln(greatest(duration_us, 1)::double precision) * 10000)::bigint $$;

ALTER TABLE crossbridge.rollup_test_day
    ADD COLUMN ln_sum bigint NOT NULL DEFAULT 0,   -- of ln_us of passed attempts
    ADD COLUMN ln_sq  bigint NOT NULL DEFAULT 0;   -- of its square
COMMENT ON COLUMN crossbridge.rollup_test_day.environment IS
    'a name; *: all environments together; * and a branch: all environments together, runs with rolled_branch only';

UPDATE crossbridge.rollup_test_day AS r
   SET ln_sum = x.ln_sum, ln_sq = x.ln_sq
  FROM (SELECT e.environment, (t.created_at AT TIME ZONE 'UTC')::date AS day, d.test_key,
               sum(crossbridge.ln_us(t.duration_us)) AS ln_sum, sum(crossbridge.ln_us(t.duration_us) ^ 2)::bigint AS ln_sq
          FROM crossbridge.tests AS t
          JOIN crossbridge.test_dim AS d USING (test_id, framework)
          LEFT JOIN crossbridge.runs AS u USING (run_id)
         CROSS JOIN LATERAL (SELECT '*' UNION SELECT coalesce(u.environment, '')) AS e(environment)
         WHERE t.status = 'passed'
         GROUP BY 1, 2, 3) AS x
 WHERE (r.environment, r.day, r.test_key) = (x.environment, x.day, x.test_key);

-- A branch that has had many runs of late is read from days of its own; a feature's few runs are read from the rows, and
-- days of thousands of such branches would be as many cells as there are rows. Decided once, when the run begins.
ALTER TABLE crossbridge.runs ADD COLUMN rolled_branch boolean NOT NULL DEFAULT false;
CREATE INDEX runs_git_branch ON crossbridge.runs (git_branch, started_at);
CREATE INDEX runs_git_commit ON crossbridge.runs (git_commit);

CREATE FUNCTION crossbridge.is_busy_branch(branch text, at timestamptz) RETURNS boolean
LANGUAGE sql STABLE
AS $$
    SELECT count(*) = 20
      FROM (SELECT FROM crossbridge.runs
             WHERE git_branch = branch AND started_at >= at - interval '30 days' AND started_at < at
             LIMIT 20) AS earlier
$$;

CREATE FUNCTION crossbridge.decide_rolled_branch() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.rolled_branch := crossbridge.is_busy_branch(NEW.git_branch, NEW.started_at);
    RETURN NEW;
END $$;
CREATE TRIGGER decide_rolled_branch BEFORE INSERT ON crossbridge.runs
    FOR EACH ROW WHEN (NEW.git_branch IS NOT NULL) EXECUTE FUNCTION crossbridge.decide_rolled_branch();

-- As before, and the new columns and days.
DROP FUNCTION crossbridge.rollup_tests(jsonb, text, text);
CREATE FUNCTION crossbridge.rollup_tests(
    events jsonb, default_framework text, run_environment text, rolled_branch text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO crossbridge.rollup_test_day AS r (
        environment, day, test_key, n, passed, failed, error, skipped, xfailed, xpassed, interrupted, sum_us, min_us, max_us,
        ln_sum, ln_sq)
    SELECT env.environment, d.*
      FROM (SELECT (to_timestamp(e.at_us / 86400000000 * 86400) AT TIME ZONE 'UTC')::date AS day, d.test_key, count(*),
                   count(*) FILTER (WHERE e.status = 'passed'), count(*) FILTER (WHERE e.status = 'failed'),
                   count(*) FILTER (WHERE e.status = 'error'), count(*) FILTER (WHERE e.status = 'skipped'),
                   count(*) FILTER (WHERE e.status = 'xfailed'), count(*) FILTER (WHERE e.status = 'xpassed'),
                   count(*) FILTER (WHERE e.status = 'interrupted'), sum(e.duration_us), min(e.duration_us), max(e.duration_us),
                   coalesce(sum(crossbridge.ln_us(e.duration_us)) FILTER (WHERE e.status = 'passed'), 0),
                   coalesce(sum(crossbridge.ln_us(e.duration_us) * crossbridge.ln_us(e.duration_us))
                            FILTER (WHERE e.status = 'passed'), 0)
              FROM jsonb_to_recordset(events) AS e(
                       type text, test_id text, framework text, at_us bigint, status text, duration_us bigint)
              JOIN crossbridge.test_dim AS d
                ON d.test_id = e.test_id AND d.framework = coalesce(e.framework, default_framework)
             WHERE e.type = 'test_end'
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

CREATE OR REPLACE FUNCTION crossbridge.store_events(s crossbridge.segments, events jsonb, b crossbridge.batch) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    run record;
    slot smallint := get_byte(uuid_send(s.run_id), 15) % 8;
BEGIN
    IF b.test_ends + b.step_ends + b.http_calls + b.driver_commands + b.system_metrics = 0 THEN
        RETURN;
    END IF;
    PERFORM crossbridge.ensure_partitions(CASE
        WHEN crossbridge.month_of(b.first_us) = crossbridge.month_of(b.last_us) THEN ARRAY[crossbridge.month_of(b.last_us)]
        ELSE (SELECT array_agg(DISTINCT crossbridge.month_of(e.at_us))
                FROM jsonb_to_recordset(events) AS e(at_us bigint) WHERE e.at_us IS NOT NULL) END);
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
        PERFORM crossbridge.rollup_series(events, s.framework, run.environment, run.git_branch, slot);
    END IF;
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA crossbridge FROM PUBLIC;
