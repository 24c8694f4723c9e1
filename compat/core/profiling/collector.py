"""The guide's path to the collector.

PYTEST_DONT_REWRITE
"""

from crossbridge.profiling.collector import MetricsCollector

__all__ = ["MetricsCollector"]
