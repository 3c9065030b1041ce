"""Time as the file layer sees it: a clock to read and a way to wait, both injected so that tests never sleep.

Waits for short moments only (milliseconds to seconds); anything longer belongs to the daemon's ticks.
"""

from __future__ import annotations

import time
from typing import Protocol


class Waiter(Protocol):
    """A clock and a pause."""

    def monotonic(self) -> float:
        """Seconds that never jump."""
        ...

    def wall(self) -> float:
        """Seconds since 1970, comparable with a file's modification time."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return after *seconds*."""
        ...


class RealWaiter:
    """The computer's own time."""

    def monotonic(self) -> float:
        """See ``Waiter``."""
        return time.monotonic()

    def wall(self) -> float:
        """See ``Waiter``."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """See ``Waiter``."""
        time.sleep(seconds)
