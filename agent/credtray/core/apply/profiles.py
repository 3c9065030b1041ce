"""How events change what is known of role credentials, of people's choices and of the credentials file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from credtray.core import errors, events
from credtray.core.apply.sessions import end, troubled
from credtray.core.backoff import sooner_after_change, sooner_for_asker, trouble_after
from credtray.core.models import RoleCredentials
from credtray.core.state import (
    MOST_RECENT,
    PASSING,
    Doubt,
    FileState,
    ProfileState,
    SessionState,
    State,
    Trouble,
    frozen,
)

OF_THE_SESSION = frozenset(
    kind.code
    for kind in (
        errors.Offline,
        errors.Throttled,
        errors.PortalFailed,
        errors.CaptivePortal,
        errors.CertificateRefused,
        errors.ProxyRefused,
        errors.NetworkSettingRefused,
        errors.ResourcesExhausted,
        errors.ClockOff,
    )
)
"""Failures that say nothing about one role: all calls of the session wait together."""


_OUTLIVES_A_CHANGE = frozenset({errors.FileContended.code, errors.FileUnwritable.code})
"""Troubles with the credentials file that its being changed and readable does not disprove."""


def _of_profile(
    change: Callable[[State, ProfileState, Any, datetime], State],
) -> Callable[[State, Any, datetime], State]:
    """Return a handler for an event that names one profile; an unknown profile changes nothing."""

    def handler(state: State, event: Any, now: datetime) -> State:
        profile = state.profiles.get(event.profile)
        return state if profile is None else change(state, profile, event, now)

    return handler


# --- role credentials --------------------------------------------------------------------------------


def _fetch_started(state: State, profile: ProfileState, _event: events.FetchStarted, now: datetime) -> State:
    return state.with_profile(replace(profile, fetching=True, attempted_at=now))


def _fetched(state: State, profile: ProfileState, event: events.Fetched, _now: datetime) -> State:
    session = state.sessions.get(profile.profile.session)
    if session is None or (session.token is None and not session.ended):
        # Signed out while they were on their way: they are not to be used.
        return state.with_profile(replace(profile, fetching=False, asked_at=None, needed_until=None))
    newer = _newer(profile.credentials, event.credentials)
    answered = replace(profile, asked_at=None, needed_until=None)
    state = state.with_profile(replace(answered, fetching=False, credentials=newer, trouble=None))
    said = session.said - PASSING
    state = state.with_session(replace(session, trouble=None, doubt=Doubt.NONE, said=said))
    return _heard_clock(state, event.clock_error)


def _newer(held: RoleCredentials | None, fetched: RoleCredentials) -> RoleCredentials:
    """Return the pair that lives longer: fresh keys are never given up for staler ones."""
    return held if held is not None and held.expires_at > fetched.expires_at else fetched


def _heard_clock(state: State, clock_error: timedelta | None) -> State:
    return state if clock_error is None else replace(state, clock_error=clock_error)


def _fetch_failed(state: State, profile: ProfileState, event: events.FetchFailed, now: datetime) -> State:
    profile = replace(profile, fetching=False, asked_at=None, needed_until=None)
    session = state.sessions.get(profile.profile.session)
    code = event.problem.code
    if session is not None and code == errors.PortalUnauthorized.code:
        # The refresh that follows must not make the next try wait for the floor between fetches.
        untried = replace(profile, attempted_at=None)
        return state.with_profile(untried).with_session(_doubted(session, profile, now))
    if session is not None and code in OF_THE_SESSION:
        held_back = troubled(session, event.problem, now, state)
        if code == errors.Offline.code:
            # It never reached the portal, so it does not count: what matters is when the network is back.
            profile = replace(profile, attempted_at=None)
        return state.with_profile(profile).with_session(held_back)
    trouble = trouble_after(profile.trouble, event.problem, now, f"{state.seed}/{profile.name}")
    return state.with_profile(replace(profile, trouble=trouble))


def _doubted(session: SessionState, profile: ProfileState, now: datetime) -> SessionState:
    """Return the session after a 401 to a token that should be good: one refresh, one more try, no loop."""
    sign_in, attempted_at = session.sign_in, profile.attempted_at or now
    before_the_refresh = session.refreshed_at is not None and attempted_at < session.refreshed_at
    before_the_sign_in = sign_in is not None and attempted_at < sign_in.started_at
    if session.doubt is Doubt.RAISED or before_the_refresh or before_the_sign_in:
        return session  # said of the token that is being replaced, or was
    if session.doubt is Doubt.RENEWED or session.token is None or not session.token.refreshable:
        return end(session, now)
    return replace(session, doubt=Doubt.RAISED)


def _asked(state: State, profile: ProfileState, _event: events.Asked, now: datetime) -> State:
    return _sooner(state.with_profile(replace(profile, asked_at=now)), (profile.name,), now)


def _needed(state: State, profile: ProfileState, event: events.Needed, now: datetime) -> State:
    until = event.until if profile.needed_until is None else max(event.until, profile.needed_until)
    return _sooner(state.with_profile(replace(profile, needed_until=until)), (profile.name,), now)


def _sooner(state: State, names: Iterable[str], now: datetime) -> State:
    """Return the state in which what these profiles wait for is tried at once: somebody asks for it."""
    for name in names:
        profile = state.profiles.get(name)
        if profile is None:
            continue
        state = state.with_profile(replace(profile, trouble=sooner_for_asker(profile.trouble, now)))
        session = state.sessions.get(profile.profile.session)
        if session is not None:
            state = state.with_session(
                replace(
                    session,
                    trouble=sooner_for_asker(session.trouble, now),
                    refusal=sooner_for_asker(session.refusal, now),
                )
            )
    return state


# --- what people choose ------------------------------------------------------------------------------


def _activated(state: State, event: events.Activated, now: datetime) -> State:
    added = tuple(name for name in dict.fromkeys(event.profiles) if name not in state.active)
    chosen = _chosen(replace(state, active=state.active + added), event.profiles)
    return _sooner(_wish_changed(chosen), event.profiles, now)


def _deactivated(state: State, event: events.Deactivated, _now: datetime) -> State:
    active = tuple(name for name in state.active if name not in event.profiles)
    default = None if state.default in event.profiles else state.default
    return _wish_changed(replace(state, active=active, default=default))


def _switched(state: State, event: events.Switched, now: datetime) -> State:
    chosen = () if event.profile is None else (event.profile,)
    return _sooner(_wish_changed(_chosen(replace(state, default=event.profile), chosen)), chosen, now)


def _chosen(state: State, profiles: tuple[str, ...]) -> State:
    """Return the state that remembers what was chosen last, the latest first."""
    return replace(state, recent=tuple(dict.fromkeys((*profiles, *state.recent)))[:MOST_RECENT])


def _wish_changed(state: State) -> State:
    return replace(state, file=replace(state.file, refused=frozen({}), trouble=None))


# --- the credentials file ----------------------------------------------------------------------------


def _marks_read(state: State, event: events.MarksRead, now: datetime) -> State:
    """The file was changed, by somebody or by us: what was refused may be possible now."""
    file = state.file
    marks = frozen({mark.section: mark for mark in event.marks})
    trouble = None if file.unread else _left_by_change(file.trouble, now)
    return replace(
        state, file=replace(file, marks=marks, known=True, refused=frozen({}), trouble=trouble, unread=False)
    )


def _left_by_change(trouble: Trouble | None, now: datetime) -> Trouble | None:
    """Return what a change of the file leaves of a trouble: who fights over it, or a full disk, may go on."""
    if trouble is None or trouble.problem.code not in _OUTLIVES_A_CHANGE:
        return None
    return sooner_after_change(trouble, now)


def _marks_unread(state: State, event: events.MarksUnread, now: datetime) -> State:
    trouble = _file_trouble(state, event.problem, now)
    return replace(state, file=replace(state.file, trouble=trouble, unread=True))


def _file_trouble(state: State, problem: errors.Problem, now: datetime) -> Trouble:
    return trouble_after(state.file.trouble, problem, now, f"{state.seed}/credentials")


def _sync_started(state: State, _event: events.SyncStarted, _now: datetime) -> State:
    return replace(state, file=replace(state.file, syncing=True))


def _synced(state: State, event: events.Synced, now: datetime) -> State:
    marks = frozen({mark.section: mark for mark in event.marks})
    fought_over = next(
        (each for each in event.refused.values() if each.code == errors.FileContended.code), None
    )
    # Somebody else's change of a moment ago passes: such a section is tried again, ever more rarely.
    refused = {name: each for name, each in event.refused.items() if each.code != errors.FileContended.code}
    trouble = _file_trouble(state, fought_over, now) if fought_over is not None else None
    return replace(state, file=FileState(marks, known=True, trouble=trouble, refused=frozen(refused)))


def _sync_failed(state: State, event: events.SyncFailed, now: datetime) -> State:
    trouble = _file_trouble(state, event.problem, now)
    return replace(state, file=replace(state.file, syncing=False, trouble=trouble, unread=False))


HANDLERS: Mapping[type, Callable[[State, Any, datetime], State]] = frozen(
    {
        events.FetchStarted: _of_profile(_fetch_started),
        events.Fetched: _of_profile(_fetched),
        events.FetchFailed: _of_profile(_fetch_failed),
        events.Asked: _of_profile(_asked),
        events.Needed: _of_profile(_needed),
        events.Activated: _activated,
        events.Deactivated: _deactivated,
        events.Switched: _switched,
        events.MarksRead: _marks_read,
        events.MarksUnread: _marks_unread,
        events.SyncStarted: _sync_started,
        events.Synced: _synced,
        events.SyncFailed: _sync_failed,
    }
)
