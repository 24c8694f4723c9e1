-- Nobody may call what is not given to him. Readers, where 'crossbridge db init' has made that role, look at everything:
-- functions that only read run with the rights of who calls them.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA crossbridge FROM PUBLIC;
DO $$
DECLARE
    reading regprocedure;
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'crossbridge_reader') THEN
        FOR reading IN SELECT p.oid FROM pg_catalog.pg_proc AS p
                        WHERE p.pronamespace = 'crossbridge'::regnamespace AND p.provolatile <> 'v' AND NOT p.prosecdef LOOP
            EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO crossbridge_reader', reading);
        END LOOP;
        GRANT SELECT ON ALL TABLES IN SCHEMA crossbridge TO crossbridge_reader;
    END IF;
END $$;
