"""One module per framework: each translates that framework's callbacks into calls of the collector.

PYTEST_DONT_REWRITE
"""
