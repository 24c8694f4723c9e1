-- guide_tables --
-- How many of the six tables everybody may build on are there.
SELECT count(*)
  FROM pg_catalog.pg_tables
 WHERE schemaname = 'crossbridge'
   AND tablename IN ('runs', 'tests', 'steps', 'http_calls', 'driver_commands', 'system_metrics');

-- run_rows --
-- Rows a run has left in the tables of tests and of steps.
WITH span AS (
    SELECT min(started_at) AS since FROM crossbridge.segments WHERE run_id = %(run_id)s
)
SELECT (SELECT count(*) FROM crossbridge.tests, span WHERE run_id = %(run_id)s AND created_at >= since) AS tests,
       (SELECT count(*) FROM crossbridge.steps, span WHERE run_id = %(run_id)s AND created_at >= since) AS steps;
