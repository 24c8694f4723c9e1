-- What the variables of a dashboard choose: see the type crossbridge.scope.

-- Grafana's time range includes its end; a variable's All is NULL, alone or in an array. A run narrows the window to its own.
CREATE OR REPLACE FUNCTION crossbridge.panel_scope(
    since timestamptz, until timestamptz, environments text[], branches text[], frameworks text[], test_id text, run_id text)
RETURNS crossbridge.scope
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    s crossbridge.scope;
    began timestamptz;
    ended timestamptz;
BEGIN
    s.since := since;
    s.until := until + interval '1 microsecond';
    s.environments := CASE WHEN array_position(environments, NULL) IS NULL THEN nullif(environments, '{}') END;
    s.branches := CASE WHEN array_position(branches, NULL) IS NULL THEN nullif(branches, '{}') END;
    s.frameworks := CASE WHEN array_position(frameworks, NULL) IS NULL THEN nullif(frameworks, '{}') END;
    s.test_id := test_id;
    s.run_id := run_id::uuid;
    IF s.run_id IS NOT NULL THEN
        SELECT least(u.started_at, min(r.hour)), greatest(u.ended_at, max(r.hour) + interval '1 hour') INTO began, ended
          FROM crossbridge.runs AS u
          LEFT JOIN crossbridge.rollup_run_hour AS r USING (run_id)
         WHERE u.run_id = s.run_id
         GROUP BY u.run_id;
        s.since := greatest(s.since, coalesce(began, s.until));
        s.until := greatest(s.since, least(s.until, ended + interval '1 microsecond'));
    END IF;
    RETURN s;
END $$;

CREATE OR REPLACE FUNCTION crossbridge.ceiling_of(at timestamptz, unit text) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT date_trunc(unit, at + ('1 ' || unit)::interval - interval '1 microsecond', 'UTC') $$;

-- The hour of a moment in a window of two days at most, its day in a longer one.
CREATE OR REPLACE FUNCTION crossbridge.bucket_of(s crossbridge.scope, at timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT date_trunc(CASE WHEN (s).until - (s).since > interval '2 days 1 second' THEN 'day' ELSE 'hour' END, at, 'UTC') $$;

-- The midnight that is nearest to a moment; the next one when nothing happened from then on till it.
CREATE OR REPLACE FUNCTION crossbridge.nearest_day(at timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE
AS $$
    SELECT CASE WHEN EXISTS (SELECT FROM crossbridge.tests AS t
                              WHERE t.created_at >= at AND t.created_at < date_trunc('day', at, 'UTC') + interval '1 day')
                THEN date_trunc('day', at + interval '12 hours', 'UTC')
                ELSE date_trunc('day', at, 'UTC') + interval '1 day' END
$$;

-- Runs in the chosen environments and branches.
CREATE OR REPLACE FUNCTION crossbridge.chosen_runs(s crossbridge.scope) RETURNS SETOF crossbridge.runs
LANGUAGE sql STABLE
AS $$
    SELECT r.*
      FROM crossbridge.runs AS r
     WHERE ((s).run_id IS NULL OR r.run_id = (s).run_id)
       AND ((s).environments IS NULL OR r.environment = ANY ((s).environments))
       AND ((s).branches IS NULL OR r.git_branch = ANY ((s).branches))
$$;

-- Those of them that began in the window and had a chosen framework.
CREATE OR REPLACE FUNCTION crossbridge.begun_runs(s crossbridge.scope) RETURNS SETOF crossbridge.runs
LANGUAGE sql STABLE
AS $$
    SELECT r.*
      FROM crossbridge.chosen_runs(s) AS r
     WHERE r.started_at >= (s).since AND r.started_at < (s).until
       AND ((s).frameworks IS NULL OR string_to_array(r.framework, ',') && (s).frameworks)
$$;

-- Attempts between two moments of those the variables choose.
CREATE OR REPLACE FUNCTION crossbridge.chosen_tests(s crossbridge.scope, since timestamptz, until timestamptz)
RETURNS SETOF crossbridge.tests
LANGUAGE sql STABLE
AS $$
    SELECT t.*
      FROM crossbridge.tests AS t
     WHERE t.created_at >= since AND t.created_at < until
       AND ((s).frameworks IS NULL OR t.framework = ANY ((s).frameworks))
       AND ((s).test_id IS NULL OR t.test_id = (s).test_id)
       AND ((s).run_id IS NULL OR t.run_id = (s).run_id)
       AND ((s).environments IS NULL AND (s).branches IS NULL
            OR t.run_id IN (SELECT r.run_id FROM crossbridge.chosen_runs(s) AS r))
$$;

-- Attempts of the window before one moment, and from another one on: what rollups of whole hours or days leave out.
CREATE OR REPLACE FUNCTION crossbridge.edge_tests(s crossbridge.scope, before timestamptz, since timestamptz)
RETURNS SETOF crossbridge.tests
LANGUAGE sql STABLE
AS $$
    SELECT * FROM crossbridge.chosen_tests(s, (s).since, before)
     UNION ALL
    SELECT * FROM crossbridge.chosen_tests(s, since, (s).until)
$$;

-- Runs of the chosen branches that the days of branches do not count, with rows between two moments. They are few.
CREATE OR REPLACE FUNCTION crossbridge.unrolled_runs(s crossbridge.scope, since timestamptz, until timestamptz)
RETURNS TABLE (run_id uuid, began timestamptz, ended timestamptz)
LANGUAGE sql STABLE
AS $$
    SELECT r.run_id, greatest(min(x.started_at), since), least(max(greatest(x.last_at, x.closed_at)), until)
      FROM crossbridge.chosen_runs(s) AS r
      JOIN crossbridge.segments AS x USING (run_id)
     WHERE (s).branches IS NOT NULL AND NOT r.rolled_branch AND since < until
     GROUP BY 1
    HAVING max(greatest(x.last_at, x.closed_at)) >= since AND min(x.started_at) < until
$$;

-- Attempts between two moments in those runs.
CREATE OR REPLACE FUNCTION crossbridge.unrolled_tests(s crossbridge.scope, since timestamptz, until timestamptz)
RETURNS SETOF crossbridge.tests
LANGUAGE sql STABLE
AS $$
    SELECT t.*
      FROM crossbridge.unrolled_runs(s, since, until) AS u
      JOIN crossbridge.tests AS t USING (run_id)
     WHERE t.created_at >= since AND t.created_at < until
$$;

-- Calls of a kind, http or driver, between two moments of those the variables choose.
CREATE OR REPLACE FUNCTION crossbridge.chosen_calls(s crossbridge.scope, kind text, since timestamptz, until timestamptz)
RETURNS TABLE (name text, method text, failed boolean, retries integer, duration_us bigint)
LANGUAGE sql STABLE
AS $$
    SELECT c.name, c.method, c.failed, c.retries, c.duration_us
      FROM (SELECT h.created_at, h.run_id, h.test_id, h.framework, left(h.endpoint, 300) AS name, left(h.method, 20) AS method,
                   crossbridge.http_failed(h.status_code, h.error) AS failed, 0 AS retries, h.duration_us
              FROM crossbridge.http_calls AS h
             WHERE kind = 'http'
             UNION ALL
            SELECT d.created_at, d.run_id, d.test_id, d.framework, left(d.command, 300), '', d.error IS NOT NULL, d.retry_count,
                   d.duration_us
              FROM crossbridge.driver_commands AS d
             WHERE kind = 'driver') AS c
     WHERE c.created_at >= since AND c.created_at < until
       AND ((s).frameworks IS NULL OR c.framework = ANY ((s).frameworks))
       AND ((s).test_id IS NULL OR c.test_id = (s).test_id)
       AND ((s).run_id IS NULL OR c.run_id = (s).run_id)
       AND ((s).environments IS NULL AND (s).branches IS NULL
            OR c.run_id IN (SELECT r.run_id FROM crossbridge.chosen_runs(s) AS r))
$$;

-- No index leads from a run to its calls; OFFSET 0 keeps the planner from reading all of them for those of some runs.
CREATE OR REPLACE FUNCTION crossbridge.unrolled_calls(s crossbridge.scope, kind text, since timestamptz, until timestamptz)
RETURNS TABLE (name text, method text, failed boolean, retries integer, duration_us bigint)
LANGUAGE sql STABLE
AS $$
    SELECT c.name, c.method, c.failed, c.retries, c.duration_us
      FROM crossbridge.unrolled_runs(s, since, until) AS u
     CROSS JOIN LATERAL (
         SELECT left(h.endpoint, 300) AS name, left(h.method, 20) AS method,
                crossbridge.http_failed(h.status_code, h.error) AS failed, 0 AS retries, h.duration_us
           FROM crossbridge.http_calls AS h
          WHERE kind = 'http' AND h.run_id = u.run_id AND h.created_at BETWEEN u.began AND u.ended AND h.created_at < until
          UNION ALL
         SELECT left(d.command, 300), '', d.error IS NOT NULL, d.retry_count, d.duration_us
           FROM crossbridge.driver_commands AS d
          WHERE kind = 'driver' AND d.run_id = u.run_id AND d.created_at BETWEEN u.began AND u.ended AND d.created_at < until
         OFFSET 0) AS c
$$;
