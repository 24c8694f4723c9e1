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

-- forget_in_flight --
-- Tests that began so long ago and were never told to have ended.
DELETE FROM crossbridge.in_flight
 WHERE started_at < %(cutoff)s;

-- forget_segments --
-- Segments are remembered as long as their file may come again.
DELETE FROM crossbridge.segments
 WHERE last_at < %(cutoff)s;
