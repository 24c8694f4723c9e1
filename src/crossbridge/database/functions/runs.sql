-- What is known of a run.

-- Whether a branch has had many runs of late: see runs.rolled_branch.
CREATE OR REPLACE FUNCTION crossbridge.is_busy_branch(branch text, at timestamptz) RETURNS boolean
LANGUAGE sql STABLE
AS $$
    SELECT count(*) = 20
      FROM (SELECT FROM crossbridge.runs
             WHERE git_branch = branch AND started_at >= at - interval '30 days' AND started_at < at
             LIMIT 20) AS earlier
$$;

CREATE OR REPLACE FUNCTION crossbridge.decide_rolled_branch() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.rolled_branch := crossbridge.is_busy_branch(NEW.git_branch, NEW.started_at);
    RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS decide_rolled_branch ON crossbridge.runs;
CREATE TRIGGER decide_rolled_branch BEFORE INSERT ON crossbridge.runs
    FOR EACH ROW WHEN (NEW.git_branch IS NOT NULL) EXECUTE FUNCTION crossbridge.decide_rolled_branch();

CREATE OR REPLACE FUNCTION crossbridge.merge_names(names text, more text[]) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$ SELECT string_agg(DISTINCT n, ',' ORDER BY n) FROM unnest(string_to_array(names, ',') || more) AS n $$;

-- A segment joined the run: what the first one did not know, a later one may.
CREATE OR REPLACE FUNCTION crossbridge.join_run(s crossbridge.segments, header jsonb) RETURNS void
LANGUAGE sql
AS $$
    UPDATE crossbridge.runs AS r
       SET started_at = least(r.started_at, s.started_at),
           framework = crossbridge.merge_names(r.framework, ARRAY[s.framework]),
           app_version = coalesce(r.app_version, header ->> 'app_version'),
           git_commit = coalesce(r.git_commit, header ->> 'git_commit'),
           ci_provider = coalesce(r.ci_provider, header ->> 'ci_provider'),
           ci_url = coalesce(r.ci_url, header ->> 'ci_url'),
           labels = coalesce(nullif(header -> 'labels', 'null'), '{}') || r.labels
     WHERE r.run_id = s.run_id
$$;

-- A run has ended when all its main writers have, as badly as the worst of them. A writer that does not say how it fared
-- counts as failed when a test of the run did.
CREATE OR REPLACE FUNCTION crossbridge.settle_run(run_id uuid) RETURNS void
LANGUAGE sql
AS $$
    UPDATE crossbridge.runs AS r
       SET ended_at = CASE WHEN e.writers = m.writers THEN e.ended_at END,
           status = CASE WHEN e.writers < m.writers THEN 'running'
                         WHEN e.interrupted THEN 'interrupted'
                         WHEN e.failed OR e.silent AND r.failed + r.error > 0 THEN 'failed'
                         ELSE 'passed' END
      FROM (SELECT count(*) AS writers, max(w.ended_at) AS ended_at, bool_or(w.status IS NULL) AS silent,
                   bool_or(w.status = 'interrupted') AS interrupted, bool_or(w.status = 'failed') AS failed
              FROM crossbridge.ended_writers(settle_run.run_id) AS w WHERE w.parent IS NULL) AS e,
           (SELECT count(DISTINCT s.writer) AS writers
              FROM crossbridge.segments AS s WHERE s.run_id = settle_run.run_id AND s.parent IS NULL) AS m
     WHERE r.run_id = settle_run.run_id AND m.writers > 0
$$;

-- Adds a batch to its run's counts.
CREATE OR REPLACE FUNCTION crossbridge.count_in_run(before crossbridge.segments, s crossbridge.segments, b crossbridge.batch)
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE crossbridge.runs AS r
       SET events_collected = r.events_collected + s.events_collected - before.events_collected,
           events_written = r.events_written + s.events - before.events,
           events_dropped = r.events_dropped + s.events_dropped - before.events_dropped,
           framework = CASE WHEN NOT b.frameworks <@ string_to_array(r.framework, ',')
                            THEN crossbridge.merge_names(r.framework, b.frameworks) ELSE r.framework END,
           tests = r.tests + b.test_ends, passed = r.passed + b.passed, failed = r.failed + b.failed,
           error = r.error + b.error, skipped = r.skipped + b.skipped, xfailed = r.xfailed + b.xfailed,
           xpassed = r.xpassed + b.xpassed, interrupted = r.interrupted + b.interrupted
     WHERE r.run_id = s.run_id;
END $$;

-- What a shipper found out about the run. Not the branch: rollups are keyed by it.
CREATE OR REPLACE FUNCTION crossbridge.fill_run(run_id uuid, events jsonb) RETURNS void
LANGUAGE sql
AS $$
    UPDATE crossbridge.runs AS r
       SET app_version = coalesce(r.app_version, i.app_version), git_commit = coalesce(r.git_commit, i.git_commit),
           ci_provider = coalesce(r.ci_provider, i.ci_provider), ci_url = coalesce(r.ci_url, i.ci_url)
      FROM jsonb_to_record(jsonb_path_query_first(events, '$[*] ? (@.type == "run_info")')) AS i(
               app_version text, git_commit text, ci_provider text, ci_url text)
     WHERE r.run_id = fill_run.run_id
$$;
