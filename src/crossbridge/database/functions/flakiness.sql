-- What is evidence of flakiness: said here, and asked by the command `flaky`, the dashboard and the alert.

-- Whether files may be edited between two runs of a commit: what is called flaky there must have changed its outcome twice.
CREATE OR REPLACE FUNCTION crossbridge.at_a_desk(environment text, ci_provider text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT environment = 'local' AND ci_provider IS NULL $$;

-- How tests ended in runs, and what that tells. An entry of the arrays is a test in a run: its first and last failing
-- attempt, its last passing one. Tests are told apart by any number; of a test all runs of a commit in the window belong here.
-- passed: no attempt failed after the last that passed; when workers disagree on the last attempt, the test failed.
-- retried: it failed and passed when retried.
-- same_commit: it ended otherwise than in the run before of the same code in the same place (environment, system, runtime,
-- labels). Runs are in the order in which they began. The first such change does not count once a run was made at a desk: it
-- is what an edit looks like. Of a run whose commit is not known nothing of the kind is said.
CREATE OR REPLACE FUNCTION crossbridge.evidence(
    tests integer[], run_keys integer[], first_failed integer[], last_failed integer[], last_passed integer[])
RETURNS TABLE (test integer, run_key integer, passed boolean, retried boolean, same_commit boolean)
LANGUAGE sql STABLE ROWS 5000
SET jit = off   -- and not inlined: the planner takes arrays for short and loops over what it should hash
AS $$
    SELECT c.test, c.run_key, c.passed, c.retried,
           c.changed AND count(*) FILTER (WHERE c.changed) OVER code > bool_or(c.at_a_desk) OVER code::integer
      FROM (SELECT o.*, r.started_at, r.run_id, r.same_code, crossbridge.at_a_desk(r.environment, r.ci_provider) AS at_a_desk,
                   r.git_commit IS NOT NULL
                       AND coalesce(o.passed <> lag(o.passed) OVER (PARTITION BY o.test, r.same_code
                                                                        ORDER BY r.started_at, r.run_id), false) AS changed
              FROM (SELECT x.test, x.run_key, x.last_failed IS NULL OR coalesce(x.last_failed < x.last_passed, false) AS passed,
                           coalesce(x.first_failed < x.last_passed, false) AS retried
                      FROM unnest(tests, run_keys, first_failed, last_failed, last_passed)
                           AS x(test, run_key, first_failed, last_failed, last_passed)) AS o
              JOIN crossbridge.runs AS r USING (run_key)) AS c
    WINDOW code AS (PARTITION BY c.test, c.same_code ORDER BY c.started_at, c.run_id)
$$;
