-- Schema crossbridge, version 1: what the performance guide promises, and what is ours on top.
--
-- Event tables are partitioned by month of created_at (the client's clock when the event ended). There is no
-- default partition: crossbridge.ingest makes a missing month. No foreign keys: segments of one run arrive in
-- any order, and a table may one day be distributed by run_id.
-- Names are limited to 1,000 bytes where an index holds them: an entry takes at most some 2,700.

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
    interrupted      bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 70);
CREATE INDEX runs_started_at ON crossbridge.runs (started_at);

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
    PRIMARY KEY (day, framework, environment, slot)
) WITH (fillfactor = 70);

CREATE TABLE crossbridge.rollup_test_day (
    environment text NOT NULL,      -- '*': all environments together
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
    PRIMARY KEY (environment, day, test_key)
) WITH (fillfactor = 70);

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
