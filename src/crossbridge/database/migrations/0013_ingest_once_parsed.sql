-- ingest reads the JSON of a batch once: what rollups need of it is handed on in these.

-- The end of a test or of a step.
CREATE TYPE crossbridge.ended AS (
    test_key    integer,   -- null when the test has none yet: then
    test_id     text,      -- its name
    framework   text,
    at_us       bigint,
    status      text,
    duration_us bigint,
    attempt     integer,
    error_type  text,      -- the first 200 characters
    step_name   text       -- null of a test
);

-- What a test did on a day.
CREATE TYPE crossbridge.test_cell AS (
    day date, test_key integer, n integer, passed integer, failed integer, error integer, skipped integer, xfailed integer,
    xpassed integer, interrupted integer, sum_us bigint, min_us bigint, max_us bigint, passed_us bigint, ln_sum bigint,
    ln_sq bigint
);

-- Functions that take or return something else now.
DROP FUNCTION IF EXISTS crossbridge.store_tests(crossbridge.segments, jsonb);
DROP FUNCTION IF EXISTS crossbridge.store_steps(crossbridge.segments, jsonb);
DROP FUNCTION IF EXISTS crossbridge.store_events(crossbridge.segments, jsonb, crossbridge.batch);
DROP FUNCTION IF EXISTS crossbridge.assign_test_keys(jsonb, text);
DROP FUNCTION IF EXISTS crossbridge.rollup_tests(jsonb, text, text, text, integer);
DROP FUNCTION IF EXISTS crossbridge.rollup_steps(jsonb, text);
DROP FUNCTION IF EXISTS crossbridge.rollup_series(crossbridge.segments, jsonb, text, text);
DROP FUNCTION IF EXISTS crossbridge.rollup_errors(jsonb, text, text, text, smallint);
DROP FUNCTION IF EXISTS crossbridge.rollup_reading(crossbridge.segments, jsonb, crossbridge.batch);
DROP FUNCTION IF EXISTS crossbridge.rollup_versions(crossbridge.segments, jsonb);
