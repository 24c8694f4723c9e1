"""Profiling for twelve test frameworks.

Importing this package imports nothing but what `step` needs: it may happen in any test process.

PYTEST_DONT_REWRITE
"""

from crossbridge._version import __version__
from crossbridge.steps import step

__all__ = ["__version__", "step"]
