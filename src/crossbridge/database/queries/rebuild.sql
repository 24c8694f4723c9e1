-- queue_rebuild --
-- Queues the days to rebuild; goes on with what is left of an earlier rebuild of the same days.
WITH resumed AS (
    SELECT count(*) > 0 AS yes FROM crossbridge.rebuild_queue WHERE since IS NOT DISTINCT FROM %(since)s::date
), queued AS (
    INSERT INTO crossbridge.rebuild_queue (day, since)
    SELECT d.day::date, %(since)s::date
      FROM pg_inherits AS i
      JOIN pg_class AS p ON p.oid = i.inhrelid
     CROSS JOIN LATERAL to_date(right(p.relname, 6), 'YYYYMM') AS m(month)
     CROSS JOIN LATERAL generate_series(m.month::timestamp, m.month + interval '1 month - 1 day', '1 day') AS d(day)
     WHERE i.inhparent = 'crossbridge.tests'::regclass
       AND NOT EXISTS (SELECT FROM crossbridge.pruned_months AS x WHERE x.month = m.month)
       AND NOT (SELECT yes FROM resumed)
       AND (%(since)s::date IS NULL OR d.day >= %(since)s)
       -- the coming month is there beforehand
       AND d.day <= greatest(now() + interval '1 day', (SELECT max(created_at) FROM crossbridge.tests),
                             (SELECT max(hour) FROM crossbridge.rollup_hour))
    ON CONFLICT (day) DO UPDATE SET since = excluded.since
    RETURNING day
)
SELECT (SELECT count(*) FROM queued) + (SELECT count(*) FROM crossbridge.rebuild_queue WHERE (SELECT yes FROM resumed)) AS days,
       (SELECT yes FROM resumed) AS resumed;

-- weeks_to_roll_up --
-- Weeks that are over and whose days are all there is: those of the days rebuilt, and any other.
SELECT environment, week
  FROM crossbridge.due_weeks(ARRAY(SELECT crossbridge.rollup_environments()), %(since)s::date - 6);
