-- run_attempts --
-- The attempts of a run in the order in which they began; of too many, the longest.
SELECT framework, test_id, attempt, status, worker, suite, file, started_at, duration_us, setup_us, teardown_us,
       error_type, error_message
  FROM (SELECT *
          FROM crossbridge.tests
         WHERE run_id = %(run_id)s AND created_at BETWEEN %(since)s AND %(until)s
           AND (%(framework)s::text IS NULL OR framework = %(framework)s)
         ORDER BY duration_us DESC, id
         LIMIT %(limit)s) AS longest
 ORDER BY started_at, id;

-- run_parts --
-- What happened inside the attempts of a run: steps, HTTP calls and driver commands, in the order in which they began;
-- of too many, the longest.
SELECT kind, framework, test_id, attempt, worker, name, detail, status, depth, started_at, duration_us
  FROM (SELECT 'step' AS kind, framework, test_id, attempt, worker, step_name AS name, event_type AS detail, status, depth,
               step_index, started_at, duration_us
          FROM crossbridge.steps
         WHERE run_id = %(run_id)s AND created_at BETWEEN %(since)s AND %(until)s
         UNION ALL
        SELECT 'http', framework, test_id, coalesce(attempt, 1), NULL, method || ' ' || endpoint,
               coalesce(status_code::text, error, 'no answer'),
               CASE WHEN error IS NULL AND coalesce(status_code, 0) < 400 THEN 'passed' ELSE 'failed' END, NULL, NULL,
               started_at, duration_us
          FROM crossbridge.http_calls
         WHERE run_id = %(run_id)s AND created_at BETWEEN %(since)s AND %(until)s
         UNION ALL
        SELECT 'driver', framework, test_id, coalesce(attempt, 1), NULL, command, coalesce(error, target),
               CASE WHEN error IS NULL THEN 'passed' ELSE 'failed' END, NULL, NULL, started_at, duration_us
          FROM crossbridge.driver_commands
         WHERE run_id = %(run_id)s AND created_at BETWEEN %(since)s AND %(until)s
         ORDER BY duration_us DESC
         LIMIT %(limit)s) AS longest
 WHERE %(framework)s::text IS NULL OR framework = %(framework)s
 ORDER BY started_at, depth NULLS LAST, step_index, duration_us DESC;
