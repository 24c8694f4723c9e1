-- Roles belong to the whole server and may be there already, made for another database. They cannot log in: people and
-- programs are made their members.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['crossbridge_writer', 'crossbridge_reader'] LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', wanted);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;   -- made by another process in this moment
            END;
        END IF;
    END LOOP;
END $$;

GRANT USAGE ON SCHEMA crossbridge TO crossbridge_writer, crossbridge_reader;

-- A writer can hand over events and nothing else: ingest runs with its owner's rights.
GRANT EXECUTE ON FUNCTION crossbridge.ingest(uuid, uuid, bigint, bigint, jsonb) TO crossbridge_writer;

-- A reader can look at everything, coming months and tables included; what is there already: rights.sql.
ALTER DEFAULT PRIVILEGES IN SCHEMA crossbridge GRANT SELECT ON TABLES TO crossbridge_reader;
