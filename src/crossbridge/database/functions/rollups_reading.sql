-- What dashboards ask for and no other rollup holds; kept by ingest like those, see rollups.sql.
-- Measured at 10 million tests over 90 days, answers from the rows would take from half a second to some seconds.

CREATE OR REPLACE FUNCTION crossbridge.rollup_errors(
    ends crossbridge.ended[], run_environment text, run_branch text, run_slot smallint) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO crossbridge.rollup_error_day AS r
    SELECT date '1970-01-01' + (e.at_us / 86400000000)::integer, coalesce(e.error_type, ''), e.framework, run_environment, run_branch, run_slot,
           count(*) FILTER (WHERE e.status = 'failed'), count(*) FILTER (WHERE e.status = 'error'),
           crossbridge.time_of(max(e.at_us))
      FROM unnest(ends) AS e
     WHERE e.status IN ('failed', 'error')
     GROUP BY 1, 2, 3
     ORDER BY 1, 2, 3
    ON CONFLICT (day, error_type, framework, environment, git_branch, slot) DO UPDATE SET
        failed = r.failed + excluded.failed, error = r.error + excluded.error,
        last_at = greatest(r.last_at, excluded.last_at);
END $$;

CREATE OR REPLACE FUNCTION crossbridge.http_failed(status_code integer, error text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT coalesce(status_code, 599) >= 400 OR error IS NOT NULL $$;

CREATE OR REPLACE FUNCTION crossbridge.rollup_calls(events jsonb, run_environment text, rolled_branch text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO crossbridge.rollup_call_day AS r (
        day, kind, name, method, environment, git_branch, n, errors, retries, sum_us, max_us, lo, cnt)
    SELECT x.day, x.kind, x.name, x.method, cell.environment, cell.git_branch, x.n, x.errors, x.retries, x.sum_us, x.max_us,
           (x.hist).lo, (x.hist).cnt
      FROM (SELECT date '1970-01-01' + (e.at_us / 86400000000)::integer AS day,
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

-- The part of store_events that keeps errors and calls.
CREATE OR REPLACE FUNCTION crossbridge.rollup_reading(
    s crossbridge.segments, events jsonb, b crossbridge.batch, ends crossbridge.ended[]) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    run record;
    slot CONSTANT smallint := crossbridge.slot_of(s.run_id);
BEGIN
    IF b.failed + b.error + b.http_calls + b.driver_commands = 0 THEN
        RETURN;
    END IF;
    SELECT coalesce(r.environment, '') AS environment, coalesce(r.git_branch, '') AS git_branch,
           CASE WHEN r.rolled_branch THEN r.git_branch END AS rolled_branch
      INTO run FROM crossbridge.runs AS r WHERE r.run_id = s.run_id;
    IF b.failed + b.error > 0 THEN
        PERFORM crossbridge.rollup_errors(ends, run.environment, run.git_branch, slot);
    END IF;
    IF b.http_calls + b.driver_commands > 0 THEN
        PERFORM crossbridge.rollup_calls(events, run.environment, run.rolled_branch);
    END IF;
END $$;

-- The key of the run's version in its environment and branch; null while the version is not known.
CREATE OR REPLACE FUNCTION crossbridge.version_key(run crossbridge.runs) RETURNS integer
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
CREATE OR REPLACE FUNCTION crossbridge.rollup_versions(s crossbridge.segments, cells crossbridge.test_cell[])
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    key integer := crossbridge.version_key(r) FROM crossbridge.runs AS r WHERE r.run_id = s.run_id;
BEGIN
    IF key IS NULL THEN
        RETURN;
    END IF;
    INSERT INTO crossbridge.rollup_test_version AS r
    SELECT key, c.day, c.test_key, c.n, c.passed, c.failed, c.error, c.passed_us
      FROM unnest(cells) AS c
     ORDER BY c.day, c.test_key
    ON CONFLICT (version_key, day, test_key) DO UPDATE SET
        n = r.n + excluded.n, passed = r.passed + excluded.passed, failed = r.failed + excluded.failed,
        error = r.error + excluded.error, passed_us = r.passed_us + excluded.passed_us;
END $$;

-- The version of a run became known when some of its tests were stored: they are added now.
CREATE OR REPLACE FUNCTION crossbridge.add_run_to_version() RETURNS trigger
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
DROP TRIGGER IF EXISTS add_run_to_version ON crossbridge.runs;
CREATE TRIGGER add_run_to_version AFTER UPDATE OF app_version ON crossbridge.runs
    FOR EACH ROW WHEN (OLD.app_version IS NULL AND NEW.app_version IS NOT NULL)
    EXECUTE FUNCTION crossbridge.add_run_to_version();
