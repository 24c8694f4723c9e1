"""Not for a test's process: it loads the database driver."""

from crossbridge.profiling.storage import Backend, LocalBackend, PostgresBackend, Session, make_backend

__all__ = ["Backend", "LocalBackend", "PostgresBackend", "Session", "make_backend"]
