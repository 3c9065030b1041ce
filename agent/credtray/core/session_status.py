"""Questions about one session or profile that policy, notices and status ask alike. Pure.

How does its sign-in stand, what can it serve, and will its credentials last for a given time?
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from credtray.core.errors import (
    AssumeRoleRefused,
    Offline,
    Problem,
    ProfileRefused,
    RoleRefused,
    TokenMismatch,
    TokenUnreadable,
)
from credtray.core.expiry import servable_window
from credtray.core.models import EndProof, RoleCredentials, SignIn
from credtray.core.state import ProfileState, Rejection, SessionState, SignInStatus, State

PROOF_FLOOR = timedelta(minutes=5)
"""A refresh that only proves when a sign-in ends is not repeated within this time."""

TOLERATED_CLOCK_ERROR = timedelta(minutes=5)
"""AWS refuses signatures beyond about five minutes; below that nobody needs to know."""

HEARD_OF = timedelta(minutes=2)
"""So long after the next try was due a trouble still counts: after that nobody has tried, so nobody knows."""

_OF_THE_CACHE = frozenset({TokenUnreadable.code, TokenMismatch.code})

ROLE_REFUSALS = frozenset({RoleRefused.code, AssumeRoleRefused.code, ProfileRefused.code})
"""Errors that mean: no keys of this profile, whatever the sign-in is worth."""


def role_refused(profile: ProfileState) -> bool:
    """Tell whether the last try to get keys of this profile was refused."""
    return profile.trouble is not None and profile.trouble.problem.code in ROLE_REFUSALS


_GONE = "The role is no longer assigned to you"
UNASSIGNED = Problem(RoleRefused.code, _GONE, RoleRefused.hint, RoleRefused.retry)
"""Of a profile whose role the portal does not list any more: nobody has to try it to know."""


def is_gone(state: State, profile: ProfileState) -> bool:
    """Tell whether the role of a profile was assigned to the person and is no longer."""
    session = state.sessions.get(profile.profile.session)
    return session is not None and profile.profile.role in session.gone


def clock_off(state: State) -> bool:
    """Tell whether AWS refuses what this computer signs."""
    return abs(state.clock_error) > TOLERATED_CLOCK_ERROR


def sign_in_status(session: SessionState, now: datetime) -> SignInStatus:
    """Tell what the sign-in of this session is worth."""
    token = session.token
    if session.ended or (token is not None and token.expires_at <= now and not renews(session, now)):
        return SignInStatus.ENDED
    return SignInStatus.SIGNED_OUT if token is None else SignInStatus.SIGNED_IN


def can_refresh(session: SessionState, now: datetime) -> bool:
    """Tell whether the token service would consider a refresh at all."""
    token = session.token
    if token is None or not token.refreshable or token.registration is None:
        return False
    return token.registration.expires_at > now


def renews(session: SessionState, now: datetime) -> bool:
    """Tell whether the access token is renewed, as far as is known: it can be, and was not refused."""
    return session.refusal is None and can_refresh(session, now)


def unrenewed(session: SessionState, now: datetime) -> bool:
    """Tell whether the token is over and nobody knows yet whether the sign-in is: it may still be renewed."""
    token = session.token
    return (
        token is not None
        and token.expires_at <= now
        and sign_in_status(session, now) is SignInStatus.SIGNED_IN
    )


def sign_in_of(session: SessionState, now: datetime) -> SignIn | None:
    """Return the sign-in with the end that counts now.

    Whatever was expected or learned: with a token that is not renewed it ends when that one does. A client
    registration that ends before it is such an end too, and known long before.
    """
    sign_in, token = session.sign_in, session.token
    if sign_in is None or token is None or session.ended:
        return sign_in
    last = token.expires_at
    if renews(session, now) and token.registration is not None:
        last = max(last, token.registration.expires_at)
        if last >= sign_in.ends_at:
            return sign_in
    if sign_in.proof.proven and sign_in.ends_at <= last:
        return sign_in
    return replace(sign_in, ends_at=last, proof=EndProof.UNRENEWED)


def token_usable(session: SessionState, now: datetime) -> bool:
    """Tell whether the portal would accept the access token, as far as can be known here."""
    token = session.token
    if token is None or session.ended or session.doubt is Rejection.RAISED:
        return False
    return token.expires_at > now


def servable(credentials: RoleCredentials, now: datetime) -> bool:
    """Tell whether these may be handed to a program: never the tail of their life."""
    return credentials.expires_at - now > servable_window(credentials.life)


def needs_longer(profile: ProfileState, now: datetime) -> bool:
    """Tell whether somebody needs keys that last longer than those held, and a fetch would bring such.

    What the role's keys live is learned: where that does not reach, another fetch would not either.
    """
    until, held = profile.needed_until, profile.credentials
    if until is None or until <= now:
        return False
    if held is None or not servable(held, now):
        return True
    return held.expires_at < until <= now + held.life


def held_back(session: SessionState, now: datetime) -> bool:
    """Tell whether nothing may be asked of this session's portal just now."""
    if sign_in_status(session, now) is not SignInStatus.SIGNED_IN and not _may_be_granted(session, now):
        return True
    if session.refreshing and not session.overtaken:
        return True
    return session.trouble is not None and session.trouble.retry_at > now


def _may_be_granted(session: SessionState, now: datetime) -> bool:
    """Tell whether the sign-in is over only because no refresh was granted: one may be, later."""
    return session.refusal is not None and not session.ended and can_refresh(session, now)


def token_ends_with_sign_in(session: SessionState) -> bool:
    """Tell whether the token held was cut at the end of the sign-in: another refresh brings the same end."""
    sign_in, token = session.sign_in, session.token
    if sign_in is None or token is None or sign_in.proof is not EndProof.CUT:
        return False
    return abs(token.expires_at - sign_in.ends_at) <= timedelta(minutes=1)


def offline(session: SessionState, now: datetime) -> bool:
    """Tell whether the portal cannot be reached, as far as the last try knows."""
    trouble = session.trouble
    if trouble is None or trouble.problem.code != Offline.code:
        return False
    return now < trouble.retry_at + HEARD_OF


def warnings_due(state: State, session: SessionState, now: datetime) -> frozenset[str]:
    """Return the warnings whose threshold is passed, told or not, as they are remembered in ``said``."""
    sign_in = sign_in_of(session, now)
    if sign_in is None or sign_in.ends_at <= now:
        return frozenset()
    left = sign_in.ends_at - now
    thresholds = state.settings.warnings(session.name)
    return frozenset(f"soon:{int(each.total_seconds())}" for each in thresholds if left <= each)


def end_needs_proof(state: State, session: SessionState, now: datetime) -> bool:
    """Tell whether a warning would rest on an estimate that one silent refresh can prove or disprove."""
    sign_in = sign_in_of(session, now)
    if sign_in is None or sign_in.proof.proven or not renews(session, now):
        return False
    if session.refreshed_at is not None and timedelta() <= now - session.refreshed_at < PROOF_FLOOR:
        return False
    return not warnings_due(state, session, now) <= session.said


def awaiting_proof(state: State, session: SessionState, now: datetime) -> bool:
    """Tell whether a warning had better wait: a refresh is to prove the end it would speak of.

    While the portal cannot be reached nobody could act on the warning either.
    """
    if session.refreshing or end_needs_proof(state, session, now):
        return True
    sign_in = sign_in_of(session, now)
    proven = sign_in is None or sign_in.proof.proven
    return not proven and session.trouble is not None and renews(session, now)


def file_trouble(state: State) -> bool:
    """Tell whether something is wrong with a file that somebody may have repaired by now."""
    problems = (state.config_problem, state.settings_problem, state.unsaved, state.file.trouble)
    unreadable = any(
        item.problem is not None and item.problem.code in _OF_THE_CACHE for item in state.sessions.values()
    )
    return any(problems) or bool(state.file.refused) or unreadable


def keys_until(state: State, profile: ProfileState) -> datetime | None:
    """Return when the keys held end; after a start, and without an agent, those in the credentials file."""
    if profile.credentials is not None:
        return profile.credentials.expires_at
    name = profile.name
    return max((mark.expires_at for mark in state.file.marks.values() if mark.profile == name), default=None)


def session_keys_until(state: State, session: SessionState, now: datetime) -> datetime | None:
    """Return when the first of the role credentials in use under this session end; None: there are none."""
    ends = (keys_until(state, item) for item in state.profiles_of(session.name))
    return min((end for end in ends if end is not None and end > now), default=None)


def waiting_for_keys(state: State, session: SessionState, now: datetime) -> tuple[ProfileState, ...]:
    """Return the kept profiles whose keys are missing or about to fail their users."""
    kept = (state.profiles[name] for name in state.kept)
    return tuple(
        item
        for item in kept
        if item.profile.session == session.name
        and (item.credentials is None or not servable(item.credentials, now))
    )


# Will it last? What stands between a profile and credentials that are good for a given time. Pure.
#
# Two kinds of need: who renews (credential_process, the endpoint, our section of the credentials file)
# needs the sign-in to last, who gets keys once (`exec --env`, `env`) needs these keys to. Starts nothing.


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
