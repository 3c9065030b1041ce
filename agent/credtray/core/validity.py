"""Will it last? What stands between a profile and credentials that are good for a given time. Pure.

Two kinds of need: who renews (credential_process, the endpoint, our section of the credentials file) needs
the sign-in to last, who gets keys once (`exec --env`, `env`) needs these keys to. Starts nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from credtray.core.expiry import servable_window
from credtray.core.models import EndProof, RoleCredentials
from credtray.core.session_status import servable, sign_in_of, sign_in_status, unrenewed
from credtray.core.state import ProfileState, SessionState, SignInStatus, State

_SLACK = timedelta(seconds=10)
_SLACK_SHARE = 60


@dataclass(frozen=True, slots=True)
class ValidUntil:
    """Good for that long, as things are."""

    until: datetime
    about: bool = False
    """True: it rests on an estimate of when the sign-in ends."""
    known_by: EndProof | None = None
    """How the end of the sign-in is known; None where the keys held are enough, or nothing is known."""
    guessed: bool = False
    """True: that it lasts as long as was wanted rests on that estimate; ``sure_until`` comes before."""
    sure_until: datetime | None = None
    """So long it lasts whenever the sign-in ends; None where that is ``until``."""


@dataclass(frozen=True, slots=True)
class FetchNeeded:
    """A call will tell: role credentials fetched now will do, or show that the role's never do.

    Also while the access token is over and not renewed yet: only that shows whether the sign-in lasts.
    """

    until: datetime
    """What these have to last until."""


@dataclass(frozen=True, slots=True)
class SignInNeeded:
    """Only a person can help: nobody is signed in, or the sign-in ends too early."""

    session: str
    until: datetime | None
    """Until when it would be good without one; None when it is of no use as it is."""
    about: bool = False
    """True: ``until`` is an estimate."""


@dataclass(frozen=True, slots=True)
class Never:
    """The keys of this role live only so long, whoever signs in."""

    life: timedelta


Validity = ValidUntil | FetchNeeded | SignInNeeded | Never


def outlook(state: State, profile: ProfileState, wanted: timedelta, now: datetime, *, keys: bool) -> Validity:
    """Tell whether this profile's credentials last so long from now, or what it takes.

    Args:
        state: the whole.
        profile: one of it.
        wanted: how long.
        now: aware, UTC.
        keys: the keys themselves must last, nobody renews them.
    """
    until = now + wanted - slack(wanted)
    session = state.sessions.get(profile.profile.session)
    if keys:
        return _keys_outlook(session, profile, until, now)
    return _renewed_outlook(session, profile, until, now)


def slack(wanted: timedelta) -> timedelta:
    """Return what may be missing: a fetch takes a moment, so keys of an hour never last the whole hour."""
    return min(_SLACK, wanted / _SLACK_SHARE)


def sign_in_end(session: SessionState, now: datetime) -> ValidUntil | None:
    """Return how long the present sign-in is good for; None when there is none.

    A token is cut at the end of the sign-in, so one that lives longer than an estimate disproves it.
    """
    token, sign_in = session.token, sign_in_of(session, now)
    if token is None or sign_in_status(session, now) is not SignInStatus.SIGNED_IN:
        return None
    if sign_in is None:
        return ValidUntil(token.expires_at, about=True)
    until = max(sign_in.ends_at, token.expires_at)
    return ValidUntil(until, about=not sign_in.proof.proven, known_by=sign_in.proof)


def _keys_outlook(
    session: SessionState | None, profile: ProfileState, until: datetime, now: datetime
) -> Validity:
    held = _handed_out(profile, now)
    if held is not None and held.expires_at >= until:
        return ValidUntil(held.expires_at)
    if held is not None and until - now > held.life:
        return Never(held.life)
    if session is None or sign_in_end(session, now) is None:
        return SignInNeeded(profile.profile.session, held.expires_at if held else None)
    return FetchNeeded(until)


def _renewed_outlook(
    session: SessionState | None, profile: ProfileState, until: datetime, now: datetime
) -> Validity:
    """Return the outlook of who renews: what it is handed last it has to be handed before the tail."""
    held = _handed_out(profile, now)
    end = sign_in_end(session, now) if session is not None else None
    waits = session is not None and unrenewed(session, now)
    if held is None:
        if end is not None:
            return FetchNeeded(until)  # also where the sign-in ends too early: these keys may reach beyond it
        return SignInNeeded(profile.profile.session, None)
    tail = servable_window(held.life)
    best = ValidUntil(held.expires_at - tail)
    if end is not None and end.until > best.until and not waits:
        best = _certain(end, session, best.until, until)
    if best.until >= until:
        return best
    if end is not None and until - now <= held.life - tail:
        return FetchNeeded(until + tail)
    if waits:
        return FetchNeeded(until)
    return SignInNeeded(profile.profile.session, best.until, about=best.about)


def _certain(
    end: ValidUntil, session: SessionState | None, held_until: datetime, until: datetime
) -> ValidUntil:
    """Return the end with what of it is certain: a sign-in outlives its token, and keys are keys."""
    if not end.about or session is None or session.token is None:
        return end
    sure = max(held_until, session.token.expires_at)
    return replace(end, guessed=sure < until, sure_until=min(sure, end.until))


def _handed_out(profile: ProfileState, now: datetime) -> RoleCredentials | None:
    """Return the keys a program gets at once; the tail of their life is nobody's."""
    held = profile.credentials
    return held if held is not None and servable(held, now) else None
