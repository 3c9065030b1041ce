"""How long to leave the portal alone after a failure. Pure: the spread comes from a seed, not from chance."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from credtray.core.errors import (
    CertificateRefused,
    FileContended,
    FileUnwritable,
    Offline,
    Problem,
    RoleRefused,
)
from credtray.core.state import Trouble

_FAST = timedelta(seconds=5)
_FAST_CAP = timedelta(seconds=15)
_FAST_FOR = timedelta(minutes=10)
_SLOW = timedelta(minutes=1)
_SLOW_CAP = timedelta(minutes=7)
"""1, 2, 4, 7, 7 ... minutes: at most 12 calls in any hour of a storm."""
_FILE = timedelta(seconds=10)
_FILE_CAP = timedelta(seconds=45)
"""A disk that has room again is noticed within a minute."""
_ROLE = timedelta(minutes=5)
_ROLE_CAP = timedelta(hours=1)
_SPREAD = 0.2
_LONGEST_WISH = 3600
"""Seconds; a Retry-After beyond an hour is taken for a mistake."""


def trouble_after(before: Trouble | None, problem: Problem, now: datetime, seed: str) -> Trouble:
    """Return the trouble with its next try; a failure of another kind starts counting anew.

    Failures that never reach the portal (offline) are tried again quickly, because the moment the network
    returns is what people feel; answers that ask for peace (429, 5xx) get it.
    """
    same = before is not None and before.problem.code == problem.code
    since = before.since if before is not None and same else now
    began = before.began if before is not None and same else None
    attempts = before.attempts + 1 if before is not None and same else 1
    delay = _delay(problem.code, attempts, now - since)
    delay += delay * _SPREAD * _share(f"{seed}/{problem.code}/{attempts}")
    return Trouble(
        problem,
        since,
        attempts,
        now + max(delay, timedelta(seconds=min(problem.retry_after or 0, _LONGEST_WISH))),
        began,
    )


def _delay(code: str, attempts: int, lasted: timedelta) -> timedelta:
    doublings = 1 << min(attempts - 1, 10)
    if code in {Offline.code, CertificateRefused.code}:
        return min(_FAST * doublings, _FAST_CAP if lasted < _FAST_FOR else _SLOW)
    if code in {FileUnwritable.code, FileContended.code}:
        return min(_FILE * doublings, _FILE_CAP)
    if code == RoleRefused.code:
        return min(_ROLE * doublings, _ROLE_CAP)
    return min(_SLOW * doublings, _SLOW_CAP)


def _share(text: str) -> float:
    """Return a number in [0, 1) that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") / 2**32
