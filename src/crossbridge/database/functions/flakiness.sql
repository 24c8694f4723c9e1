-- What is evidence of flakiness: said here, and asked by the command `flaky`, the dashboard and the alert.

-- Whether files may be edited between two runs of a commit: what is called flaky there must have changed its outcome twice.
CREATE OR REPLACE FUNCTION crossbridge.at_a_desk(environment text, ci_provider text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT environment = 'local' AND ci_provider IS NULL $$;

-- Whether a test passed in a run: no attempt failed after the last that passed. When workers disagree on the last attempt
-- it failed.
CREATE OR REPLACE FUNCTION crossbridge.passed_in_run(last_failed integer, last_passed integer) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT last_failed IS NULL OR coalesce(last_failed < last_passed, false) $$;

-- Whether it failed in a run and passed when retried.
CREATE OR REPLACE FUNCTION crossbridge.retried_in_run(first_failed integer, last_passed integer) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT coalesce(first_failed < last_passed, false) $$;

-- In which runs tests ended otherwise than in the run before of the same code in the same place (environment, system,
-- runtime, labels). Runs are in the order in which they began. The first such change does not count once a run was made at
-- a desk: it is what an edit looks like. Of a run whose commit is not known nothing is said.
-- An entry of the arrays is a test in a run. Tests are told apart by any number; all runs of a code belong here.
CREATE OR REPLACE FUNCTION crossbridge.flips(tests integer[], run_keys integer[], passed boolean[])
RETURNS TABLE (test integer, run_key integer)
LANGUAGE sql STABLE ROWS 1000
SET jit = off   -- and not inlined: the planner takes arrays for short and loops over what it should hash
AS $$
    SELECT c.test, c.run_key
      FROM (SELECT c.*, count(*) FILTER (WHERE c.changed) OVER code > bool_or(c.at_a_desk) OVER code::integer AS counts
              FROM (SELECT x.*, r.started_at, r.run_id, r.same_code,
                           crossbridge.at_a_desk(r.environment, r.ci_provider) AS at_a_desk,
                           x.passed <> lag(x.passed) OVER (PARTITION BY x.test, r.same_code ORDER BY r.started_at, r.run_id)
                           AS changed
                      FROM unnest(tests, run_keys, passed) AS x(test, run_key, passed)
                      JOIN (SELECT * FROM crossbridge.runs WHERE run_key = ANY (run_keys) OFFSET 0) AS r USING (run_key)
                     WHERE r.git_commit IS NOT NULL) AS c
            WINDOW code AS (PARTITION BY c.test, c.same_code ORDER BY c.started_at, c.run_id)) AS c
     WHERE c.changed AND c.counts
$$;
