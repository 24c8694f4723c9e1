-- months --
-- The months that have partitions, with their size.
SELECT to_date(right(p.relname, 6), 'YYYYMM') AS month,
       sum(greatest(p.reltuples, 0))::bigint AS rows,
       sum(pg_total_relation_size(p.oid))::bigint AS bytes
  FROM pg_inherits AS i
  JOIN pg_class AS p ON p.oid = i.inhrelid
  JOIN pg_class AS t ON t.oid = i.inhparent
 WHERE t.relnamespace = 'crossbridge'::regnamespace
   AND t.relname = ANY (%(tables)s)
 GROUP BY 1
 ORDER BY 1;

-- count_old --
-- What forget_segments and forget_in_flight would remove.
SELECT (SELECT count(*) FROM crossbridge.segments WHERE last_at < %(cutoff)s) AS segments,
       (SELECT count(*) FROM crossbridge.in_flight WHERE started_at < %(cutoff)s) AS in_flight;

-- note_pruned_month --
-- From now on the rollups of this month are all that is left of it, and no rebuild may touch them. Those that tell of
-- single attempts go as the rows do.
WITH noted AS (
    INSERT INTO crossbridge.pruned_months (month) VALUES (%(month)s)
    ON CONFLICT (month) DO UPDATE SET pruned_at = now()
), troubles AS (
    DELETE FROM crossbridge.troubles
     WHERE created_at >= %(month)s::timestamp AT TIME ZONE 'UTC'
       AND created_at < (%(month)s::timestamp + interval '1 month') AT TIME ZONE 'UTC'
), passes AS (
    DELETE FROM crossbridge.first_passes
     WHERE day >= %(month)s::date AND day < %(month)s::date + interval '1 month'
)
DELETE FROM crossbridge.rebuild_queue
 WHERE day >= %(month)s::date AND day < %(month)s::date + interval '1 month';

-- forget_in_flight --
-- Tests that began so long ago and were never told to have ended.
DELETE FROM crossbridge.in_flight
 WHERE started_at < %(cutoff)s;

-- forget_segments --
-- Of a segment there stays how far it was delivered, in case its file comes again.
WITH old AS (
    DELETE FROM crossbridge.segments
     WHERE last_at < %(cutoff)s
    RETURNING run_id, segment_id, delivered
)
INSERT INTO crossbridge.forgotten_segments (run_id, segment_id, delivered)
SELECT run_id, segment_id, delivered FROM old
ON CONFLICT (run_id, segment_id) DO UPDATE SET delivered = greatest(forgotten_segments.delivered, excluded.delivered);
