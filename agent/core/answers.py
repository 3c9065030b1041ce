"""What to tell a program that asks for role credentials: these, why not, or wait. Pure."""

from __future__ import annotations

from datetime import datetime

from agent.core.errors import ForeignProfile, Problem, SignInRequired, UnknownProfile
from agent.core.models import RoleCredentials
from agent.core.nearest import did_you_mean
from agent.core.standing import alive, servable, token_usable
from agent.core.state import Alive, ProfileState, SessionState, State


def known_profile(state: State, name: str) -> ProfileState:
    """Return the profile.

    Raises:
        UnknownProfile: there is none of that name; the nearest names are offered.
        ForeignProfile: it takes its credentials from elsewhere.
    """
    found = state.profiles.get(name)
    if found is not None:
        return found
    for foreign in state.config.foreign:
        if foreign.name == name:
            raise ForeignProfile(f"{name}: {foreign.reason}")
    for incomplete in state.config.warnings:
        if incomplete.profile == name:
            raise ForeignProfile(f"{name}: {incomplete.text}", hint=incomplete.hint)
    raise UnknownProfile(f"{name!r}.{did_you_mean(name, state.profiles)}")


def answer(state: State, profile: ProfileState, now: datetime) -> RoleCredentials | Problem | None:
    """Return credentials good enough to hand out, the reason why there are none, or None: wait for an event.

    Must be asked only after the ``Asked`` event was applied: a profile that is no longer marked as asked
    has had its answer.
    """
    held = profile.credentials
    if held is not None and servable(held, now):
        return held
    session = state.sessions.get(profile.profile.session)
    if session is None:
        return SignInRequired(profile.profile.session).problem
    if session.pending is not None:
        return None
    if alive(session, now) is not Alive.SIGNED_IN:
        if not session.looked and not session.ended:
            return session.problem  # none yet: the token cache is being read
        return sign_in_required(session.session.name)
    return _trouble(session, profile, now)


def sign_in_required(session: str) -> Problem:
    """Return the problem that only a person can mend, with the command that does."""
    return SignInRequired(f"session {session}", hint=f"Run: credtray login {session}").problem


def _trouble(session: SessionState, profile: ProfileState, now: datetime) -> Problem | None:
    if profile.fetching or session.refreshing:
        return None
    if session.trouble is not None and session.trouble.retry_at > now:
        return session.trouble.problem
    if profile.trouble is not None and profile.trouble.retry_at > now:
        return profile.trouble.problem
    if profile.asked_at is None and token_usable(session, now):
        # It was fetched for us and is still not good enough: a role whose life is too short to be served.
        return profile.trouble.problem if profile.trouble else None
    return None
