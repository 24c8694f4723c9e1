-- Months of the event tables.

CREATE OR REPLACE FUNCTION crossbridge.month_of(at_us bigint) RETURNS date
LANGUAGE sql STABLE STRICT
AS $$ SELECT date_trunc('month', to_timestamp(at_us / 1e6) AT TIME ZONE 'UTC')::date $$;

CREATE OR REPLACE FUNCTION crossbridge.partition_name(parent text, month date) RETURNS text
LANGUAGE sql STABLE STRICT
AS $$ SELECT parent || '_' || to_char(month, 'YYYYMM') $$;

-- Makes the partitions of one month. A table is made and then attached: CREATE TABLE .. PARTITION OF would shut out
-- readers and writers of the whole table until the commit.
CREATE OR REPLACE FUNCTION crossbridge.create_month(month date) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    parent text;
    partition text;
BEGIN
    -- One at a time. Not an advisory lock: only a table's makes the session forget what it knew of the table.
    LOCK TABLE crossbridge.tests IN SHARE UPDATE EXCLUSIVE MODE;
    IF to_regclass('crossbridge.' || crossbridge.partition_name('tests', month)) IS NOT NULL THEN
        RETURN;   -- made while we waited
    END IF;
    FOREACH parent IN ARRAY ARRAY['tests', 'steps', 'http_calls', 'driver_commands', 'system_metrics'] LOOP
        partition := crossbridge.partition_name(parent, month);
        EXECUTE format(
            'CREATE TABLE crossbridge.%I'
            ' (LIKE crossbridge.%I INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING CONSTRAINTS)', partition, parent);
        EXECUTE format(
            'ALTER TABLE crossbridge.%I ATTACH PARTITION crossbridge.%I FOR VALUES FROM (%L) TO (%L)', parent, partition,
            month::timestamp AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
    END LOOP;
END $$;

-- The partitions of these months and, beforehand, of the coming one.
CREATE OR REPLACE FUNCTION crossbridge.ensure_partitions(months date[]) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    month date;
BEGIN
    LOCK TABLE crossbridge.tests IN ROW EXCLUSIVE MODE;   -- 'crossbridge db prune' waits for us, or we for it
    FOREACH month IN ARRAY months || (date_trunc('month', now() AT TIME ZONE 'UTC') + interval '1 month')::date LOOP
        IF to_regclass('crossbridge.' || crossbridge.partition_name('tests', month)) IS NULL THEN
            PERFORM crossbridge.create_month(month);
        END IF;
    END LOOP;
END $$;
