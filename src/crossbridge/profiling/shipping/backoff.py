"""When to try again: exponential backoff with full jitter, so that many shippers do not call in step."""

from __future__ import annotations

import random
import time

FIRST_CEILING_S = 0.1
LAST_CEILING_S = 8.0
# What waiting does not mend (a wrong password) is tried again this rarely: somebody may mend it.
PERMANENT_WAIT_S = 30.0


class Backoff:
    """Monotonic seconds throughout."""

    def __init__(self) -> None:
        self._ceiling_s = FIRST_CEILING_S
        self._ready_at_s = 0.0

    @property
    def wait_s(self) -> float:
        """How long until it is time to try."""
        return max(0.0, self._ready_at_s - time.monotonic())

    @property
    def ready(self) -> bool:
        """Whether it is time to try."""
        return self.wait_s == 0.0

    def failed(self, *, permanent: bool = False) -> None:
        """Put off the next attempt, further each time."""
        wait_s = PERMANENT_WAIT_S if permanent else random.uniform(0, self._ceiling_s)  # noqa: S311
        self._ready_at_s = time.monotonic() + wait_s
        self._ceiling_s = min(2 * self._ceiling_s, LAST_CEILING_S)

    def hurry(self) -> None:
        """Let the next attempt be now; if it fails, waits go on growing."""
        self._ready_at_s = 0.0

    def succeeded(self) -> None:
        """Begin anew with short waits."""
        self._ceiling_s = FIRST_CEILING_S
        self._ready_at_s = 0.0
