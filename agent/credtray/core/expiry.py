"""How long a credential still lives, when to look again, and what is known of the end of a sign-in.

Pure: *now* is always an argument and always in UTC. Nothing here decides what to do; see ``policy``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from credtray.core.models import CredentialStatus, EndProof, SignIn

AHEAD = timedelta(minutes=20)
"""Refresh with this much left: above botocore's 15-minute window, so no SDK ever refreshes itself."""

SERVABLE = timedelta(minutes=15)
"""Hand out role credentials with more than this left: below it botocore asks again at every request."""

CUT_TOLERANCE = timedelta(seconds=60)
"""A token shorter than usual by more than this was cut at the end of the sign-in."""

CUT_SHARE = 20
"""Of tokens that live only minutes: shorter by more than a twentieth means cut."""

SAME_END = timedelta(minutes=2)
"""Two ends closer than this are the same end."""

SHORTEST_SIGN_IN = timedelta(minutes=15)
"""The service allows no shorter sign-in, so a refusal before this teaches nothing about its length."""


@dataclass(frozen=True, slots=True)
class RefreshWindows:
    """How long before the end each stage begins."""

    advisory: timedelta
    mandatory: timedelta


def windows_for(life: timedelta) -> RefreshWindows:
    """Return the windows of a credential of that life: 20 and 10 minutes, or 1/3 and 1/6 of a short life."""
    advisory = min(AHEAD, life / 3)
    return RefreshWindows(advisory, advisory / 2)


def servable_window(life: timedelta) -> timedelta:
    """Return how much must be left (more than this) to hand credentials of that life to a program."""
    return min(SERVABLE, life / 4)


def freshness(expires_at: datetime, now: datetime, windows: RefreshWindows) -> CredentialStatus:
    """Classify a credential; both edges belong to the more urgent side."""
    left = expires_at - now
    if left <= timedelta(0):
        return CredentialStatus.EXPIRED
    if left <= windows.mandatory:
        return CredentialStatus.MANDATORY
    if left <= windows.advisory:
        return CredentialStatus.ADVISORY
    return CredentialStatus.FRESH


@dataclass(frozen=True, slots=True)
class SignInMemory:
    """What a session's past taught us; it survives a restart."""

    length: timedelta | None = None
    """How long the last sign-in lasted, once proven."""
    token_life: timedelta | None = None
    """How long an uncut access token of this session lives."""


def begin_sign_in(
    now: datetime,
    token_expires_at: datetime,
    memory: SignInMemory,
    setting: timedelta,
    previous: SignIn | None,
) -> SignIn:
    """Return what is known right after a browser sign-in.

    A first token that is shorter than usual was cut: the service joined a sign-in that was still active,
    or the sign-in is shorter than a token lives. A full-length one that happens to end with the sign-in
    before it proves nothing; only where the usual length is not known the same end is taken as a proof.
    """
    if _was_cut(token_expires_at - now, token_expires_at, memory, previous, now):
        return SignIn(now, token_expires_at, EndProof.CUT)
    if memory.length is not None:
        return SignIn(now, max(now + memory.length, token_expires_at), EndProof.LAST_LENGTH)
    return SignIn(now, max(now + setting, token_expires_at), EndProof.SETTING)


def _was_cut(
    life: timedelta, token_expires_at: datetime, memory: SignInMemory, previous: SignIn | None, now: datetime
) -> bool:
    if memory.token_life is not None:
        return shorter_than_usual(life, memory.token_life)
    if previous is None or not previous.proof.proven or previous.ends_at <= now:
        return False
    return _same(previous.ends_at, token_expires_at)


def shorter_than_usual(life: timedelta, usual: timedelta) -> bool:
    """Tell whether a token of that life was cut, other tokens of the session living as long as usual."""
    return life < usual - min(CUT_TOLERANCE, usual / CUT_SHARE)


def learn_from_refresh(
    sign_in: SignIn, life: timedelta, token_expires_at: datetime, memory: SignInMemory, margin: timedelta
) -> SignIn:
    """Return what is known after a refresh brought a token of that life, good until ``token_expires_at``.

    An uncut token proves that the sign-in lasts at least as long as the token; ``margin`` on top keeps an
    estimate, which was just disproved, from raising a warning before the next refresh can tell more.
    """
    usual = memory.token_life
    if usual is not None and shorter_than_usual(life, usual):
        return replace(sign_in, ends_at=token_expires_at, proof=EndProof.CUT)
    if sign_in.ends_at >= token_expires_at and not sign_in.proof.proven:
        return sign_in
    return replace(sign_in, ends_at=token_expires_at + margin, proof=EndProof.SETTING)


def learn_from_refusal(
    sign_in: SignIn, now: datetime, alive_at: datetime, precision: timedelta = timedelta(hours=1)
) -> SignIn:
    """Return what is known after a refresh was refused: it has ended, now at the latest.

    That proves when only if it was alive shortly before. After a night's sleep the end may be hours ago:
    then the estimate stands, as far as it fits, and stays one.

    Args:
        sign_in: as it was believed to be.
        now: when the refusal came.
        alive_at: the last moment at which it is known to have been alive.
        precision: how long before now that may be for the refusal to be a proof.
    """
    if sign_in.proof is EndProof.CUT:
        return replace(sign_in, ends_at=min(sign_in.ends_at, now), proof=EndProof.REFUSED)
    if now - alive_at <= precision:
        return replace(sign_in, ends_at=now, proof=EndProof.REFUSED)
    return replace(sign_in, ends_at=min(max(sign_in.ends_at, alive_at), now))


def remember(sign_in: SignIn, memory: SignInMemory) -> SignInMemory:
    """Return the memory with this sign-in's proven length, if it has one worth keeping."""
    length = sign_in.ends_at - sign_in.started_at
    if not sign_in.proof.proven or not sign_in.observed or length < SHORTEST_SIGN_IN:
        return memory
    return replace(memory, length=length)


class Moved(Enum):
    """Whether a fresh sign-in moved the end."""

    LATER = "later"
    """Certainly: the new token alone outlives the old end."""
    SAME = "same"
    """No: the service joined the sign-in that was still active."""
    UNKNOWN = "unknown"
    """Not known yet: the next refreshes will tell."""


def compare_ends(before: SignIn | None, after: SignIn, token_expires_at: datetime) -> Moved:
    """Tell whether the new sign-in ends later than the one before it."""
    if before is None or token_expires_at > before.ends_at + SAME_END:
        return Moved.LATER
    if after.proof.proven:
        return Moved.SAME if after.ends_at <= before.ends_at + SAME_END else Moved.LATER
    return Moved.UNKNOWN


def _same(one: datetime, other: datetime) -> bool:
    return abs(one - other) <= SAME_END
