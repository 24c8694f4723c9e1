-- Made-up test results, the same for the same seed. Everything random is a hash of what it belongs to.
CREATE SCHEMA bench;

-- A number in [0, 1) that belongs to n.
CREATE FUNCTION bench.u(n bigint, salt bigint) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT (hashint8extended(n, salt) & 9007199254740991) / 9007199254740992.0::double precision $$;

-- A normally distributed one (Box and Muller 1958).
CREATE FUNCTION bench.normal(n bigint, salt bigint) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT sqrt(-2 * ln(1 - bench.u(n, salt))) * cos(2 * pi() * bench.u(n, salt + 1)) $$;

CREATE TABLE bench.frameworks AS
SELECT * FROM (VALUES
    (0, 'pytest',     1500, '.py',       20000,   1.3, false, false),
    (1, 'junit',      1000, '.java',     30000,   1.2, false, false),
    (2, 'playwright',  600, '.spec.ts',  3000000, 0.8, true,  false),
    (3, 'robot',       500, '.robot',    2000000, 0.9, true,  true),
    (4, 'cypress',     400, '.cy.ts',    2500000, 0.8, true,  false),
    (5, 'testng',      400, '.java',     150000,  1.2, false, false),
    (6, 'nunit',       350, '.cs',       80000,   1.1, false, false),
    (7, 'behave',      250, '.feature',  1500000, 0.9, true,  true)
) AS f(fw, framework, tests, ending, median_us, sigma, has_steps, has_driver);

-- 5,000 tests. Of a hundred: two are flaky, two always skipped, one fails as expected, three come and two go on the way,
-- and four take another time from some day on.
CREATE TABLE bench.tests AS
SELECT t.n, f.fw, f.framework, f.has_steps, f.has_driver,
       format('tests/area%s/test_%s%s::case_%s', t.n % 12, lpad((t.n / 20)::text, 3, '0'), f.ending, lpad(t.n::text, 4, '0'))
           AS test_id,
       format('area%s', t.n % 12) AS suite,
       format('tests/area%s/test_%s%s', t.n % 12, lpad((t.n / 20)::text, 3, '0'), f.ending) AS file,
       f.median_us * exp(f.sigma * bench.normal(t.n, 101)) AS base_us,
       0.05 + 0.3 * bench.u(t.n, 103) AS spread,
       CASE WHEN bench.u(t.n, 104) < 0.02 THEN 0.03 + 0.2 * bench.u(t.n, 105) ELSE 0 END AS flake_rate,
       bench.u(t.n, 106) < 0.02 AS skipped,
       bench.u(t.n, 107) < 0.01 AS xfail,
       CASE WHEN bench.u(t.n, 108) < 0.03 THEN bench.u(t.n, 109) ELSE 0 END AS born,     -- parts of the whole time
       CASE WHEN bench.u(t.n, 110) < 0.02 THEN bench.u(t.n, 111) ELSE 1 END AS gone,
       CASE WHEN bench.u(t.n, 112) < 0.04 THEN bench.u(t.n, 113) ELSE 1 END AS shifted,
       (ARRAY[0.7, 1.1, 1.2, 1.5, 2.0])[1 + t.n % 5] AS shift,
       1 + (t.n * 7) % 5 AS steps
  FROM generate_series(0, 4999) AS t(n)
  JOIN LATERAL (SELECT x.*, sum(x.tests) OVER (ORDER BY x.fw) AS upto FROM bench.frameworks AS x) AS f
    ON t.n < f.upto AND t.n >= f.upto - f.tests;
ALTER TABLE bench.tests ADD PRIMARY KEY (n);

-- Runs of one framework each, all of its tests; one in twenty is a nightly one of everything.
CREATE TABLE bench.runs (
    n bigint PRIMARY KEY, run_id uuid, at double precision, started_at timestamptz, fw integer, environment text,
    git_branch text, commit_number bigint, git_commit text, app_version text, workers integer, attempts integer,
    slow double precision, fail_rate double precision);

CREATE FUNCTION bench.make_runs(wanted bigint, days integer, ends timestamptz, seed bigint) RETURNS bigint
LANGUAGE plpgsql
AS $$
BEGIN
    CREATE TEMP TABLE sized AS
    SELECT x.n, x.fw, row_number() OVER (ORDER BY x.n) AS place
      FROM (SELECT r.n, r.fw, sum(coalesce(f.tests, 5000)) OVER (ORDER BY r.n) - coalesce(f.tests, 5000) AS before
              FROM (SELECT g.n, CASE WHEN bench.u(g.n, seed) < 0.05 THEN -1 ELSE (bench.u(g.n, seed + 1) * 8)::integer % 8 END AS fw
                      FROM generate_series(seed * 1000000, seed * 1000000 + wanted / 250) AS g(n)) AS r
              LEFT JOIN bench.frameworks AS f USING (fw)) AS x
     WHERE x.before < wanted;

    INSERT INTO bench.runs
    SELECT x.n, md5('run ' || x.n)::uuid, x.at, ends - make_interval(days => days) * (1 - x.at), x.fw, x.environment,
           x.branch, x.change, encode(sha256(convert_to('commit ' || x.change, 'UTF8')), 'hex')::char(40),
           format('%s.%s.%s', 3 + (x.at * days)::integer / 30, (x.at * days)::integer % 30 / 7, (x.at * days)::integer % 7),
           CASE WHEN x.fw < 0 THEN 8 ELSE 4 + (x.n % 3)::integer * 4 END, 1 + (x.n % 2)::integer * 2,
           exp(0.12 * bench.normal(x.n, 204)), CASE WHEN x.branch = 'main' THEN 0.006 ELSE 0.02 END
      FROM (SELECT y.*, y.branch_number * 100000 + floor(y.at * days * CASE WHEN y.branch_number = 0 THEN 4 ELSE 3 END)::bigint
                       AS change,
                   CASE WHEN y.branch_number = 0 THEN 'main' ELSE 'feature/' || y.branch_number END AS branch
              FROM (SELECT s.n, s.fw, (s.place - bench.u(s.n, 201)) / (SELECT count(*) FROM sized) AS at,
                           (ARRAY['ci', 'ci', 'ci', 'staging', 'production'])[1 + (bench.u(s.n, 202) * 5)::integer % 5]
                               AS environment,
                           CASE WHEN bench.u(s.n, 203) < 0.6 THEN 0
                                -- a branch lives for about a week, three at a time
                                ELSE 1 + (s.place * days / 7 / (SELECT count(*) FROM sized)) * 3 + s.n % 3 END AS branch_number
                      FROM sized AS s) AS y) AS x;
    DROP TABLE sized;
    RETURN (SELECT count(*) FROM bench.runs);
END $$;

-- The rows of the runs first to last (by their numbers), but nothing that would have happened after `ends`.
CREATE FUNCTION bench.make_rows(first bigint, last bigint, ends timestamptz) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    made bigint;
BEGIN
    CREATE TEMP TABLE attempts ON COMMIT DROP AS
    SELECT y.*, y.started_at + make_interval(secs => sum(y.duration_us + y.setup_us + y.teardown_us + 2000)
               OVER (PARTITION BY y.run, y.fw, y.worker ORDER BY y.n, y.attempt) / 1e6) AS ended_at
      FROM (SELECT x.*, x.duration_us / 20 AS setup_us, x.duration_us / 50 AS teardown_us
              FROM (SELECT r.n AS run, r.run_id, r.started_at, t.n, t.fw, t.framework, t.test_id, t.suite, t.file, t.has_steps,
                           t.has_driver, t.steps, a.attempt, p.pair * 4 + a.attempt AS one,
                           (CASE WHEN t.fw = 0 THEN 'gw' ELSE 'worker-' END) || (t.n % r.workers) AS worker,
                           CASE WHEN t.skipped THEN 'skipped'
                                WHEN t.xfail THEN CASE WHEN bench.u(p.pair, 301) < 0.1 THEN 'xpassed' ELSE 'xfailed' END
                                WHEN p.broken OR bench.u(p.pair * 4 + a.attempt, 302) < t.flake_rate
                                THEN CASE WHEN bench.u(p.pair, 303) < 0.15 THEN 'error' ELSE 'failed' END
                                ELSE 'passed' END AS status,
                           CASE WHEN t.skipped THEN 50 + t.n % 100 ELSE least(1200e6, greatest(20, t.base_us * r.slow
                               * exp(t.spread * bench.normal(p.pair * 4 + a.attempt, 304))
                               * CASE WHEN r.at > t.shifted THEN t.shift ELSE 1 END
                               * CASE r.environment WHEN 'staging' THEN 1.3 WHEN 'production' THEN 0.9 ELSE 1 END)) END::bigint
                               AS duration_us
                      FROM bench.runs AS r
                      JOIN bench.tests AS t ON (r.fw = -1 OR r.fw = t.fw) AND r.at >= t.born AND r.at <= t.gone
                     CROSS JOIN LATERAL (SELECT r.n * 5000 + t.n AS pair,
                                                bench.u(r.commit_number * 5000 + t.n, 305) < r.fail_rate AS broken) AS p
                     CROSS JOIN LATERAL generate_series(1, r.attempts) AS a(attempt)
                     WHERE r.n BETWEEN first AND last
                       AND (a.attempt = 1 OR NOT t.skipped AND NOT t.xfail AND (p.broken OR NOT EXISTS (
                               SELECT FROM generate_series(1, a.attempt - 1) AS e
                                WHERE bench.u(p.pair * 4 + e, 302) >= t.flake_rate)))) AS x) AS y;
    ANALYZE attempts;

    INSERT INTO crossbridge.tests (
        run_id, test_id, status, framework, created_at, duration_us, started_at, attempt, worker, suite, file, setup_us,
        teardown_us, error_type, error_message)
    SELECT run_id, test_id, status, framework, ended_at, duration_us, ended_at - make_interval(secs => duration_us / 1e6),
           attempt, worker, suite, file, setup_us, teardown_us,
           CASE status WHEN 'failed' THEN (ARRAY['AssertionError', 'TimeoutError', 'NoSuchElementException', 'ValueError'])[1 + n % 4]
                       WHEN 'error' THEN 'ConnectionError' END,
           CASE WHEN status IN ('failed', 'error') THEN 'expected 200, got 503: the answer of /api/orders/' || n || ' came late' END
      FROM attempts WHERE ended_at <= ends ORDER BY ended_at;
    GET DIAGNOSTICS made = ROW_COUNT;

    INSERT INTO crossbridge.steps (
        run_id, test_id, step_name, event_type, framework, created_at, duration_us, started_at, attempt, worker, step_index,
        depth, status)
    SELECT a.run_id, a.test_id,
           (ARRAY['open the page', 'log in', 'search', 'add to the basket', 'check out', 'see the receipt'])[1 + (a.n + s) % 6]
               || ' ' || (a.n + s) % 7,
           'step', a.framework, a.ended_at - make_interval(secs => a.duration_us / 1e6 * (1 - s::float8 / a.steps)),
           a.duration_us / a.steps, a.ended_at - make_interval(secs => a.duration_us / 1e6 * (1 - (s - 1)::float8 / a.steps)),
           a.attempt, a.worker, s - 1, 0, CASE WHEN s = a.steps AND a.status = 'failed' THEN 'failed' ELSE 'passed' END
      FROM attempts AS a CROSS JOIN generate_series(1, 5) AS s
     WHERE a.has_steps AND s <= a.steps AND a.status <> 'skipped' AND a.ended_at <= ends
     ORDER BY a.ended_at, s;

    INSERT INTO crossbridge.http_calls (
        run_id, test_id, endpoint, method, status_code, created_at, duration_us, started_at, attempt, framework, error)
    SELECT run_id, test_id, 'shop.test/api/' || (ARRAY['orders', 'users', 'items', 'baskets', 'search'])[1 + n % 5]
               || CASE WHEN n % 2 = 0 THEN '/{id}' ELSE '' END,
           (ARRAY['GET', 'GET', 'POST', 'DELETE'])[1 + n % 4], CASE WHEN status = 'failed' THEN 503 ELSE 200 END, ended_at,
           duration_us / 3, ended_at - make_interval(secs => duration_us / 3e6), attempt, framework, NULL
      FROM attempts WHERE fw = 0 AND n % 3 = 0 AND status <> 'skipped' AND ended_at <= ends ORDER BY ended_at;

    INSERT INTO crossbridge.driver_commands (
        run_id, test_id, command, target, retry_count, created_at, duration_us, started_at, attempt, framework, error)
    SELECT run_id, test_id, (ARRAY['click', 'findElement', 'sendKeysToElement', 'get', 'screenshot'])[1 + n % 5],
           'id=field' || n % 20, (CASE WHEN status = 'failed' THEN 3 ELSE 0 END), ended_at, duration_us / 5,
           ended_at - make_interval(secs => duration_us / 5e6), attempt, framework,
           CASE WHEN status = 'failed' AND n % 5 = 1 THEN 'NoSuchElementException' END
      FROM attempts WHERE has_driver AND n % 3 < 2 AND status <> 'skipped' AND ended_at <= ends ORDER BY ended_at;

    INSERT INTO crossbridge.system_metrics (run_id, test_id, cpu_percent, memory_mb, created_at)
    SELECT run_id, NULL, 20 + 70 * bench.u(run * 8 + s, 306), 300 + 900 * bench.u(run * 8 + s, 307),
           started_at + (least(ended_at, ends) - started_at) * s / 8
      FROM (SELECT run, run_id, started_at, max(ended_at) AS ended_at FROM attempts GROUP BY 1, 2, 3) AS r
     CROSS JOIN generate_series(1, 8) AS s;

    INSERT INTO crossbridge.segments (
        run_id, segment_id, writer, seq, parent, role, worker, framework, host, pid, os, runtime, sdk, delivered, events,
        collected, started_at, last_at, created_at, closed_at, status)
    SELECT run_id, md5(format('segment %s %s %s', run, fw, worker))::uuid, md5(format('segment %s %s %s', run, fw, worker))::uuid,
           0, NULL, 'main', worker, framework, 'runner-' || run % 30, 1000 + run % 9000, 'Linux 6.8', '3.12', 'bench',
           count(*) * 300, count(*), count(*), started_at, least(max(ended_at), ends), started_at,
           CASE WHEN max(ended_at) <= ends THEN max(ended_at) END,
           CASE WHEN max(ended_at) <= ends THEN CASE WHEN bool_or(status IN ('failed', 'error')) THEN 'failed' ELSE 'passed' END END
      FROM attempts GROUP BY run, run_id, fw, framework, worker, started_at;

    INSERT INTO crossbridge.in_flight (run_id, writer, test_id, attempt, framework, worker, suite, file, started_at)
    SELECT DISTINCT ON (run, fw, worker)
           run_id, md5(format('segment %s %s %s', run, fw, worker))::uuid, test_id, attempt, framework, worker, suite, file,
           least(ended_at - make_interval(secs => duration_us / 1e6), ends)
      FROM attempts WHERE ended_at > ends ORDER BY run, fw, worker, ended_at;

    INSERT INTO crossbridge.runs (
        run_id, started_at, environment, framework, created_at, ended_at, status, git_commit, git_branch, app_version,
        ci_provider, ci_url, hostname, os, runtime, labels, events_collected, events_written, tests, passed, failed, error,
        skipped, xfailed, xpassed, interrupted)
    SELECT r.run_id, r.started_at, r.environment, a.frameworks, r.started_at, CASE WHEN a.ended_at <= ends THEN a.ended_at END,
           CASE WHEN a.ended_at > ends THEN 'running' WHEN a.failed + a.error > 0 THEN 'failed' ELSE 'passed' END,
           r.git_commit, r.git_branch, r.app_version, 'github', 'https://ci.test/runs/' || r.n, 'runner-' || r.n % 30,
           'Linux 6.8', '3.12', '{}', a.n, a.n, a.n, a.passed, a.failed, a.error, a.skipped, a.xfailed, a.xpassed, 0
      FROM bench.runs AS r
      JOIN (SELECT run, max(ended_at) AS ended_at, string_agg(DISTINCT framework, ',' ORDER BY framework) AS frameworks,
                   count(*) FILTER (WHERE ended_at <= ends) AS n,
                   count(*) FILTER (WHERE status = 'passed' AND ended_at <= ends) AS passed,
                   count(*) FILTER (WHERE status = 'failed' AND ended_at <= ends) AS failed,
                   count(*) FILTER (WHERE status = 'error' AND ended_at <= ends) AS error,
                   count(*) FILTER (WHERE status = 'skipped' AND ended_at <= ends) AS skipped,
                   count(*) FILTER (WHERE status = 'xfailed' AND ended_at <= ends) AS xfailed,
                   count(*) FILTER (WHERE status = 'xpassed' AND ended_at <= ends) AS xpassed
              FROM attempts GROUP BY run) AS a ON a.run = r.n;
    RETURN made;
END $$;
