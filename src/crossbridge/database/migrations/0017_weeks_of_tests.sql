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
