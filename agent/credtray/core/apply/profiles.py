"""How events change what is known of role credentials, of people's choices and of the credentials file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from credtray.core import errors, events
from credtray.core.apply.sessions import end, of_each_profile, troubled
from credtray.core.backoff import sooner_after_change, sooner_for_asker, trouble_after
from credtray.core.desired_sections import DEFAULT
from credtray.core.identity import held_from_programs, is_other, released, undecided
from credtray.core.models import RoleCredentials
from credtray.core.notices import OF_PASTED_KEYS, pasted_section
from credtray.core.pasted_keys import FORGOTTEN_AFTER, ImportedKeys, imported, known_from
from credtray.core.policy import FetchRoleCredentials, ShowNotice, SyncCredentialsFile, WithdrawNotice
from credtray.core.ports import Mark
from credtray.core.state import (
    MOST_RECENT,
    PASSING,
    FileState,
    ProfileState,
    Rejection,
    SessionState,
    State,
    Trouble,
    frozen,
    put,
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


_OUTLIVES_A_CHANGE = frozenset({errors.FileContended.code, errors.FileInUse.code, errors.FileUnwritable.code})
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


def _fetch_started(
    state: State, profile: ProfileState, _action: FetchRoleCredentials, now: datetime
) -> State:
    return state.with_profile(replace(profile, fetching=True, attempted_at=now))


def _fetched(state: State, profile: ProfileState, event: events.Fetched, now: datetime) -> State:
    session = state.sessions.get(profile.profile.session)
    if session is None or (session.token is None and not session.ended):
        # Signed out while they were on their way: they are not to be used.
        return state.with_profile(replace(profile, fetching=False, asked_at=None, needed_until=None))
    if held_from_programs(session, now):
        state, session = _withheld(state, session, profile, event.credentials, now)
    else:
        newer = _newer(profile.credentials, event.credentials)
        answered = replace(profile, asked_at=None, needed_until=None)
        state = state.with_profile(replace(answered, fetching=False, credentials=newer, trouble=None))
    said = session.said - PASSING
    state = state.with_session(replace(session, trouble=None, doubt=Rejection.NONE, said=said))
    return _heard_clock(state, event.clock_error)


def _withheld(
    state: State, session: SessionState, profile: ProfileState, keys: RoleCredentials, now: datetime
) -> tuple[State, SessionState]:
    """Return the state that holds keys which nobody gets yet: it is not known whose they are."""
    known, profile = session.identity, replace(profile, fetching=False)
    if known.since is None or keys.fetched_at < known.since:
        return state.with_profile(profile), session  # of the sign-in before: they are asked for once more
    answered = replace(profile, asked_at=None, needed_until=None, trouble=None, withheld=keys)
    held = replace(session, identity=replace(known, held_since=known.held_since or now))
    return state.with_profile(answered), held


def _waited_enough(state: State, _event: events.Tick, now: datetime) -> State:
    """Give up waiting where STS does not answer in time."""
    for session in state.sessions.values():
        if not undecided(session, now) and _waited_for(state, session):
            state = give_up_waiting(state, session)
    return state


def _waited_for(state: State, session: SessionState) -> bool:
    return any(item.withheld is not None for item in state.profiles_of(session.name))


def give_up_waiting(state: State, session: SessionState) -> State:
    """Return the state in which keys are given although nobody could tell whose they are.

    Not while it is known that another person is signed in: that somebody else has come has to be proved.
    """
    if is_other(session):
        return state
    known = session.identity
    state = state.with_session(
        replace(session, identity=replace(known, unchecked=known.expected is not None))
    )
    return of_each_profile(state, session.name, lambda profile: released(profile, known.since))


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
    if session.doubt is Rejection.RAISED or before_the_refresh or before_the_sign_in:
        return session  # said of the token that is being replaced, or was
    if session.doubt is Rejection.RENEWED or session.token is None or not session.token.refreshable:
        return end(session, now)
    return replace(session, doubt=Rejection.RAISED)


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
    if state.choices_unknown:
        state = _chosen_as_in_file(state, event.marks)
    file = state.file
    marks = frozen({mark.section: mark for mark in event.marks})
    trouble = None if file.unread else _left_by_change(file.trouble, now)
    return replace(
        state, file=replace(file, marks=marks, known=True, refused=frozen({}), trouble=trouble, unread=False)
    )


def _chosen_as_in_file(state: State, marks: Sequence[Mark]) -> State:
    """Return the state that keeps what the file holds: a choice that is forgotten must take no keys away."""
    held = {mark.section: mark.profile for mark in marks if not mark.pasted}
    default = held.pop(DEFAULT, None) if state.default is None else state.default
    active = tuple(dict.fromkeys((*state.active, *(held[name] for name in held if name != DEFAULT))))
    return replace(state, active=active, default=default, choices_unknown=False)


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


def _sync_started(state: State, _action: SyncCredentialsFile, _now: datetime) -> State:
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
        FetchRoleCredentials: _of_profile(_fetch_started),
        events.Fetched: _of_profile(_fetched),
        events.FetchFailed: _of_profile(_fetch_failed),
        events.Asked: _of_profile(_asked),
        events.Needed: _of_profile(_needed),
        events.Activated: _activated,
        events.Deactivated: _deactivated,
        events.Switched: _switched,
        events.MarksRead: _marks_read,
        events.MarksUnread: _marks_unread,
        SyncCredentialsFile: _sync_started,
        events.Synced: _synced,
        events.Tick: _waited_enough,
        events.SyncFailed: _sync_failed,
    }
)


# How events change what is known of pasted keys, and what was told of their end.
#
# Decides nothing: see ``pasted_keys`` and ``notices``. Profiles and sessions heed most of these events,
# too.


_Handler = Callable[[State, Any, datetime], State]


def _imported(state: State, event: events.Imported, now: datetime) -> State:
    keys = imported(event.section, event.credentials, event.account_id, event.role_name, now=now)
    before = state.imports.get(event.section)
    if before is not None:
        keys = replace(keys, showing=before.showing)
    return _wish_changed(replace(state, imports=put(state.imports, event.section, keys)))


def _import_failed(state: State, event: events.ImportFailed, _now: datetime) -> State:
    if event.before is None:
        return _wish_changed(_released(state, {event.section}))
    return _wish_changed(replace(state, imports=put(state.imports, event.section, event.before)))


def _released(state: State, sections: Collection[str]) -> State:
    """Return the state that keeps these sections' pasted keys no more; a notice shown is taken back first."""
    if not any(section in state.imports for section in sections):
        return state
    left = {
        section: replace(item, credentials=None, released=True) if section in sections else item
        for section, item in state.imports.items()
        if section not in sections or item.showing
    }
    return replace(state, imports=frozen(left))


# --- what people choose for profiles -----------------------------------------------------------------


def _imports_activated(state: State, event: events.Activated, _now: datetime) -> State:
    """A profile's own keys, which renew themselves, take the place of pasted ones."""
    return _released(state, {state.settings.section(name) for name in event.profiles})


def _imports_deactivated(state: State, event: events.Deactivated, _now: datetime) -> State:
    return _released(state, {*event.profiles, *(state.settings.section(name) for name in event.profiles)})


def _imports_switched(state: State, _event: events.Switched, _now: datetime) -> State:
    return _released(state, {DEFAULT})


# --- the credentials file ----------------------------------------------------------------------------


def _imports_marks_read(state: State, event: events.MarksRead, now: datetime) -> State:
    if not state.file.known:  # what a killed agent wrote and could not remember, or the state file has lost
        unknown = [mark for mark in event.marks if mark.pasted and not _is_of(mark, state.imports)]
        found = {mark.section: known_from(mark) for mark in unknown}
        state = replace(state, imports=frozen({**state.imports, **found})) if found else state
    return _without_the_vanished(state, event.marks, now)


def _imports_synced(state: State, event: events.Synced, now: datetime) -> State:
    return _without_the_vanished(state, event.marks, now)


def _is_of(mark: Mark, imports: Mapping[str, ImportedKeys]) -> bool:
    item = imports.get(mark.section)
    return item is not None and item.digest == mark.digest


def _without_the_vanished(state: State, marks: Iterable[Mark], now: datetime) -> State:
    """Return the state without keys that only the file held, and that somebody took out of it."""
    there = {mark.section for mark in marks if _is_of(mark, state.imports)}
    vanished = {
        section
        for section, item in state.imports.items()
        if item.credentials is None and item.expires_at > now and section not in there
    }
    return _released(state, vanished)


# --- time --------------------------------------------------------------------------------------------


def _ticked(state: State, _event: events.Tick, now: datetime) -> State:
    """Return the state without the secrets of keys that have ended, and without what ended long ago."""
    if not state.imports:
        return state
    ended = {section for section, item in state.imports.items() if item.expires_at <= now}
    if any(state.imports[section].credentials is not None for section in ended):
        state = replace(
            state,
            imports=frozen(
                {
                    section: replace(item, credentials=None) if section in ended else item
                    for section, item in state.imports.items()
                }
            ),
        )
    forgotten = {
        section
        for section in ended
        if state.imports[section].expires_at + FORGOTTEN_AFTER <= now and section not in state.file.marks
    }
    return _released(state, forgotten)


def _clock_changed(state: State, event: events.ClockChanged, now: datetime) -> State:
    if not event.by or not state.imports:
        return state
    before = now - event.by

    def moved(item: ImportedKeys) -> ImportedKeys:
        if item.imported_at is not None and item.imported_at > before:
            return item  # of the new clock already
        held = item.credentials
        if held is not None:
            held = replace(held, expires_at=held.expires_at + event.by, fetched_at=held.fetched_at + event.by)
        imported_at = None if item.imported_at is None else item.imported_at + event.by
        return replace(item, expires_at=item.expires_at + event.by, imported_at=imported_at, credentials=held)

    return replace(state, imports=frozen({section: moved(item) for section, item in state.imports.items()}))


# --- notices -----------------------------------------------------------------------------------------


def _of_notice(change: Callable[[ImportedKeys, Any], ImportedKeys]) -> _Handler:
    """Return a handler for the fate of a notice of pasted keys."""

    def handler(state: State, event: Any, _now: datetime) -> State:
        if event.session != OF_PASTED_KEYS:
            return state
        section = pasted_section(event.key)
        item = state.imports.get(section)
        if item is None:
            return state
        item = change(item, event)
        if item.released and not item.showing:
            return _released(replace(state, imports=put(state.imports, section, item)), {section})
        return replace(state, imports=put(state.imports, section, item))

    return handler


def _shown(item: ImportedKeys, action: ShowNotice) -> ImportedKeys:
    says = action.notice.tells
    return replace(item, said=item.said | says, unseen=item.unseen - says, showing=says)


def _unseen(item: ImportedKeys, event: events.NoticeUnseen) -> ImportedKeys:
    if item.showing == event.says:
        item = replace(item, showing=frozenset())
    if event.possible:
        return replace(item, said=item.said - event.says)
    return replace(item, unseen=item.unseen | event.says)


def _withdrawn(item: ImportedKeys, _action: WithdrawNotice) -> ImportedKeys:
    return replace(item, showing=frozenset())


IMPORT_HANDLERS: Mapping[type, _Handler] = frozen(
    {
        events.Imported: _imported,
        events.ImportFailed: _import_failed,
        events.Activated: _imports_activated,
        events.Deactivated: _imports_deactivated,
        events.Switched: _imports_switched,
        events.MarksRead: _imports_marks_read,
        events.Synced: _imports_synced,
        events.Tick: _ticked,
        events.ClockChanged: _clock_changed,
        ShowNotice: _of_notice(_shown),
        events.NoticeUnseen: _of_notice(_unseen),
        WithdrawNotice: _of_notice(_withdrawn),
    }
)
