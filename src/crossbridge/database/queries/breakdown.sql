-- phases --
-- What the attempts took, and what of it was set-up and tear-down.
SELECT count(*) AS attempts,
       coalesce(sum(duration_us), 0)::bigint AS total_us,
       coalesce(sum(least(coalesce(setup_us, 0), duration_us)), 0)::bigint AS setup_us,
       coalesce(sum(least(coalesce(teardown_us, 0), duration_us)), 0)::bigint AS teardown_us
  FROM crossbridge.tests
 WHERE created_at BETWEEN %(since)s AND coalesce(%(until)s::timestamptz, 'infinity')
   AND (%(run_id)s::uuid IS NULL OR run_id = %(run_id)s)
   AND (%(framework)s::text IS NULL OR framework = %(framework)s)
   AND (%(environment)s::text IS NULL AND %(branch)s::text IS NULL
        OR run_id IN (SELECT run_id FROM crossbridge.runs
                       WHERE (%(environment)s::text IS NULL OR environment = %(environment)s)
                         AND (%(branch)s::text IS NULL OR git_branch = %(branch)s)));

-- activities --
-- What the attempts spent their time with. Each moment of an attempt counts once: as HTTP when a call was under way,
-- otherwise as driver when a command was, otherwise as step when a step was. Each of the three lines below adds a kind
-- to the ones before it and measures what of the attempts they cover together (each interval adds what it reaches
-- beyond the furthest end so far); the differences are the answer.
WITH parts AS (
    SELECT 1 AS rank, run_id, framework, test_id, coalesce(attempt, 1) AS attempt, started_at, created_at
      FROM crossbridge.http_calls
     WHERE created_at BETWEEN %(since)s AND coalesce(%(until)s::timestamptz, 'infinity') AND test_id IS NOT NULL
       AND (%(run_id)s::uuid IS NULL OR run_id = %(run_id)s)
       AND (%(framework)s::text IS NULL OR framework = %(framework)s)
     UNION ALL
    SELECT 2, run_id, framework, test_id, coalesce(attempt, 1), started_at, created_at
      FROM crossbridge.driver_commands
     WHERE created_at BETWEEN %(since)s AND coalesce(%(until)s::timestamptz, 'infinity') AND test_id IS NOT NULL
       AND (%(run_id)s::uuid IS NULL OR run_id = %(run_id)s)
       AND (%(framework)s::text IS NULL OR framework = %(framework)s)
     UNION ALL
    SELECT 3, run_id, framework, test_id, attempt, started_at, created_at
      FROM crossbridge.steps
     WHERE created_at BETWEEN %(since)s AND coalesce(%(until)s::timestamptz, 'infinity') AND depth = 0
       AND (%(run_id)s::uuid IS NULL OR run_id = %(run_id)s)
       AND (%(framework)s::text IS NULL OR framework = %(framework)s)
), reached AS (
    SELECT upto.rank, p.started_at, p.created_at,
           max(p.created_at) OVER (PARTITION BY upto.rank, p.run_id, p.framework, p.test_id, p.attempt
                                       ORDER BY p.started_at, p.created_at
                                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS so_far
      FROM parts AS p
      JOIN generate_series(1, 3) AS upto(rank) ON p.rank <= upto.rank
     WHERE %(environment)s::text IS NULL AND %(branch)s::text IS NULL
        OR p.run_id IN (SELECT run_id FROM crossbridge.runs
                         WHERE (%(environment)s::text IS NULL OR environment = %(environment)s)
                           AND (%(branch)s::text IS NULL OR git_branch = %(branch)s))
), covered AS (
    SELECT rank,
           sum(extract(epoch FROM greatest(created_at - greatest(started_at, coalesce(so_far, started_at)), '0'))
               * 1000000)::bigint AS us
      FROM reached
     GROUP BY rank
)
SELECT coalesce(max(us) FILTER (WHERE rank = 1), 0) AS http_us,
       coalesce(max(us) FILTER (WHERE rank = 2), 0) - coalesce(max(us) FILTER (WHERE rank = 1), 0) AS driver_us,
       coalesce(max(us) FILTER (WHERE rank = 3), 0) - coalesce(max(us) FILTER (WHERE rank = 2), 0) AS step_us
  FROM covered;

-- part_ranks --
-- Of each kind (outermost steps, HTTP endpoints, driver commands) the names that took most time together. An HTTP call
-- failed when no answer came, or one with a status of 400 and above.
WITH parts AS (
    SELECT 'step' AS kind, run_id, framework, step_name AS name, status = 'failed' AS failed, duration_us
      FROM crossbridge.steps
     WHERE created_at BETWEEN %(since)s AND coalesce(%(until)s::timestamptz, 'infinity') AND depth = 0
       AND (%(run_id)s::uuid IS NULL OR run_id = %(run_id)s)
     UNION ALL
    SELECT 'http', run_id, framework, method || ' ' || endpoint,
           error IS NOT NULL OR coalesce(status_code >= 400, true), duration_us
      FROM crossbridge.http_calls
     WHERE created_at BETWEEN %(since)s AND coalesce(%(until)s::timestamptz, 'infinity')
       AND (%(run_id)s::uuid IS NULL OR run_id = %(run_id)s)
     UNION ALL
    SELECT 'driver', run_id, framework, command, error IS NOT NULL, duration_us
      FROM crossbridge.driver_commands
     WHERE created_at BETWEEN %(since)s AND coalesce(%(until)s::timestamptz, 'infinity')
       AND (%(run_id)s::uuid IS NULL OR run_id = %(run_id)s)
), named AS (
    SELECT kind, framework, name,
           count(*) AS calls,
           count(*) FILTER (WHERE failed) AS failed,
           sum(duration_us)::bigint AS total_us,
           avg(duration_us)::float8 AS average_us,
           percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_us) AS p95_us,
           max(duration_us) AS max_us
      FROM parts
     WHERE (%(framework)s::text IS NULL OR framework = %(framework)s)
       AND (%(environment)s::text IS NULL AND %(branch)s::text IS NULL
            OR run_id IN (SELECT run_id FROM crossbridge.runs
                           WHERE (%(environment)s::text IS NULL OR environment = %(environment)s)
                             AND (%(branch)s::text IS NULL OR git_branch = %(branch)s)))
     GROUP BY kind, framework, name
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY kind ORDER BY total_us DESC, framework, name) AS place FROM named
)
SELECT kind, framework, name, calls, failed, total_us, average_us, p95_us, max_us
  FROM ranked
 WHERE place <= %(limit)s
 ORDER BY kind, place;

-- newest_attempts --
-- Since when, by the whole hour, a window holds at most so many attempts, its newest hour in any case; null when all
-- of it does.
WITH hours AS (
    SELECT hour, sum(sum(n)) OVER (ORDER BY hour DESC) AS so_far
      FROM crossbridge.rollup_hour
     WHERE hour >= date_trunc('hour', %(since)s)
       AND (%(environment)s::text IS NULL OR environment = %(environment)s)
       AND (%(branch)s::text IS NULL OR git_branch = %(branch)s)
       AND (%(framework)s::text IS NULL OR framework = %(framework)s)
     GROUP BY hour
)
SELECT CASE WHEN max(so_far) > %(most)s
            THEN coalesce(min(hour) FILTER (WHERE so_far <= %(most)s), max(hour)) END AS since
  FROM hours;
