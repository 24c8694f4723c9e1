"""The parts of the embedded PostgreSQL server; `crossbridge.database.server` is their one user."""
