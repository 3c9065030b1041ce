"""What to tell a program that asks for role credentials: these, why not, or wait. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from credtray.core.backoff import free_to_ask
from credtray.core.errors import (
    ForeignProfile,
    IncompleteProfile,
    Problem,
    SignInRequired,
    UnknownProfile,
    UnknownSession,
    UsageError,
    error_for,
)
from credtray.core.identity import answer_due, is_other, other_person
from credtray.core.models import RoleCredentials
from credtray.core.session_status import servable, sign_in_status, token_usable
from credtray.core.shell_words import argument
from credtray.core.state import ProfileState, SessionState, SignInStatus, State, Trouble
from credtray.core.words import did_you_mean, short


def known_profile(state: State, name: str) -> ProfileState:
    """Return the profile.

    Raises:
        UnknownProfile: there is none of that name; the nearest names are offered.
        ForeignProfile: it takes its credentials from elsewhere.
        IncompleteProfile: it lacks a setting, or has two that contradict each other.
        ConfigInvalid: the config file is broken, so nobody can tell.
    """
    found = state.profiles.get(name)
    if found is not None:
        return found
    for foreign in state.config.foreign:
        if foreign.name == name:
            raise ForeignProfile(f"{name}: {foreign.reason}")
    _refuse_incomplete(state, name)
    raise UnknownProfile(f"{name!r}.{did_you_mean(name, state.profiles)}")


def known_session(state: State, name: str) -> SessionState:
    """Return the session.

    Raises:
        UnknownSession: there is none of that name; the nearest names are offered.
        IncompleteProfile: it lacks a setting, or has one that is refused.
        ConfigInvalid: the config file is broken, so nobody can tell.
    """
    found = state.sessions.get(name)
    if found is not None:
        return found
    _refuse_incomplete(state, f"sso-session {name}")
    raise UnknownSession(f"{name!r}.{did_you_mean(name, state.sessions)}")


def chosen_session(state: State) -> SessionState:
    """Return the session a person means who names none: the only one, or that of the kept profiles.

    Raises:
        UsageError: there are several.
        UnknownSession: there is none.
        IncompleteProfile, ConfigInvalid: as for ``known_session``.
    """
    used = {state.profiles[each].profile.session for each in state.kept}
    candidates = used if len(used) == 1 else set(state.sessions)
    if len(candidates) == 1:
        return state.sessions[candidates.pop()]
    if candidates:
        raise UsageError(f"Name one of the sessions: {', '.join(sorted(candidates))}")
    first = next(
        (each.profile for each in state.config.warnings if each.profile.startswith("sso-session ")), ""
    )
    _refuse_incomplete(state, first)
    raise UnknownSession("the config file has none yet", hint="Run: credtray setup")


def _refuse_incomplete(state: State, section: str) -> None:
    """Raise what is wrong with a section that is there and cannot be used, or with the whole file."""
    if state.config_problem is not None:
        raise error_for(state.config_problem)
    for incomplete in state.config.warnings:
        if incomplete.profile == section:
            raise IncompleteProfile(f"{section}: {incomplete.text}", hint=incomplete.hint)


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
    signed_in = sign_in_status(session, now) is SignInStatus.SIGNED_IN
    if session.pending is not None and (is_other(session) or not signed_in):
        return None
    if signed_in and is_other(session) and not session.identity.trouble and answer_due(state, session, now):
        return None  # somebody came by another program since: soon it is known who
    if not signed_in or is_other(session):
        return _person_needed(session, signed_in=signed_in)
    return _trouble(session, profile, now)


def _person_needed(session: SessionState, *, signed_in: bool) -> Problem | None:
    if signed_in:
        return other_person(session)
    if not session.looked and not session.ended:
        return session.problem  # none yet: the token cache is being read
    return sign_in_required(session.name)


def sign_in_required(session: str) -> Problem:
    """Return the problem that only a person can solve, with the command that does."""
    return SignInRequired(f"session {session}", hint=f"Run: credtray login {argument(session)}").problem


def _trouble(session: SessionState, profile: ProfileState, now: datetime) -> Problem | None:
    if profile.fetching or session.refreshing:
        return None
    if session.trouble is not None and session.trouble.retry_at > now:
        return _with_next_try(session.trouble, now)
    if profile.trouble is not None and profile.trouble.retry_at > now:
        return _with_next_try(profile.trouble, now)
    if profile.asked_at is None and token_usable(session, now):
        # It was fetched for us and is still not good enough: a role whose life is too short to be served.
        return profile.trouble.problem if profile.trouble else None
    return None


def _with_next_try(trouble: Trouble, now: datetime) -> Problem:
    """Return the problem, and in its hint from when on asking again helps."""
    problem, free = trouble.problem, free_to_ask(trouble)
    if free <= now:
        return problem
    by_itself = "It is tried again" if trouble.retry_at <= free else "You can try again"
    return replace(problem, hint=f"{problem.hint} {by_itself} in {short(free - now)}.")
