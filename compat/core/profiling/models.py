"""The guide's path to settings and events.

PYTEST_DONT_REWRITE
"""

from crossbridge.profiling.models import EventType, PerformanceEvent, ProfileConfig, StorageBackendType

__all__ = ["EventType", "PerformanceEvent", "ProfileConfig", "StorageBackendType"]
