"""Short pauses that take no time: a fake of agent/credtray/files/open_directory for tests of files."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime


def _nothing(_seconds: float) -> None:
    return None


@dataclass(slots=True)
class HandWaiter:
    """A clock that only a pause moves; ``during`` says what happens in each pause."""

    during: Callable[[float], None] = _nothing
    time: float = field(default_factory=time.time)
    pauses: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.time

    def wall(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        self.pauses.append(seconds)
        self.during(seconds)


@dataclass(slots=True)
class StillClock:
    """``ports.Clock`` that stands still until it is moved."""

    time: datetime = datetime(2026, 11, 22, 19, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def wait(self, seconds: float) -> None:
        raise AssertionError(f"nothing here waits for {seconds} s")
