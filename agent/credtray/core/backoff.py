"""How long to leave the portal alone after a failure. Pure: the spread comes from a seed, not from chance."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from credtray.core.errors import (
    AssumeRoleRefused,
    CertificateRefused,
    FileContended,
    FileInUse,
    FileRefused,
    FileUnparsable,
    FileUnwritable,
    IniRefused,
    NetworkSettingRefused,
    Offline,
    OwnFault,
    PortalFailed,
    Problem,
    ProfileRefused,
    RoleRefused,
    Throttled,
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
_OF_FILES = frozenset(
    each.code for each in (FileContended, FileInUse, FileRefused, FileUnparsable, FileUnwritable, IniRefused)
)
"""Trying again costs nobody else anything."""
_ROLE = timedelta(minutes=5)
_ROLE_CAP = timedelta(hours=1)
_REFUSAL_CAP = timedelta(minutes=30)
"""1, 2, 4, 8, 16, 30, 30 ... minutes: a token that is not renewed is asked for again in vain, mostly."""
ASKED_FLOOR = timedelta(minutes=1)
"""A new request starts a new try, unless the last one failed less than this ago."""
_UNHEARD = frozenset({Offline.code, CertificateRefused.code})
"""These tries never reach the portal, so they cost it nothing."""
_OVERLOADED = frozenset({Throttled.code, PortalFailed.code})
_ASKED_IN_A_STORM = 1
"""So many failures of a portal that has too much to do are followed by a new try when somebody asks."""
_CHANGED_FLOOR = timedelta(seconds=1)
"""A file that changes all the time is not written to all the time."""
_OURS = timedelta(hours=1)
"""What no further try solves: somebody has to change a setting, or the program."""
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
    return Trouble(problem, since, attempts, now + max(delay, _wished(problem)), began, now)


def refusal_after(before: Trouble | None, problem: Problem, now: datetime, seed: str) -> Trouble:
    """Return the refusal of a refresh with its next try; a refusal of another kind goes on with the count."""
    since = before.since if before is not None else now
    attempts = before.attempts + 1 if before is not None else 1
    delay = min(_SLOW * (1 << min(attempts - 1, 10)), _REFUSAL_CAP)
    delay += delay * _SPREAD * _share(f"{seed}/refusal/{attempts}")
    return Trouble(problem, since, attempts, now + max(delay, _wished(problem)), None, now)


def sooner_for_asker(trouble: Trouble | None, now: datetime) -> Trouble | None:
    """Return the trouble with its next try as early as the asking of a person or a program may have it."""
    if trouble is None:
        return None
    return replace(trouble, retry_at=min(trouble.retry_at, max(now, free_to_ask(trouble))))


def free_to_ask(trouble: Trouble) -> datetime:
    """Return from when on somebody's asking is tried at once; what the service wished for is kept."""
    if trouble.problem.code in _OVERLOADED and trouble.attempts > _ASKED_IN_A_STORM:
        return trouble.retry_at
    floor = _FAST if trouble.problem.code in _UNHEARD else ASKED_FLOOR
    return (trouble.tried_at or trouble.since) + max(floor, _wished(trouble.problem))


def sooner_after_change(trouble: Trouble, now: datetime) -> Trouble:
    """Return the trouble of a file that was changed, with its next try at once but for a short floor."""
    earliest = (trouble.tried_at or trouble.since) + _CHANGED_FLOOR
    return replace(trouble, retry_at=min(trouble.retry_at, max(now, earliest)))


def _wished(problem: Problem) -> timedelta:
    return timedelta(seconds=min(problem.retry_after or 0, _LONGEST_WISH))


def _delay(code: str, attempts: int, lasted: timedelta) -> timedelta:
    doublings = 1 << min(attempts - 1, 10)
    if code in _UNHEARD:
        return min(_FAST * doublings, _FAST_CAP if lasted < _FAST_FOR else _SLOW)
    if code in _OF_FILES:
        return min(_FILE * doublings, _FILE_CAP)
    if code in {NetworkSettingRefused.code, ProfileRefused.code, OwnFault.code}:
        return _OURS
    if code in {RoleRefused.code, AssumeRoleRefused.code}:
        return min(_ROLE * doublings, _ROLE_CAP)
    return min(_SLOW * doublings, _SLOW_CAP)


def _share(text: str) -> float:
    """Return a number in [0, 1) that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") / 2**32


# How long to wait before what failed is tried again, where a row of seconds says it. Pure.
#
# Waits for nothing. What the portal is spared is in ``backoff``.


def pause_after(failures: int, row: Sequence[float]) -> float:
    """Return the seconds after so many failures before this one; the last of the row is for good."""
    return row[min(failures, len(row) - 1)]
