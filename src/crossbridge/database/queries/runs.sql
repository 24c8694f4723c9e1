-- recent_runs --
-- Runs that began in the window, newest first; counts of tests are of attempts.
SELECT run_id, status, started_at, ended_at, environment, framework, git_branch, git_commit, app_version,
       ci_provider, ci_url, hostname, os, runtime, labels,
       tests AS attempts, passed, failed, error, skipped, xfailed, xpassed, interrupted,
       events_collected, events_written, events_spooled, events_dropped
  FROM crossbridge.runs
 WHERE started_at >= %(since)s
   AND (%(environment)s::text IS NULL OR environment = %(environment)s)
   AND (%(branch)s::text IS NULL OR git_branch = %(branch)s)
   AND (%(framework)s::text IS NULL OR %(framework)s = ANY (string_to_array(framework, ',')))
 ORDER BY started_at DESC, run_id
 LIMIT %(limit)s;

-- runs_between_ids --
-- The runs a shortened id may mean.
SELECT run_id, status, started_at, ended_at, environment, framework, git_branch, git_commit, app_version,
       ci_provider, ci_url, hostname, os, runtime, labels,
       tests AS attempts, passed, failed, error, skipped, xfailed, xpassed, interrupted,
       events_collected, events_written, events_spooled, events_dropped
  FROM crossbridge.runs
 WHERE run_id BETWEEN %(first_id)s AND %(last_id)s
 ORDER BY run_id
 LIMIT 2;

-- run_span --
-- When the events of a run happened: no index leads from a run to its rows, one on created_at does.
SELECT min(started_at) AS since, max(greatest(last_at, closed_at)) AS until
  FROM crossbridge.segments
 WHERE run_id = %(run_id)s;

-- collector_health --
-- What became of the events of one run, or of the runs that began in the window.
WITH chosen AS (
    SELECT run_id, events_collected, events_written, events_spooled, events_dropped
      FROM crossbridge.runs
     WHERE CASE WHEN %(run_id)s::uuid IS NOT NULL THEN run_id = %(run_id)s
                ELSE started_at >= %(since)s
                     AND (%(environment)s::text IS NULL OR environment = %(environment)s)
                     AND (%(branch)s::text IS NULL OR git_branch = %(branch)s)
                     AND (%(framework)s::text IS NULL OR %(framework)s = ANY (string_to_array(framework, ',')))
           END
), events AS (
    SELECT count(*) AS runs,
           coalesce(sum(events_collected), 0)::bigint AS events_collected,
           coalesce(sum(events_written), 0)::bigint AS events_written,
           coalesce(sum(events_spooled), 0)::bigint AS events_spooled,
           coalesce(sum(events_dropped), 0)::bigint AS events_dropped
      FROM chosen
), files AS (
    SELECT coalesce(sum(rejected), 0)::bigint AS rejected,
           coalesce(sum(torn), 0)::bigint AS torn,
           coalesce(sum(unknown_events), 0)::bigint AS unknown_events,
           count(*) FILTER (WHERE closed_at IS NULL) AS open_segments
      FROM crossbridge.segments
     WHERE run_id IN (SELECT run_id FROM chosen)
       AND (rejected + torn + unknown_events > 0 OR closed_at IS NULL)   -- the index of the few that are not in order
)
SELECT * FROM events, files;
