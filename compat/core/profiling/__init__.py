"""The guide's paths to `crossbridge.profiling`.

PYTEST_DONT_REWRITE
"""
