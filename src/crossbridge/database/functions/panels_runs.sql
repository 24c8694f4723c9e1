-- Panels on runs, and on what they have in common; how they are made, see panels.sql.

-- Runs that began in the window, with what the variables choose in them.
CREATE OR REPLACE FUNCTION crossbridge.panel_runs(s crossbridge.scope) RETURNS SETOF crossbridge.runs
LANGUAGE plpgsql STABLE
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
BEGIN
    RETURN QUERY
    SELECT * FROM crossbridge.begun_runs(s);
END $$;

-- Runs of a status that began in the window, the latest first; with what runs in them now.
CREATE OR REPLACE FUNCTION crossbridge.panel_runs_of(s crossbridge.scope, status text)
RETURNS TABLE (run_id uuid, started_at timestamptz, ended_at timestamptz, environment text, git_branch text, framework text,
               tests bigint, failed bigint, interrupted bigint, in_flight bigint, longest_test text, longest_since timestamptz)
LANGUAGE plpgsql STABLE
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT r.run_id, r.started_at, r.ended_at, r.environment, r.git_branch, r.framework, r.tests, r.failed + r.error,
           r.interrupted, f.tests, f.longest, f.since
      FROM crossbridge.panel_runs(s) AS r
     CROSS JOIN LATERAL (SELECT count(*) AS tests, min(x.started_at) AS since,
                                (array_agg(x.test_id ORDER BY x.started_at, x.test_id))[1] AS longest
                           FROM crossbridge.in_flight AS x WHERE x.run_id = r.run_id) AS f
     WHERE r.status = panel_runs_of.status
     ORDER BY r.started_at DESC, r.run_id
     LIMIT 50;
END $$;

-- What became of the events of these runs, by the hour or day in which the runs began.
CREATE OR REPLACE FUNCTION crossbridge.panel_health(s crossbridge.scope)
RETURNS TABLE ("time" timestamptz, written bigint, spooled bigint, dropped bigint)
LANGUAGE plpgsql STABLE
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    unit CONSTANT text := CASE WHEN s.until - s.since > interval '7 days 1 second' THEN 'day' ELSE 'hour' END;
BEGIN
    RETURN QUERY
    SELECT date_trunc(unit, r.started_at, 'UTC'), sum(r.events_written)::bigint, sum(r.events_spooled)::bigint,
           sum(r.events_dropped)::bigint
      FROM crossbridge.begun_runs(s) AS r
     GROUP BY 1;
END $$;

-- Attempts by what their runs have in common: app_version, git_commit, git_branch or environment.
CREATE OR REPLACE FUNCTION crossbridge.panel_groups(s crossbridge.scope, attribute text)
RETURNS TABLE (name text, runs bigint, n bigint, passed bigint, failed bigint, sum_us bigint, max_us bigint,
               first_at timestamptz, last_at timestamptz)
LANGUAGE plpgsql STABLE
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    first_hour timestamptz := least(crossbridge.ceiling_of(s.since, 'hour'), s.until);
    rows_from timestamptz := greatest(first_hour, date_trunc('hour', s.until, 'UTC'));
BEGIN
    IF s.test_id IS NOT NULL THEN
        first_hour := s.until;
        rows_from := s.until;
    END IF;
    RETURN QUERY
    SELECT coalesce(nullif(CASE attribute WHEN 'app_version' THEN r.app_version WHEN 'git_commit' THEN r.git_commit
                                          WHEN 'git_branch' THEN r.git_branch WHEN 'environment' THEN r.environment END, ''),
                    'not told'),
           count(*), sum(p.n)::bigint, sum(p.passed)::bigint, sum(p.failed)::bigint, sum(p.sum_us)::bigint, max(p.max_us),
           min(r.started_at), max(r.started_at)
      FROM (SELECT x.run_id, sum(x.n) AS n, sum(x.passed) AS passed, sum(x.failed) AS failed, sum(x.sum_us) AS sum_us,
                   max(x.max_us) AS max_us
              FROM (SELECT r.run_id, r.n, r.passed, r.failed + r.error AS failed, r.sum_us, r.max_us
                      FROM crossbridge.rollup_run_hour AS r
                     WHERE r.hour >= first_hour AND r.hour < rows_from
                       AND (s.frameworks IS NULL OR r.framework = ANY (s.frameworks))
                       AND (s.run_id IS NULL OR r.run_id = s.run_id)
                     UNION ALL
                    SELECT t.run_id, 1, (t.status = 'passed')::integer, (t.status IN ('failed', 'error'))::integer,
                           t.duration_us, t.duration_us
                      FROM crossbridge.edge_tests(s, first_hour, rows_from) AS t) AS x
             GROUP BY 1) AS p
      JOIN crossbridge.chosen_runs(s) AS r USING (run_id)
     GROUP BY 1;
END $$;

-- Versions of the application that ran in the window, the latest first.
CREATE OR REPLACE FUNCTION crossbridge.panel_versions(s crossbridge.scope)
RETURNS TABLE (app_version text, number bigint, first_at timestamptz, last_at timestamptz)
LANGUAGE plpgsql STABLE
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT r.app_version, row_number() OVER (ORDER BY max(r.started_at) DESC, r.app_version), min(r.started_at),
           max(r.started_at)
      FROM crossbridge.begun_runs(s) AS r
     WHERE r.app_version IS NOT NULL
     GROUP BY 1;
END $$;

-- What each test did in two versions, whenever that was; durations are those of passed attempts, null when none passed.
CREATE OR REPLACE FUNCTION crossbridge.panel_compare(s crossbridge.scope, base text, head text)
RETURNS TABLE (framework text, test_id text, base_n bigint, head_n bigint, base_failed bigint, head_failed bigint,
               base_us double precision, head_us double precision)
LANGUAGE plpgsql STABLE
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT d.framework, d.test_id, x.base_n, x.head_n, x.base_failed, x.head_failed, x.base_us, x.head_us
      FROM (SELECT r.test_key,
                   coalesce(sum(r.n) FILTER (WHERE v.app_version = left(base, 200)), 0)::bigint AS base_n,
                   coalesce(sum(r.n) FILTER (WHERE v.app_version = left(head, 200)), 0)::bigint AS head_n,
                   coalesce(sum(r.failed + r.error) FILTER (WHERE v.app_version = left(base, 200)), 0)::bigint AS base_failed,
                   coalesce(sum(r.failed + r.error) FILTER (WHERE v.app_version = left(head, 200)), 0)::bigint AS head_failed,
                   (sum(r.passed_us) FILTER (WHERE v.app_version = left(base, 200))
                    / nullif(sum(r.passed) FILTER (WHERE v.app_version = left(base, 200)), 0))::float8 AS base_us,
                   (sum(r.passed_us) FILTER (WHERE v.app_version = left(head, 200))
                    / nullif(sum(r.passed) FILTER (WHERE v.app_version = left(head, 200)), 0))::float8 AS head_us
              FROM crossbridge.version_dim AS v
              JOIN crossbridge.rollup_test_version AS r USING (version_key)
             WHERE v.app_version IN (left(base, 200), left(head, 200))
               AND (s.environments IS NULL OR v.environment = ANY (s.environments))
               AND (s.branches IS NULL OR v.git_branch = ANY (s.branches))
             GROUP BY 1) AS x
      JOIN crossbridge.test_dim AS d USING (test_key)
     WHERE (s.frameworks IS NULL OR d.framework = ANY (s.frameworks))
       AND (s.test_id IS NULL OR d.test_id = s.test_id);
END $$;

-- Runs to choose from, in words.
CREATE OR REPLACE VIEW crossbridge.run_choices AS
SELECT r.run_id, r.started_at,
       to_char(r.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' ' || r.status || ' '
       || concat_ws(' ', r.git_branch, left(r.git_commit, 8), r.framework) AS label
  FROM crossbridge.runs AS r;
