"""Which database: everything needed to connect, and a name for it that holds no secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Target:
    """A PostgreSQL database. What is None is left to libpq (PG* variables, ~/.pgpass, its defaults)."""

    host: str | None = None
    port: int | None = None
    dbname: str | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    sslmode: str | None = None

    def __str__(self) -> str:
        return f"{self.host or 'libpq default'}:{self.port or 5432}" + (
            f"/{self.dbname}" if self.dbname else ""
        )

    def parameters(self) -> dict[str, Any]:
        """Keyword arguments for psycopg.connect; holds the password."""
        return {
            name: str(value)
            for name in ("host", "port", "dbname", "user", "password", "sslmode")
            if (value := getattr(self, name)) is not None
        }
