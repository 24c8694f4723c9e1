"""What a user can see of a library, printed, so that two runs can be compared."""

import inspect
import re
import traceback


def show(*facts):
    print("SEEN", *(re.sub(r"127\.0\.0\.1:\d+|port=\d+|0x[0-9a-f]+", "", str(fact)) for fact in facts))


def show_error(error):
    """The error, the chain of those behind it, and every frame of each."""
    while error is not None:
        frames = [
            (frame.name, frame.filename.rpartition("/")[2])
            for frame in traceback.extract_tb(error.__traceback__)
        ]
        show(type(error).__name__, error.args and type(error.args[0]).__name__, frames)
        error = error.__cause__ or error.__context__


def show_method(owner, name):
    method = getattr(owner, name)
    show(
        method.__module__,
        method.__qualname__,
        inspect.signature(method),
        inspect.iscoroutinefunction(method),
        inspect.getsource(method)[:100],
        inspect.getdoc(method),
    )
