-- What ingest adds to the rollups for one batch. Rows are added in the order of their keys, see 0007_ingest.sql.

-- Keys for the tests of a batch that have none yet. Only those: ON CONFLICT alone would burn a key a row.
CREATE FUNCTION crossbridge.assign_test_keys(events jsonb, default_framework text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO crossbridge.test_dim (test_id, framework)
    SELECT DISTINCT e.test_id, coalesce(e.framework, default_framework)
      FROM jsonb_to_recordset(events) AS e(type text, test_id text, framework text)
     WHERE e.type IN ('test_end', 'step_end')
       AND NOT EXISTS (SELECT FROM crossbridge.test_dim AS d
                        WHERE d.test_id = e.test_id AND d.framework = coalesce(e.framework, default_framework))
     ORDER BY 1, 2
    ON CONFLICT DO NOTHING;
END $$;

CREATE FUNCTION crossbridge.rollup_tests(events jsonb, default_framework text, run_environment text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO crossbridge.rollup_test_day AS r
    SELECT env.environment, d.*
      FROM (SELECT (to_timestamp(e.at_us / 86400000000 * 86400) AT TIME ZONE 'UTC')::date AS day, d.test_key, count(*),
                   count(*) FILTER (WHERE e.status = 'passed'), count(*) FILTER (WHERE e.status = 'failed'),
                   count(*) FILTER (WHERE e.status = 'error'), count(*) FILTER (WHERE e.status = 'skipped'),
                   count(*) FILTER (WHERE e.status = 'xfailed'), count(*) FILTER (WHERE e.status = 'xpassed'),
                   count(*) FILTER (WHERE e.status = 'interrupted'), sum(e.duration_us), min(e.duration_us), max(e.duration_us)
              FROM jsonb_to_recordset(events) AS e(
                       type text, test_id text, framework text, at_us bigint, status text, duration_us bigint)
              JOIN crossbridge.test_dim AS d
                ON d.test_id = e.test_id AND d.framework = coalesce(e.framework, default_framework)
             WHERE e.type = 'test_end'
             GROUP BY 1, 2) AS d
     CROSS JOIN (SELECT '*' UNION SELECT run_environment) AS env(environment)
     ORDER BY env.environment, d.day, d.test_key
    ON CONFLICT (environment, day, test_key) DO UPDATE SET
        n = r.n + excluded.n, passed = r.passed + excluded.passed, failed = r.failed + excluded.failed,
        error = r.error + excluded.error, skipped = r.skipped + excluded.skipped, xfailed = r.xfailed + excluded.xfailed,
        xpassed = r.xpassed + excluded.xpassed, interrupted = r.interrupted + excluded.interrupted,
        sum_us = r.sum_us + excluded.sum_us, min_us = least(r.min_us, excluded.min_us),
        max_us = greatest(r.max_us, excluded.max_us);
END $$;

CREATE FUNCTION crossbridge.rollup_steps(events jsonb, default_framework text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO crossbridge.rollup_step_day AS r
    SELECT d.test_key, (to_timestamp(e.at_us / 86400000000 * 86400) AT TIME ZONE 'UTC')::date, e.step_name, count(*),
           count(*) FILTER (WHERE e.status = 'failed'), sum(e.duration_us), min(e.duration_us), max(e.duration_us)
      FROM jsonb_to_recordset(events) AS e(
               type text, test_id text, framework text, at_us bigint, step_name text, status text, duration_us bigint)
      JOIN crossbridge.test_dim AS d
        ON d.test_id = e.test_id AND d.framework = coalesce(e.framework, default_framework)
     WHERE e.type = 'step_end'
     GROUP BY 1, 2, 3
     ORDER BY 1, 2, 3
    ON CONFLICT (test_key, day, step_name) DO UPDATE SET
        n = r.n + excluded.n, failed = r.failed + excluded.failed, sum_us = r.sum_us + excluded.sum_us,
        min_us = least(r.min_us, excluded.min_us), max_us = greatest(r.max_us, excluded.max_us);
END $$;

CREATE FUNCTION crossbridge.rollup_series(
    events jsonb, default_framework text, run_environment text, run_branch text, run_slot smallint) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO crossbridge.rollup_hour AS r
    SELECT to_timestamp(e.at_us / 3600000000 * 3600), coalesce(e.framework, default_framework),
           run_environment, run_branch, run_slot,
           count(*),
           count(*) FILTER (WHERE e.status = 'passed'), count(*) FILTER (WHERE e.status = 'failed'),
           count(*) FILTER (WHERE e.status = 'error'), count(*) FILTER (WHERE e.status = 'skipped'),
           count(*) FILTER (WHERE e.status = 'xfailed'), count(*) FILTER (WHERE e.status = 'xpassed'),
           count(*) FILTER (WHERE e.status = 'interrupted'), sum(e.duration_us), min(e.duration_us), max(e.duration_us)
      FROM jsonb_to_recordset(events) AS e(type text, framework text, at_us bigint, status text, duration_us bigint)
     WHERE e.type = 'test_end'
     GROUP BY 1, 2
     ORDER BY 1, 2
    ON CONFLICT (hour, framework, environment, git_branch, slot) DO UPDATE SET
        n = r.n + excluded.n, passed = r.passed + excluded.passed, failed = r.failed + excluded.failed,
        error = r.error + excluded.error, skipped = r.skipped + excluded.skipped, xfailed = r.xfailed + excluded.xfailed,
        xpassed = r.xpassed + excluded.xpassed, interrupted = r.interrupted + excluded.interrupted,
        sum_us = r.sum_us + excluded.sum_us, min_us = least(r.min_us, excluded.min_us),
        max_us = greatest(r.max_us, excluded.max_us);

    INSERT INTO crossbridge.hist_hour AS r
    SELECT x.hour, x.framework, run_environment, run_branch, run_slot, (x.hist).lo, (x.hist).cnt
      FROM (SELECT to_timestamp(e.at_us / 3600000000 * 3600) AS hour, coalesce(e.framework, default_framework) AS framework,
                   crossbridge.hist_of(array_agg(crossbridge.hist_bin(e.duration_us))) AS hist
              FROM jsonb_to_recordset(events) AS e(type text, framework text, at_us bigint, duration_us bigint)
             WHERE e.type = 'test_end'
             GROUP BY 1, 2) AS x
     ORDER BY 1, 2
    ON CONFLICT (hour, framework, environment, git_branch, slot) DO UPDATE SET
        (lo, cnt) = (SELECT h.lo, h.cnt FROM crossbridge.hist_add(r.lo, r.cnt, excluded.lo, excluded.cnt) AS h);

    INSERT INTO crossbridge.hist_day AS r
    SELECT x.day, x.framework, run_environment, run_slot, (x.hist).lo, (x.hist).cnt
      FROM (SELECT (to_timestamp(e.at_us / 86400000000 * 86400) AT TIME ZONE 'UTC')::date AS day,
                   coalesce(e.framework, default_framework) AS framework,
                   crossbridge.hist_of(array_agg(crossbridge.hist_bin(e.duration_us))) AS hist
              FROM jsonb_to_recordset(events) AS e(type text, framework text, at_us bigint, duration_us bigint)
             WHERE e.type = 'test_end'
             GROUP BY 1, 2) AS x
     ORDER BY 1, 2
    ON CONFLICT (day, framework, environment, slot) DO UPDATE SET
        (lo, cnt) = (SELECT h.lo, h.cnt FROM crossbridge.hist_add(r.lo, r.cnt, excluded.lo, excluded.cnt) AS h);
END $$;
