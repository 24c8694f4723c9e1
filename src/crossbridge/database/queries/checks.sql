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

-- server_facts --
-- What a connection is told of the server, before anything is known of the schema.
SELECT current_setting('server_version') AS version,
       current_setting('server_version_num')::integer / 10000 AS major,
       current_user AS role,
       pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS read_only,
       clock_timestamp() AS now,
       current_setting('max_connections')::integer AS max_connections,
       (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend') AS connections;

-- privileges --
-- What this role may do with the schema.
SELECT has_schema_privilege('crossbridge', 'USAGE') AS usage,
       has_table_privilege('crossbridge.tests', 'SELECT') AS read,
       has_function_privilege('crossbridge.ingest(uuid, uuid, bigint, bigint, jsonb)', 'EXECUTE') AS write;

-- arrivals --
-- When the newest event happened, and what became of the events of the last week's runs.
SELECT (SELECT max(last_at) FROM crossbridge.segments) AS newest,
       count(*) AS runs,
       coalesce(sum(events_collected), 0)::bigint AS collected,
       coalesce(sum(events_dropped), 0)::bigint AS dropped
  FROM crossbridge.runs
 WHERE started_at >= now() - interval '7 days';
