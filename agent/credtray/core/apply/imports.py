"""How events change what is known of pasted keys, and what was told of their end.

Decides nothing: see ``imports`` and ``import_notices``. Profiles and sessions heed most of these events, too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from credtray.core import events
from credtray.core.imports import FORGOTTEN_AFTER, ImportedKeys, imported, known_from
from credtray.core.notices import OF_PASTED_KEYS, pasted_section
from credtray.core.ports import Mark
from credtray.core.state import State, frozen, put
from credtray.core.wishes import DEFAULT

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


def _wish_changed(state: State) -> State:
    return replace(state, file=replace(state.file, refused=frozen({}), trouble=None))


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


def _activated(state: State, event: events.Activated, _now: datetime) -> State:
    """A profile's own keys, which renew themselves, take the place of pasted ones."""
    return _released(state, {state.settings.section(name) for name in event.profiles})


def _deactivated(state: State, event: events.Deactivated, _now: datetime) -> State:
    return _released(state, {*event.profiles, *(state.settings.section(name) for name in event.profiles)})


def _switched(state: State, _event: events.Switched, _now: datetime) -> State:
    return _released(state, {DEFAULT})


# --- the credentials file ----------------------------------------------------------------------------


def _marks_read(state: State, event: events.MarksRead, now: datetime) -> State:
    if not state.file.known:  # what a killed agent wrote and could not remember, or the state file has lost
        unknown = [mark for mark in event.marks if mark.pasted and not _is_of(mark, state.imports)]
        found = {mark.section: known_from(mark) for mark in unknown}
        state = replace(state, imports=frozen({**state.imports, **found})) if found else state
    return _without_the_vanished(state, event.marks, now)


def _synced(state: State, event: events.Synced, now: datetime) -> State:
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


def _shown(item: ImportedKeys, event: events.NoticeShown) -> ImportedKeys:
    said, unseen = item.said | event.says, item.unseen - event.says
    return replace(item, said=said, unseen=unseen, showing=event.says)


def _unseen(item: ImportedKeys, event: events.NoticeUnseen) -> ImportedKeys:
    if item.showing == event.says:
        item = replace(item, showing=frozenset())
    if event.possible:
        return replace(item, said=item.said - event.says)
    return replace(item, unseen=item.unseen | event.says)


def _withdrawn(item: ImportedKeys, _event: events.NoticeWithdrawn) -> ImportedKeys:
    return replace(item, showing=frozenset())


HANDLERS: Mapping[type, _Handler] = frozen(
    {
        events.Imported: _imported,
        events.ImportFailed: _import_failed,
        events.Activated: _activated,
        events.Deactivated: _deactivated,
        events.Switched: _switched,
        events.MarksRead: _marks_read,
        events.Synced: _synced,
        events.Tick: _ticked,
        events.ClockChanged: _clock_changed,
        events.NoticeShown: _of_notice(_shown),
        events.NoticeUnseen: _of_notice(_unseen),
        events.NoticeWithdrawn: _of_notice(_withdrawn),
    }
)
