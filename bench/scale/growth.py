"""What the rows, their indexes and the rollups take on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from psycopg import Connection

_SIZES = """
    SELECT coalesce(root.relname, c.relname) AS name, sum(greatest(c.reltuples, 0))::bigint AS rows,
           sum(pg_table_size(c.oid))::bigint AS data, sum(pg_indexes_size(c.oid))::bigint AS indexes
      FROM pg_class AS c
      LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid
      LEFT JOIN pg_class AS root ON root.oid = i.inhparent
     WHERE c.relnamespace = 'crossbridge'::regnamespace AND c.relkind = 'r'
     GROUP BY 1 HAVING sum(greatest(c.reltuples, 0)) > 0
     ORDER BY sum(pg_total_relation_size(c.oid)) DESC, 1
"""
EVENTS = ("tests", "steps", "http_calls", "driver_commands", "system_metrics")


class Size(Struct, frozen=True):
    """A table with all its partitions: rows as the server estimates them, bytes."""

    name: str
    rows: int
    data: int
    indexes: int

    @property
    def whole(self) -> int:
        return self.data + self.indexes


def sizes(connection: Connection[Any]) -> list[Size]:
    """All tables of the schema that hold something, the largest first."""
    return [Size(*row) for row in connection.execute(_SIZES).fetchall()]
