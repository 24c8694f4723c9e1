-- The tables, types and indexes of the first release: what the performance guide promises, and what is ours on top.
-- Functions, views and triggers stand in ../functions.
--
-- Event tables are partitioned by month of created_at (the client's clock when the event ended). There is no
-- default partition: crossbridge.ingest makes a missing month. No foreign keys: segments of one run arrive in
-- any order, and a table may one day be distributed by run_id.
-- Names are limited to 1,000 bytes where an index holds them: an entry takes at most some 2,700.

-- The two functions of which columns are generated: they must be there first, and another definition of them is a
-- migration, as it makes these columns anew.

-- Two runs with one same_code ran the same code in the same place.
CREATE FUNCTION crossbridge.code_of(
    git_commit text, app_version text, environment text, os text, runtime text, labels jsonb) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT pg_catalog.jsonb_hash_extended(
        pg_catalog.jsonb_build_array(git_commit, app_version, environment, pg_catalog.split_part(os, ' ', 1), runtime, labels), 0)
$$;

-- Histograms as one number: the count of bin b stands at the digits from 12 b on. Adding such numbers adds the histograms,
-- at the speed of built-in arithmetic: some 2 us a cell instead of 50, which is what windows of months are read with.
CREATE FUNCTION crossbridge.hist_pack(lo integer, cnt integer[]) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT (pg_catalog.string_agg(pg_catalog.lpad(u.c::text, 12, '0'), '' ORDER BY u.i DESC)
            || pg_catalog.repeat('0', 12 * lo))::numeric
      FROM pg_catalog.unnest(cnt) WITH ORDINALITY AS u(c, i)
$$;

-- A histogram of durations: an array of counts, trimmed at both ends, and the number of its first bin.
CREATE TYPE crossbridge.histogram AS (lo integer, cnt integer[]);

-- What is in one call of ingest: lines, by type; the tests among them, by status.
CREATE TYPE crossbridge.batch AS (
    lines bigint, headers bigint, ends bigint, infos bigint, markers bigint,
    test_starts bigint, test_ends bigint, step_starts bigint, step_ends bigint, http_calls bigint, driver_commands bigint,
    system_metrics bigint, events bigint, unknown_events bigint,
    dropped bigint, rejected bigint, first_us bigint, last_us bigint,
    passed bigint, failed bigint, error bigint, skipped bigint, xfailed bigint, xpassed bigint, interrupted bigint,
    frameworks text[]
);

-- What a dashboard's variables choose. A null chooses everything.
CREATE TYPE crossbridge.scope AS (
    since        timestamptz,
    until        timestamptz,   -- excluded
    environments text[],
    branches     text[],
    frameworks   text[],
    test_id      text,
    run_id       uuid
);

-- Runs, and how far their segments are delivered

CREATE TABLE crossbridge.runs (
    run_id           uuid PRIMARY KEY,
    started_at       timestamptz,
    environment      text,          -- fixed by the segment that creates the run, like git_branch: rollups are keyed by them
    framework        text,          -- all frameworks of the run, sorted, joined by ','
    created_at       timestamptz NOT NULL DEFAULT now(),
    ended_at         timestamptz,   -- null while running
    status           text NOT NULL DEFAULT 'running'
                     CHECK (status IN ('running', 'passed', 'failed', 'interrupted')),
    git_commit       text,
    git_branch       text,
    app_version      text,
    ci_provider      text,
    ci_url           text,
    hostname         text,
    os               text,
    runtime          text,
    labels           jsonb NOT NULL DEFAULT '{}',
    -- events: collected = written + dropped + spooled (recorded, not delivered yet)
    events_collected bigint NOT NULL DEFAULT 0,
    events_written   bigint NOT NULL DEFAULT 0,
    events_dropped   bigint NOT NULL DEFAULT 0,
    events_spooled   bigint GENERATED ALWAYS AS (greatest(0, events_collected - events_written - events_dropped)) STORED,
    -- attempts stored in tests, by status
    tests            bigint NOT NULL DEFAULT 0,
    passed           bigint NOT NULL DEFAULT 0,
    failed           bigint NOT NULL DEFAULT 0,
    error            bigint NOT NULL DEFAULT 0,
    skipped          bigint NOT NULL DEFAULT 0,
    xfailed          bigint NOT NULL DEFAULT 0,
    xpassed          bigint NOT NULL DEFAULT 0,
    interrupted      bigint NOT NULL DEFAULT 0,
    -- A branch that has had many runs of late is read from days of its own; a feature's few runs are read from the rows, and
    -- days of thousands of such branches would be as many cells as there are rows. Decided once, when the run begins.
    rolled_branch    boolean NOT NULL DEFAULT false,
    run_key          integer GENERATED ALWAYS AS IDENTITY UNIQUE,   -- what `troubles` and `first_passes` name it by
    same_code        bigint GENERATED ALWAYS AS
                     (crossbridge.code_of(git_commit, app_version, environment, os, runtime, labels)) STORED
) WITH (fillfactor = 70);
CREATE INDEX runs_started_at ON crossbridge.runs (started_at);
CREATE INDEX runs_git_branch ON crossbridge.runs (git_branch, started_at);
CREATE INDEX runs_git_commit ON crossbridge.runs (git_commit);

-- How far each segment file is delivered. Moved by crossbridge.ingest alone, by compare and set.
CREATE TABLE crossbridge.segments (
    run_id            uuid NOT NULL,
    segment_id        uuid NOT NULL,
    writer            uuid NOT NULL,               -- the process: all its segments share it
    seq               integer NOT NULL CHECK (seq >= 0),
    parent            uuid,                        -- writer of the process that answers for this one
    role              text NOT NULL CHECK (role = CASE WHEN parent IS NULL THEN 'main' ELSE 'child' END),
    worker            text,
    framework         text NOT NULL CHECK (octet_length(framework) <= 1000),
    framework_version text,
    host              text,
    pid               bigint,
    pid_start         bigint,
    os                text,
    runtime           text,
    sdk               text,
    delivered         bigint NOT NULL DEFAULT 0 CHECK (delivered >= 0),   -- bytes of the file
    events            bigint NOT NULL DEFAULT 0,   -- stored
    collected         bigint,                      -- recorded, as the writer says at its end; null: not said
    dropped           bigint NOT NULL DEFAULT 0,   -- by the writer
    rejected          bigint NOT NULL DEFAULT 0,   -- refused by the database as bad data
    torn              bigint NOT NULL DEFAULT 0,   -- lines cut short by the writer's death
    unknown_events    bigint NOT NULL DEFAULT 0,   -- of types this version does not know
    -- what the segment adds to its run's counts
    events_dropped    bigint GENERATED ALWAYS AS (dropped + rejected + torn + unknown_events) STORED,
    events_collected  bigint GENERATED ALWAYS AS
                      (greatest(collected, events + dropped + rejected + torn + unknown_events)) STORED,
    started_at        timestamptz NOT NULL,        -- the writer's start
    last_at           timestamptz NOT NULL,        -- the latest event's time
    created_at        timestamptz NOT NULL DEFAULT now(),
    closed_at         timestamptz,                 -- null while open
    status            text CHECK (status IN ('passed', 'failed', 'interrupted')),
    next              uuid,                        -- the segment in which the writer went on
    PRIMARY KEY (run_id, segment_id)
) WITH (fillfactor = 70);
CREATE INDEX segments_last_at ON crossbridge.segments (last_at);
-- Segments that are open or lost something: few, and asked for whenever a window's health is.
CREATE INDEX segments_not_in_order ON crossbridge.segments (run_id)
    WHERE rejected + torn + unknown_events > 0 OR closed_at IS NULL;

-- Tests that have begun and not ended: what is running now, and what a killed run was doing.
CREATE TABLE crossbridge.in_flight (
    run_id          uuid NOT NULL,
    writer          uuid NOT NULL,
    parent          uuid,
    test_id         text NOT NULL CHECK (octet_length(test_id) <= 1000),
    attempt         integer NOT NULL CHECK (attempt >= 1),
    framework       text NOT NULL,
    worker          text,
    suite           text,
    file            text,
    started_at      timestamptz NOT NULL,
    step_name       text,                          -- the innermost step begun and not ended
    step_started_at timestamptz,
    open_steps      jsonb NOT NULL DEFAULT '[]',   -- all of them, outermost first
    PRIMARY KEY (run_id, writer, test_id, attempt)
) WITH (fillfactor = 50);

-- Events

-- One row an attempt of a test.
CREATE TABLE crossbridge.tests (
    id            bigserial,
    run_id        uuid NOT NULL,
    test_id       text NOT NULL,
    duration_ms   integer GENERATED ALWAYS AS (((duration_us + 500) / 1000)::integer) STORED,   -- rounded; duration_us is the measured one
    status        text NOT NULL
                  CHECK (status IN ('passed', 'failed', 'error', 'skipped', 'xfailed', 'xpassed', 'interrupted')),
    framework     text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    duration_us   bigint NOT NULL CHECK (duration_us >= 0),
    started_at    timestamptz NOT NULL,
    attempt       integer NOT NULL DEFAULT 1 CHECK (attempt >= 1),
    worker        text,
    suite         text,
    file          text,
    setup_us      bigint CHECK (setup_us >= 0),
    teardown_us   bigint CHECK (teardown_us >= 0),
    error_type    text,
    error_message text,
    PRIMARY KEY (id, created_at),
    CHECK (octet_length(test_id) <= 1000 AND octet_length(framework) <= 1000)
) PARTITION BY RANGE (created_at);
CREATE INDEX tests_created_at ON crossbridge.tests (created_at);
CREATE INDEX tests_test_id ON crossbridge.tests (test_id);
-- All rows of a batch are of one run, so its entries lie together and are packed: some 7 bytes a row.
CREATE INDEX tests_run_id ON crossbridge.tests (run_id);
-- The few rows that tell of failures and retries, some 3 % of all, with what is asked of them: each has a page of its own.
CREATE INDEX tests_telling ON crossbridge.tests (created_at) INCLUDE (test_id, framework, run_id, attempt, status, duration_us)
 WHERE status IN ('failed', 'error') OR attempt > 1;

CREATE TABLE crossbridge.steps (
    id          bigserial,
    run_id      uuid NOT NULL,
    test_id     text NOT NULL,
    step_name   text NOT NULL,
    duration_ms integer GENERATED ALWAYS AS (((duration_us + 500) / 1000)::integer) STORED,
    event_type  text NOT NULL DEFAULT 'step',
    framework   text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    duration_us bigint NOT NULL CHECK (duration_us >= 0),
    started_at  timestamptz NOT NULL,
    attempt     integer NOT NULL DEFAULT 1 CHECK (attempt >= 1),
    worker      text,
    step_index  integer CHECK (step_index >= 0),
    depth       integer NOT NULL DEFAULT 0 CHECK (depth >= 0),
    status      text NOT NULL DEFAULT 'passed' CHECK (status IN ('passed', 'failed', 'skipped')),
    PRIMARY KEY (id, created_at),
    CHECK (octet_length(test_id) <= 1000 AND octet_length(step_name) <= 1000 AND octet_length(framework) <= 1000)
) PARTITION BY RANGE (created_at);
CREATE INDEX steps_test_id ON crossbridge.steps (test_id);

CREATE TABLE crossbridge.http_calls (
    id          bigserial,
    run_id      uuid NOT NULL,
    test_id     text,
    endpoint    text NOT NULL,      -- host and path template, without query string
    method      text NOT NULL,
    status_code integer,            -- null when no answer came
    duration_ms integer GENERATED ALWAYS AS (((duration_us + 500) / 1000)::integer) STORED,
    created_at  timestamptz NOT NULL DEFAULT now(),
    duration_us bigint NOT NULL CHECK (duration_us >= 0),
    started_at  timestamptz NOT NULL,
    attempt     integer CHECK (attempt >= 1),
    framework   text NOT NULL,
    error       text,
    PRIMARY KEY (id, created_at),
    CHECK (octet_length(test_id) <= 1000)
) PARTITION BY RANGE (created_at);
CREATE INDEX http_calls_test_id ON crossbridge.http_calls (test_id);

CREATE TABLE crossbridge.driver_commands (
    id          bigserial,
    run_id      uuid NOT NULL,
    test_id     text,
    command     text NOT NULL,
    duration_ms integer GENERATED ALWAYS AS (((duration_us + 500) / 1000)::integer) STORED,
    retry_count integer NOT NULL DEFAULT 0 CHECK (retry_count >= 0),
    created_at  timestamptz NOT NULL DEFAULT now(),
    duration_us bigint NOT NULL CHECK (duration_us >= 0),
    started_at  timestamptz NOT NULL,
    attempt     integer CHECK (attempt >= 1),
    framework   text NOT NULL,
    target      text,
    error       text,
    PRIMARY KEY (id, created_at),
    CHECK (octet_length(test_id) <= 1000)
) PARTITION BY RANGE (created_at);
CREATE INDEX driver_commands_test_id ON crossbridge.driver_commands (test_id);

CREATE TABLE crossbridge.system_metrics (
    id          bigserial,
    run_id      uuid NOT NULL,
    test_id     text,
    cpu_percent double precision,
    memory_mb   double precision,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);

-- A late batch spoils a plain minmax summary, not a multi one, which PostgreSQL 13 lacks.
DO $$
DECLARE
    opclass text := CASE WHEN current_setting('server_version_num')::int >= 140000
                         THEN 'timestamptz_minmax_multi_ops' ELSE 'timestamptz_minmax_ops' END;
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['steps', 'http_calls', 'driver_commands', 'system_metrics'] LOOP
        EXECUTE format('CREATE INDEX %I ON crossbridge.%I USING brin (created_at %s) WITH (autosummarize = on)',
                       t || '_created_at', t, opclass);
    END LOOP;
END $$;

-- Rollups: kept by crossbridge.ingest in the transaction that stores the rows. Days and hours are UTC's.
-- Tables without a test in the key have `slot`, 0 to 7 by run: concurrent runs seldom wait for one row. Sum over it.

CREATE TABLE crossbridge.test_dim (
    test_key  integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    test_id   text NOT NULL,
    framework text NOT NULL,
    UNIQUE (test_id, framework)
);

CREATE TABLE crossbridge.rollup_hour (
    hour        timestamptz NOT NULL,
    framework   text NOT NULL,
    environment text NOT NULL,      -- '' when the run has none
    git_branch  text NOT NULL,      -- '' likewise
    slot        smallint NOT NULL,
    n           bigint NOT NULL,
    passed      bigint NOT NULL,
    failed      bigint NOT NULL,
    error       bigint NOT NULL,
    skipped     bigint NOT NULL,
    xfailed     bigint NOT NULL,
    xpassed     bigint NOT NULL,
    interrupted bigint NOT NULL,
    sum_us      bigint NOT NULL,
    min_us      bigint NOT NULL,
    max_us      bigint NOT NULL,
    PRIMARY KEY (hour, framework, environment, git_branch, slot)
) WITH (fillfactor = 70);

-- Histograms of test durations: cnt[i] attempts in bin lo + i - 1; bin b holds durations about 1.0408^b us.
-- Read them with crossbridge.hist_sum (aggregate) and crossbridge.hist_percentile.
CREATE TABLE crossbridge.hist_hour (
    hour        timestamptz NOT NULL,
    framework   text NOT NULL,
    environment text NOT NULL,
    git_branch  text NOT NULL,
    slot        smallint NOT NULL,
    lo          integer NOT NULL,
    cnt         integer[] NOT NULL,
    packed      numeric GENERATED ALWAYS AS (crossbridge.hist_pack(lo, cnt)) STORED,
    PRIMARY KEY (hour, framework, environment, git_branch, slot)
) WITH (fillfactor = 70);

-- The same by day and without the branch, for windows of weeks.
CREATE TABLE crossbridge.hist_day (
    day         date NOT NULL,
    framework   text NOT NULL,
    environment text NOT NULL,
    slot        smallint NOT NULL,
    lo          integer NOT NULL,
    cnt         integer[] NOT NULL,
    packed      numeric GENERATED ALWAYS AS (crossbridge.hist_pack(lo, cnt)) STORED,
    PRIMARY KEY (day, framework, environment, slot)
) WITH (fillfactor = 70);

CREATE TABLE crossbridge.rollup_test_day (
    environment text NOT NULL,
    day         date NOT NULL,
    test_key    integer NOT NULL,
    n           integer NOT NULL,
    passed      integer NOT NULL,
    failed      integer NOT NULL,
    error       integer NOT NULL,
    skipped     integer NOT NULL,
    xfailed     integer NOT NULL,
    xpassed     integer NOT NULL,
    interrupted integer NOT NULL,
    sum_us      bigint NOT NULL,
    min_us      bigint NOT NULL,
    max_us      bigint NOT NULL,
    ln_sum      bigint NOT NULL DEFAULT 0,   -- of ln_us of passed attempts
    ln_sq       bigint NOT NULL DEFAULT 0,   -- of its square
    PRIMARY KEY (environment, day, test_key)
) WITH (fillfactor = 70);
COMMENT ON COLUMN crossbridge.rollup_test_day.environment IS
    'a name; *: all environments together; * and a branch: all environments together, runs with rolled_branch only';

CREATE TABLE crossbridge.rollup_step_day (
    test_key  integer NOT NULL,
    day       date NOT NULL,
    step_name text NOT NULL,
    n         bigint NOT NULL,
    failed    bigint NOT NULL,
    sum_us    bigint NOT NULL,
    min_us    bigint NOT NULL,
    max_us    bigint NOT NULL,
    PRIMARY KEY (test_key, day, step_name)
) WITH (fillfactor = 70);

-- What a run did: by way of `runs` that is also what a version, a commit, a branch did.
CREATE TABLE crossbridge.rollup_run_hour (
    hour        timestamptz NOT NULL,
    run_id      uuid NOT NULL,
    framework   text NOT NULL,
    n           bigint NOT NULL,
    passed      bigint NOT NULL,
    failed      bigint NOT NULL,
    error       bigint NOT NULL,
    skipped     bigint NOT NULL,
    sum_us      bigint NOT NULL,
    min_us      bigint NOT NULL,
    max_us      bigint NOT NULL,
    PRIMARY KEY (run_id, hour, framework)
) WITH (fillfactor = 70);
CREATE INDEX rollup_run_hour_hour ON crossbridge.rollup_run_hour (hour);

CREATE TABLE crossbridge.rollup_error_day (
    day         date NOT NULL,
    error_type  text NOT NULL,      -- the first 200 characters; '' when not told
    framework   text NOT NULL,
    environment text NOT NULL,
    git_branch  text NOT NULL,
    slot        smallint NOT NULL,
    failed      bigint NOT NULL,
    error       bigint NOT NULL,
    last_at     timestamptz NOT NULL,
    PRIMARY KEY (day, error_type, framework, environment, git_branch, slot)
) WITH (fillfactor = 70);

-- HTTP calls by endpoint and method, driver commands by command; with histograms like those of tests. Calls of a busy
-- branch (see runs.rolled_branch), all its environments together, are counted once more.
CREATE TABLE crossbridge.rollup_call_day (
    day         date NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('http', 'driver')),
    name        text NOT NULL,      -- the first 300 characters
    method      text NOT NULL,      -- the first 20; '' of a driver command
    environment text NOT NULL,
    n           bigint NOT NULL,
    errors      bigint NOT NULL,    -- HTTP: no answer, a status from 400 on, or an error; driver: an error
    retries     bigint NOT NULL,
    sum_us      bigint NOT NULL,
    max_us      bigint NOT NULL,
    lo          integer NOT NULL,
    cnt         integer[] NOT NULL,
    packed      numeric GENERATED ALWAYS AS (crossbridge.hist_pack(lo, cnt)) STORED,
    git_branch  text NOT NULL DEFAULT '',   -- '': all branches together; else `environment` is ''
    PRIMARY KEY (day, kind, git_branch, name, method, environment)
) WITH (fillfactor = 70);

-- What each test did in each version of the application, in an environment and on a branch.
CREATE TABLE crossbridge.version_dim (
    version_key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    app_version text NOT NULL,      -- the first 200 characters
    environment text NOT NULL,
    git_branch  text NOT NULL,
    UNIQUE (app_version, environment, git_branch)
);
CREATE TABLE crossbridge.rollup_test_version (
    version_key integer NOT NULL,
    day         date NOT NULL,
    test_key    integer NOT NULL,
    n           integer NOT NULL,
    passed      integer NOT NULL,
    failed      integer NOT NULL,
    error       integer NOT NULL,
    passed_us   bigint NOT NULL,    -- sum of the durations of passed attempts
    PRIMARY KEY (version_key, day, test_key)
) WITH (fillfactor = 70);

-- Who failed, was retried or passed in which run, by integer keys. Measured at 10 million tests: flakiness read from rows
-- with names and uuids took 700 ms over 90 days, of which two thirds went into comparing texts.

-- Attempts that passed, failed or broke, but for those that passed at once: some 3 % of all.
CREATE TABLE crossbridge.troubles (
    created_at  timestamptz NOT NULL,
    test_key    integer NOT NULL,
    run_key     integer NOT NULL,
    attempt     integer NOT NULL,
    passed      boolean NOT NULL,
    duration_us bigint NOT NULL
);
CREATE INDEX troubles_created_at ON crossbridge.troubles (created_at);

-- Those: bit i of `tests` is set when the test with key 512 * chunk + i passed at its first attempt in the run that day.
CREATE TABLE crossbridge.first_passes (
    day     date NOT NULL,
    run_key integer NOT NULL,
    chunk   integer NOT NULL,
    tests   bit(512) NOT NULL,
    PRIMARY KEY (day, run_key, chunk)
) WITH (fillfactor = 70);

-- What was pruned, and what is being rebuilt

-- Months whose rows 'crossbridge db prune' has dropped. Their rollups are all that is left of them: never rebuilt.
CREATE TABLE crossbridge.pruned_months (
    month     date PRIMARY KEY,
    pruned_at timestamptz NOT NULL DEFAULT now()
);

-- Segments that were pruned, and how far they had been delivered: what comes again is not stored again.
CREATE TABLE crossbridge.forgotten_segments (
    run_id     uuid NOT NULL,
    segment_id uuid NOT NULL,
    delivered  bigint NOT NULL,
    PRIMARY KEY (run_id, segment_id)
);

-- Days still to be rebuilt. A day leaves in the transaction that rebuilds it, so a rebuild cut short goes on where it was.
CREATE TABLE crossbridge.rebuild_queue (
    day   date PRIMARY KEY,
    since date   -- as it was asked for; null: all
);
