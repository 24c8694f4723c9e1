"""CrossBridge's listener for Robot Framework, which comes as a library without keywords too.

`robot tests` loads it by the Library line in tests/__init__.robot. Robot Framework does
not read that line when it is given a single file or a folder below. There, name it:

    robot --listener crossbridge_listener.py tests/cart.robot
"""

try:
    from crossbridge.integrations.robot_library import Library
except ImportError as error:  # the tests run without it
    import sys

    print(f"crossbridge: profiling is off for this run: {error}", file=sys.stderr)

    class Library:
        """Records nothing."""

        def __init__(self):
            self.ROBOT_LIBRARY_LISTENER = self


class crossbridge_listener(Library):
    """Robot Framework takes the class named like the file."""
