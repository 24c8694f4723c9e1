-- Weeks of tests, rolled up from the days once they are over. Nothing waits for it: a week that is not is read by its days.

CREATE OR REPLACE FUNCTION crossbridge.week_of(day date) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT date_trunc('week', day::timestamp)::date $$;

-- The weeks since a day, or all, that are over, hold cells and are not rolled up; the newest first.
CREATE OR REPLACE FUNCTION crossbridge.due_weeks(environments text[], since date) RETURNS TABLE (environment text, week date)
LANGUAGE sql STABLE
AS $$
    SELECT e.environment, w.week::date
      FROM unnest(environments) AS e(environment)
     CROSS JOIN LATERAL (
         SELECT min(r.day) AS day FROM crossbridge.rollup_test_day AS r
          WHERE r.environment = e.environment AND r.day >= coalesce(since, '-infinity')) AS begins
     CROSS JOIN LATERAL generate_series(crossbridge.week_of(begins.day)::timestamp,
                                        crossbridge.week_of((now() AT TIME ZONE 'UTC')::date) - interval '7 days',
                                        interval '7 days') AS w(week)
     WHERE NOT EXISTS (SELECT FROM crossbridge.rolled_weeks AS x WHERE x.environment = e.environment AND x.week = w.week::date)
       AND EXISTS (SELECT FROM crossbridge.rollup_test_day AS r
                    WHERE r.environment = e.environment AND r.day >= w.week::date AND r.day < w.week::date + 7)
     ORDER BY 2 DESC, 1
$$;

-- Not while a batch of one of its days is under way, or a rebuild: false then. Whoever adds to the days afterwards finds
-- the week rolled up, and adds to it as well.
CREATE OR REPLACE FUNCTION crossbridge.roll_up_week(environment text, week date) RETURNS boolean
LANGUAGE plpgsql
AS $$
BEGIN
    FOR day IN week - date '1970-01-01' .. week - date '1970-01-01' + 6 LOOP
        IF NOT pg_try_advisory_xact_lock(crossbridge.day_lock_class(), day) THEN
            RETURN false;
        END IF;
    END LOOP;
    -- Cells of a week that was rolled up before its days were rebuilt.
    DELETE FROM crossbridge.rollup_test_week AS w
     WHERE w.environment = roll_up_week.environment AND w.week = roll_up_week.week;
    INSERT INTO crossbridge.rollup_test_week
    SELECT roll_up_week.environment, roll_up_week.week, r.test_key, sum(r.n), sum(r.failed + r.error), sum(r.sum_us),
           max(r.max_us)
      FROM crossbridge.rollup_test_day AS r
     WHERE r.environment = roll_up_week.environment AND r.day >= roll_up_week.week AND r.day < roll_up_week.week + 7
     GROUP BY r.test_key
     ORDER BY r.test_key;
    INSERT INTO crossbridge.rolled_weeks VALUES (environment, week) ON CONFLICT DO NOTHING;
    RETURN true;
END $$;

-- What a new segment does for the readers of its run's cells: at most a week at a time, so that no batch takes long.
CREATE OR REPLACE FUNCTION crossbridge.roll_up_a_week(run_id uuid) RETURNS void
LANGUAGE sql
AS $$
    SELECT crossbridge.roll_up_week(due.environment, due.week)
      FROM (SELECT array_agg(s) AS slices
              FROM crossbridge.runs AS r
             CROSS JOIN crossbridge.slices_of(
                 coalesce(r.environment, ''), CASE WHEN r.rolled_branch THEN r.git_branch END) AS s
             WHERE r.run_id = roll_up_a_week.run_id) AS cells
     CROSS JOIN LATERAL (
         SELECT * FROM crossbridge.due_weeks(cells.slices, (now() AT TIME ZONE 'UTC')::date - 91) LIMIT 1) AS due
$$;

-- What a batch did in weeks that are rolled up.
CREATE OR REPLACE FUNCTION crossbridge.add_to_weeks(cells crossbridge.test_cell[], environment text) RETURNS void
LANGUAGE sql
AS $$
    INSERT INTO crossbridge.rollup_test_week AS r
    SELECT w.environment, w.week, c.test_key, sum(c.n), sum(c.failed + c.error), sum(c.sum_us), max(c.max_us)
      FROM unnest(cells) AS c
      JOIN crossbridge.rolled_weeks AS w ON w.environment = add_to_weeks.environment AND w.week = crossbridge.week_of(c.day)
     GROUP BY 1, 2, 3
     ORDER BY 2, 3
    ON CONFLICT (environment, week, test_key) DO UPDATE SET
        n = r.n + excluded.n, failed = r.failed + excluded.failed, sum_us = r.sum_us + excluded.sum_us,
        max_us = greatest(r.max_us, excluded.max_us)
$$;
