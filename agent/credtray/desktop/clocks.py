"""This system's clocks: the wall, and how long the machine has been running, with and without sleep.

Decides nothing from them; see daemon/scheduler.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime


class SystemClock:
    """The real time, as ``core.ports.Clock`` and the scheduler want it."""

    def now(self) -> datetime:
        """Return the wall clock, aware, in UTC."""
        return datetime.now(UTC)

    def wait(self, seconds: float) -> None:
        """Block the calling thread; not for the event loop."""
        time.sleep(max(0.0, seconds))

    def awake(self) -> float:
        """Return seconds on a clock that nobody can set and that stands still in sleep."""
        return time.monotonic()

    def running(self) -> float:
        """Return seconds on a clock that nobody can set and that goes on in sleep.

        Where the system has no such clock, ``awake()``: then sleep looks like a clock that was set, and both
        only make us look again.
        """
        if sys.platform == "linux":
            return time.clock_gettime(time.CLOCK_BOOTTIME)
        else:  # noqa: RET505 -- type checkers take the branch of their platform
            return time.monotonic()
