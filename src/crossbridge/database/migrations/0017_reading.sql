-- Weeks that are over: what is asked of a month reads a third of the cells.
CREATE TABLE crossbridge.rollup_test_week (
    environment text NOT NULL,          -- as in rollup_test_day
    week        date NOT NULL,          -- its Monday
    test_key    integer NOT NULL,
    n           integer NOT NULL,
    failed      integer NOT NULL,       -- failed or broke (error)
    sum_us      bigint NOT NULL,
    max_us      bigint NOT NULL,
    PRIMARY KEY (environment, week, test_key)
) WITH (fillfactor = 90);

-- The weeks of which that table holds the sum of the days; all others are read day by day.
CREATE TABLE crossbridge.rolled_weeks (
    environment text NOT NULL,
    week        date NOT NULL,
    PRIMARY KEY (environment, week)
);

-- Rows of a test lie far apart: together with the index on test_id it leads to those of some days alone. See 0012_tables.
DO $$
BEGIN
    EXECUTE format('CREATE INDEX tests_created_at_brin ON crossbridge.tests USING brin (created_at %s) WITH (autosummarize = on)',
                   CASE WHEN current_setting('server_version_num')::int >= 140000
                        THEN 'timestamptz_minmax_multi_ops' ELSE 'timestamptz_minmax_ops' END);
END $$;

-- `flaky` reads two things of troubles: who failed in a window, and all of a few hundred tests. Each stands in an index that
-- has all columns it asks for: rows of one test lie far apart, and the table's pages need not be touched.
DROP INDEX crossbridge.troubles_created_at;
CREATE INDEX troubles_created_at ON crossbridge.troubles (created_at) INCLUDE (test_key, run_key, passed);
CREATE INDEX troubles_test_key ON crossbridge.troubles (test_key, created_at) INCLUDE (run_key, attempt, passed, duration_us);
