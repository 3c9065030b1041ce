"""Keeps calls to a service under a rate, and waits out its requests to slow down.

Must not know what is called; time comes from the clock it is given.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from credtray.core.errors import Throttled
from credtray.core.ports import Clock

T = TypeVar("T")

_ATTEMPTS = 8
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 30.0


class TokenBucket:
    """Lets ``burst`` calls through at once and ``rate`` per second after that; for any number of threads."""

    def __init__(self, rate: float, burst: int, clock: Clock) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._lock = threading.Lock()
        self._left = float(burst)
        self._seen: datetime | None = None

    def take(self) -> None:
        """Wait until one more call is allowed.

        A caller reserves its place first and waits outside the lock, so callers are served in order.
        """
        with self._lock:
            now = self._clock.now()
            passed = now - self._seen if self._seen is not None else timedelta()
            # A clock set back gives nothing; one set forward fills the bucket, never more.
            self._left = min(self._left + max(passed.total_seconds(), 0.0) * self._rate, float(self._burst))
            self._seen = now
            self._left -= 1
            missing = -self._left
        if missing > 0:
            self._clock.wait(missing / self._rate)


class Pacer:
    """A token bucket that also backs off, with full jitter, when the service answers 429."""

    def __init__(self, bucket: TokenBucket, clock: Clock, jitter: Callable[[], float]) -> None:
        self._bucket = bucket
        self._clock = clock
        self._jitter = jitter
        """Returns a random number of [0, 1)."""

    def run(self, request: Callable[[], T]) -> T:
        """Make the request, again after each 429, at most eight times.

        Raises:
            Throttled: the service still asked to slow down at the last attempt.
        """
        for tried in range(_ATTEMPTS - 1):
            self._bucket.take()
            try:
                return request()
            except Throttled as throttled:
                self._clock.wait(self._pause(tried, throttled.retry_after))
        self._bucket.take()
        return request()

    def _pause(self, attempt: int, asked: float | None) -> float:
        jittered = self._jitter() * min(_FIRST_WAIT * 2.0**attempt, _LONGEST_WAIT)
        return min(asked, _LONGEST_WAIT) + jittered if asked is not None else jittered
