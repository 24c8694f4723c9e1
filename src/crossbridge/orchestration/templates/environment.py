import sys

try:
    from crossbridge.integrations.behave import install as install_crossbridge

    install_crossbridge()
except ImportError as crossbridge_missing:  # the tests run without it
    print(f"crossbridge: profiling is off for this run: {crossbridge_missing}", file=sys.stderr)
