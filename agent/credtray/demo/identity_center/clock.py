"""Clocks for the embedded Identity Center: the real one, and one that runs faster for the demo.

The state never reads a clock: the holder of one of these passes the time in.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Returns an aware UTC datetime."""


def system_clock() -> datetime:
    """Return the time of this computer."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class FastClock:
    """Time that runs *speed* times faster since *origin*.

    Two processes with the same origin and speed agree, so the demo's agent and its portal share one time.
    """

    speed: float
    origin: datetime

    def __call__(self) -> datetime:
        """Return the fast time, aware UTC."""
        elapsed = time.time() - self.origin.timestamp()
        return self.origin + timedelta(seconds=elapsed * self.speed)
