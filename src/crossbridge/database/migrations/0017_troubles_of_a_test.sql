-- `flaky` reads two things of troubles: who failed in a window, and all of a few hundred tests. Each stands in an index that
-- has all columns it asks for: rows of one test lie far apart, and the table's pages need not be touched.
DROP INDEX crossbridge.troubles_created_at;
CREATE INDEX troubles_created_at ON crossbridge.troubles (created_at) INCLUDE (test_key, run_key, passed);
CREATE INDEX troubles_test_key ON crossbridge.troubles (test_key, created_at) INCLUDE (run_key, attempt, passed, duration_us);
