-- `flaky` reads the rows of its few hundred suspects alone; they have all that is asked of them in the index.
CREATE INDEX troubles_test_key ON crossbridge.troubles (test_key, created_at) INCLUDE (run_key, attempt, passed, duration_us);
