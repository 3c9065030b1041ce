"""Posts a tick every 30 s, and hints when the machine slept or somebody set its clock.

Holds no deadline: a late or lost tick costs nothing, since every tick looks at all of them again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import schedule

from credtray.core.events import ClockChanged, Tick, Woke

_log = logging.getLogger(__name__)

TICK_SECONDS = 30
_SLEPT_SECONDS = 1.0
_SET_SECONDS = 2.0
"""More than NTP slews in a tick, less than what could hide the end of anything."""
_MARGIN_SECONDS = 0.01
"""Rather a little late than a little early: an early look finds nothing to do and costs a second wakeup."""

Hint = Tick | Woke | ClockChanged


class Clocks(Protocol):
    """The system's clocks; see desktop/clock_watch."""

    def now(self) -> datetime:
        """Return the wall clock, aware, in UTC."""
        ...

    def awake(self) -> float:
        """Return seconds on a clock that stands still in sleep."""
        ...

    def running(self) -> float:
        """Return seconds on a clock that goes on in sleep."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """All clocks at one moment; seconds as in ``Clocks``."""

    now: datetime
    awake: float
    running: float

    def hints_since(self, earlier: Reading) -> list[Hint]:
        """Tell what happened to the clocks between two readings."""
        running = self.running - earlier.running
        hints: list[Hint] = []
        if running - (self.awake - earlier.awake) > _SLEPT_SECONDS:
            hints.append(Woke())
        set_by = (self.now - earlier.now).total_seconds() - running
        if abs(set_by) > _SET_SECONDS:
            hints.append(ClockChanged(timedelta(seconds=set_by)))
        return hints


class Scheduler:
    """Runs forever as an asyncio task."""

    def __init__(self, post: Callable[[Hint], None], clocks: Clocks, every: int = TICK_SECONDS) -> None:
        self._post = post
        self._clocks = clocks
        self._every = every
        """Seconds of real time between two ticks; a sped-up demonstration ticks more often."""
        self._jobs = schedule.Scheduler()
        self._nudge = asyncio.Event()
        self._last = self._read()

    def look(self) -> None:
        """Look at the clocks now: something may have happened to them. Only on the loop's own thread."""
        self._nudge.set()

    async def run(self) -> None:
        """Tick until cancelled."""
        self._begin_anew()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause()):
                    await self._nudge.wait()
            self._nudge.clear()
            self._look()

    def _look(self) -> None:
        before, self._last = self._last, self._read()
        hints = self._last.hints_since(before)
        for hint in hints:
            self._tell(hint)
        if hints:
            # schedule keeps naive local times: set back by five hours, its next run is five hours off.
            self._begin_anew()
            self._tell(Tick())
        self._jobs.run_pending()

    def _begin_anew(self) -> None:
        self._jobs.clear()
        self._jobs.every(self._every).seconds.do(self._tell, Tick())

    def _tell(self, hint: Hint) -> None:
        try:
            self._post(hint)
        except Exception:  # noqa: BLE001 -- schedule never again runs a job that raised, nor any after it
            _log.exception("%s could not be posted", type(hint).__name__)

    def _pause(self) -> float:
        idle = self._jobs.idle_seconds
        # Within these bounds whatever the wall clock says: schedule's answer is a difference of wall times.
        return min(max(idle or 0.0, 0.0) + _MARGIN_SECONDS, self._every + _MARGIN_SECONDS)

    def _read(self) -> Reading:
        return Reading(self._clocks.now(), self._clocks.awake(), self._clocks.running())
