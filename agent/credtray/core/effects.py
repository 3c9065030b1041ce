"""What a command waits for: its own effect, and nothing else that is under way. Pure.

``missing`` looks at the state only, so it is asked again after each event; see ``Loop.reached``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from credtray.core.desired_sections import DEFAULT, sections_of, unwanted_sections, wanted_sections
from credtray.core.identity import answer_due, waits
from credtray.core.policy import wants_fetch, wants_refresh
from credtray.core.session_status import held_back, servable, sign_in_status
from credtray.core.state import ProfileState, SignInStatus, State


@dataclass(frozen=True, slots=True)
class Effect:
    """What is to be true before a command may say "done"."""

    profiles: tuple[str, ...] = ()
    """Their keys are held and in their sections, or it is known why not. Counts while they are kept."""
    sections: tuple[str, ...] = ()
    """The credentials file holds in these what it should, be it nothing of ours."""
    person_of: str | None = None
    """It is known who signed in to this session, where that can be found out now."""


@dataclass(frozen=True, slots=True)
class Missing:
    """What an effect still waits for."""

    session: str | None = None
    """The session whose portal is to answer; None: a file is being read or written."""
    since: datetime | None = None
    """When the portal was asked; None: it was not yet."""


def of_deactivation(state: State, profiles: tuple[str, ...]) -> Effect:
    """Return the effect of no longer keeping these, asked before the state has heard of it."""
    chosen = (state.settings.section(name) for name in profiles)
    return Effect(sections=(*profiles, *chosen, DEFAULT))


def of_sign_out(state: State, session: str) -> Effect:
    """Return the effect of a sign-out: what the file holds of this session's profiles is dealt with."""
    names = {item.name for item in state.profiles_of(session)}
    return Effect(
        sections=tuple(section for section, mark in state.file.marks.items() if mark.profile in names)
    )


def of_sign_in(state: State, session: str) -> Effect:
    """Return the effect of a sign-in: the kept profiles of this session have keys."""
    names = (name for name in state.kept if state.profiles[name].profile.session == session)
    return Effect(tuple(names), person_of=session)


def of_person(state: State, session: str) -> Effect:
    """Return the effect of agreeing to a person: the keys that were withheld are in their sections."""
    names = {item.name for item in state.profiles_of(session)}
    return Effect(sections=tuple(section for section, name in sections_of(state).items() if name in names))


def missing(effect: Effect, state: State, now: datetime) -> Missing | None:
    """Return what the effect waits for; None when it is reached, or nothing under way can bring it.

    What another command has taken back since is not waited for.
    """
    asked = state.sessions.get(effect.person_of or "")
    if asked is not None and answer_due(state, asked, now):
        return Missing(asked.name)
    kept = frozenset(state.kept)
    for name in effect.profiles:
        coming = _keys_coming(state, state.profiles[name], now) if name in kept else None
        if coming is not None:
            return coming
    chosen = {section for section, name in sections_of(state).items() if name in effect.profiles}
    return Missing() if _file_behind(state, chosen.union(effect.sections), now) else None


def _keys_coming(state: State, profile: ProfileState, now: datetime) -> Missing | None:
    """Return what keys of a kept profile wait for; None when they are good, or only a person helps."""
    held, session = profile.credentials, state.sessions.get(profile.profile.session)
    if session is None or state.stopping or (held is not None and servable(held, now)):
        return None
    if not session.looked and not session.ended:
        return Missing() if session.problem is None else None
    refused = profile.trouble is not None and profile.trouble.retry_at > now
    held_for = waits(session, profile)
    if (held_for and answer_due(state, session, now)) or (
        profile.fetching and sign_in_status(session, now) is SignInStatus.SIGNED_IN
    ):
        return Missing(session.name, profile.attempted_at)
    if session.refreshing and not session.overtaken:
        return None if refused else Missing(session.name, session.refreshed_at)
    if held_for or held_back(session, now):
        return None
    due = wants_fetch(session, profile, now, kept=True) or wants_refresh(state, session, now)
    return Missing(session.name) if due and not refused else None


def _file_behind(state: State, sections: set[str], now: datetime) -> bool:
    """Tell whether the credentials file is about to change in one of these sections.

    A rewrite under way may be of an earlier choice, whatever the marks say until it is over.
    """
    file = state.file
    if file.syncing:
        return True
    if file.trouble is not None and (file.trouble.retry_at > now or not file.known):
        return False
    due = {keys.section for keys in wanted_sections(state, now)}.union(unwanted_sections(state, now))
    return not file.known or not due.isdisjoint(sections)
