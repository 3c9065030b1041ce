"""The demo's time: one clock for all its processes, whose pace changes while it runs.

Implements ``core.ports.Clock``. It starts in step with the real clock, so that commands which know only real
time (`credtray setup`) agree with it, and runs fast once they are done. It never jumps.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

_SLICE_SECONDS = 0.05
_WRITE_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Pace:
    """Since when time runs how fast."""

    since: float
    """Reading of ``time.monotonic``, which counts from the start of the machine for every process alike."""
    at: float
    """The demo's time then, in seconds since 1970."""
    speed: float

    def seconds(self) -> float:
        """Return the demo's time now, in seconds since 1970."""
        return self.at + (time.monotonic() - self.since) * self.speed


class PacedClock:
    """Reads the pace from a file; whoever owns the demo changes it there.

    Args:
        path: of the file; must exist when the time is first asked for (see ``start``).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[tuple[int, int] | None, Pace] = (None, Pace(0, 0, 1))

    def start(self) -> None:
        """Begin in step with the real clock."""
        self._write(Pace(time.monotonic(), time.time(), 1))

    def run(self, speed: float) -> None:
        """Go on from now with another pace."""
        self._write(Pace(time.monotonic(), self._pace().seconds(), speed))

    @property
    def speed(self) -> float:
        """How many of the demo's seconds pass in a real one."""
        return self._pace().speed

    def now(self) -> datetime:
        """Return the demo's time, aware, in UTC."""
        return datetime.fromtimestamp(self._pace().seconds(), UTC)

    def wait(self, seconds: float) -> None:
        """Block the calling thread for so many of the demo's seconds."""
        until = self.now() + timedelta(seconds=seconds)
        while (left := (until - self.now()).total_seconds()) > 0:
            time.sleep(min(left / self.speed, _SLICE_SECONDS))

    def _pace(self) -> Pace:
        known, pace = self._read
        with suppress(OSError):  # the throw-away home has just been removed: the last pace will do
            found = self._path.stat()
            stamp = (found.st_ino, found.st_mtime_ns)
            if stamp != known:
                pace = Pace(**json.loads(self._path.read_text("ascii")))
                self._read = (stamp, pace)
        return pace

    def _write(self, pace: Pace) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(pace)), "ascii")
        for attempt in range(_WRITE_ATTEMPTS):
            try:
                fresh.replace(self._path)
            except PermissionError:  # Windows, while the agent is reading it
                if os.name != "nt" or attempt == _WRITE_ATTEMPTS - 1:
                    raise
                time.sleep(_SLICE_SECONDS)
            else:
                return
