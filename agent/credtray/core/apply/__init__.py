"""How an event changes the state: ``apply(state, event, now) -> state``. It never decides what to do next.

Several handlers may heed one event, in the order of ``_HANDLERS_OF``; a test finds events without any. An
action that begins (``Begun``) is handled by its own type.
Sessions are in ``sessions``, role credentials and the credentials file in ``profiles``, notices in
``notices``, pasted keys in ``imports``, the rest in ``desktop``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, get_args

from credtray.core import events
from credtray.core.addresses import same_portal_address
from credtray.core.apply import desktop_and_clock, profiles, sessions
from credtray.core.aws_hosts import in_effect
from credtray.core.backoff import sooner_after_change
from credtray.core.models import AwsConfig, Profile, SsoSession
from credtray.core.policy import Action
from credtray.core.state import ProfileState, SessionState, State, frozen

Handler = Callable[[State, Any, datetime], State]


def apply(state: State, event: events.Event, now: datetime) -> State:
    """Return the state after this event."""
    told = event.action if isinstance(event, events.Begun) else event
    for handler in HANDLERS[type(told)]:
        state = handler(state, told, now)
    return state


def _files_changed(state: State, _event: events.FilesChanged, now: datetime) -> State:
    """What kept us from a file may be gone: its mode, its directory, a link on the way."""
    trouble = state.file.trouble
    if trouble is None:
        return state
    return replace(state, file=replace(state.file, trouble=sooner_after_change(trouble, now)))


def _config_loaded(state: State, event: events.ConfigLoaded, _now: datetime) -> State:
    config = in_effect(event.config, state.settings)
    known = {**state.remembered, **state.sessions}
    sessions = {name: _session_state(known.get(name), session) for name, session in config.sessions.items()}
    forgotten = {name: item for name, item in known.items() if name not in sessions}
    profiles = {name: _profile_state(state, config, profile) for name, profile in config.profiles.items()}
    return replace(
        state,
        config=event.config,
        config_problem=None,
        sessions=frozen(sessions),
        remembered=frozen(forgotten),
        profiles=frozen(profiles),
        file=replace(state.file, refused=frozen({})),
    )


def _session_state(known: SessionState | None, session: SsoSession) -> SessionState:
    if known is None:
        return SessionState(session)
    if not same_portal(known.session, session):
        # Another Identity Center under the same name: its tokens and its habits are not this one's.
        return SessionState(session, showing=known.showing)
    if known.session.endpoints != session.endpoints:
        # Another way to the portal: what failed on the old one says nothing of it.
        return replace(known, session=session, trouble=None, refusal=None)
    return replace(known, session=session)


def _profile_state(state: State, config: AwsConfig, profile: Profile) -> ProfileState:
    known = state.profiles.get(profile.name)
    before = state.config.sessions.get(profile.session)
    session = config.sessions.get(profile.session)
    if known is None or before is None or session is None:
        return ProfileState(profile)
    if not same_role(known.profile, profile) or not same_portal(before, session):
        return ProfileState(profile)
    return replace(known, profile=profile)


def same_portal(one: SsoSession, other: SsoSession) -> bool:
    """Tell whether a token of the one is of use at the other."""
    return one.region == other.region and same_portal_address(one.start_url, other.start_url)


def same_role(one: Profile, other: Profile) -> bool:
    """Tell whether role credentials of the one are those of the other."""
    return (one.session, one.account_id, one.role_name, one.chain) == (
        other.session,
        other.account_id,
        other.role_name,
        other.chain,
    )


def _config_broken(state: State, event: events.ConfigBroken, _now: datetime) -> State:
    return replace(state, config_problem=event.problem)


def _settings_broken(state: State, event: events.SettingsBroken, _now: datetime) -> State:
    return replace(state, settings_problem=event.problem)


def _settings_loaded(state: State, event: events.SettingsLoaded, _now: datetime) -> State:
    config = in_effect(state.config, event.settings)
    sessions = {
        name: _session_state(item, config.sessions.get(name, item.session))
        for name, item in state.sessions.items()
    }
    profiles = {
        name: replace(item, profile=config.profiles.get(name, item.profile))
        for name, item in state.profiles.items()
    }
    return replace(
        state,
        settings=event.settings,
        settings_problem=None,
        sessions=frozen(sessions),
        profiles=frozen(profiles),
        file=replace(state.file, refused=frozen({})),
    )


def _state_saved(state: State, event: events.StateSaved, _now: datetime) -> State:
    return replace(state, unsaved=event.problem)


def _endpoint_changed(state: State, event: events.EndpointChanged, _now: datetime) -> State:
    return replace(state, endpoint=event.standing)


def _agents_asked(state: State, event: events.AgentsAsked, _now: datetime) -> State:
    return replace(state, questions=event.questions)


def _stop_asked(state: State, event: events.StopAsked, _now: datetime) -> State:
    return replace(state, follower_until=event.follower_until)


def _stopping(state: State, _event: events.Stopping, now: datetime) -> State:
    """Try the file at once, however long its last trouble was to be left alone: nobody comes later."""
    trouble = state.file.trouble
    due = None if trouble is None else replace(trouble, retry_at=now)
    followed = state.follower_until is not None and now < state.follower_until
    return replace(state, stopping=True, followed=followed, file=replace(state.file, trouble=due))


_HANDLERS: Mapping[type, Handler] = {
    events.FilesChanged: _files_changed,
    events.ConfigLoaded: _config_loaded,
    events.ConfigBroken: _config_broken,
    events.SettingsLoaded: _settings_loaded,
    events.SettingsBroken: _settings_broken,
    events.StateSaved: _state_saved,
    events.EndpointChanged: _endpoint_changed,
    events.AgentsAsked: _agents_asked,
    events.StopAsked: _stop_asked,
    events.Stopping: _stopping,
}

_HANDLERS_OF: tuple[Mapping[type, Handler], ...] = (
    _HANDLERS,
    profiles.IMPORT_HANDLERS,  # before profiles: whether the credentials file was read before counts
    sessions.HANDLERS,
    sessions.SIGN_OUT_HANDLERS,
    profiles.HANDLERS,
    desktop_and_clock.NOTICE_HANDLERS,
    desktop_and_clock.HANDLERS,
    desktop_and_clock.BY_ITSELF_HANDLERS,
    desktop_and_clock.CLOCK_HANDLERS,
    desktop_and_clock.PERSON_HANDLERS,
)
"""In the order in which they heed an event."""

HANDLERS: Mapping[type, tuple[Handler, ...]] = frozen(
    {
        event: tuple(handlers[event] for handlers in _HANDLERS_OF if event in handlers)
        for event in (*get_args(events.Event), *get_args(Action))
        if event is not events.Begun
    }
)
