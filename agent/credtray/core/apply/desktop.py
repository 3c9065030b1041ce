"""How events of the desktop change the state: who is there, what woke the machine, how the parts are served.

Which notices a person gets, and when, follows from it in ``notices``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from credtray.core import events
from credtray.core.apply.sessions import on_session
from credtray.core.errors import Offline
from credtray.core.imports import ImportedKeys
from credtray.core.plain import plain
from credtray.core.state import SessionState, State, Trouble, frozen, put

_Told = TypeVar("_Told", SessionState, ImportedKeys)

_LONGEST_NAME = 120
"""Of an account; the portal allows 50 characters."""

# --- presence ----------------------------------------------------------------------------------------


def _presence_changed(state: State, event: events.PresenceChanged, now: datetime) -> State:
    before, after = state.presence, event.presence
    state = replace(state, presence=after)
    if before.asleep and not after.asleep:
        return _network_may_be_back(state, now, rested=True)
    if before.locked and not after.locked:
        return _network_may_be_back(state, now, rested=False)
    return state


def _woke(state: State, _event: events.Woke, now: datetime) -> State:
    # The clocks prove it, whether or not the desktop has said that the sleep is over.
    awake = replace(state, presence=replace(state.presence, asleep=False))
    return _network_may_be_back(awake, now, rested=True)


def _network_changed(state: State, _event: events.NetworkChanged, now: datetime) -> State:
    return _network_may_be_back(state, now, rested=False)


def _network_may_be_back(state: State, now: datetime, *, rested: bool) -> State:
    """Return the state in which everything that failed for want of a network is tried at once.

    ``rested``: the machine slept; for how long nobody could be reached counts from now on.
    """

    def sooner(session: SessionState) -> SessionState:
        trouble = session.trouble
        if trouble is None or trouble.problem.code != Offline.code:
            return session
        began = now if rested else trouble.lasting_since
        return replace(session, trouble=Trouble(trouble.problem, now, 0, now, began, trouble.tried_at))

    return replace(state, sessions=frozen({name: sooner(item) for name, item in state.sessions.items()}))


# --- parts of the desktop ----------------------------------------------------------------------------


def _part_changed(state: State, event: events.PartChanged, _now: datetime) -> State:
    served = state.notifications
    state = replace(state, desktop=put(state.desktop, event.part.name, event.part))
    if state.notifications is None or state.notifications == served:
        return state
    return replace(
        state,
        sessions=frozen({name: _to_tell_again(item) for name, item in state.sessions.items()}),
        remembered=frozen({name: _to_tell_again(item) for name, item in state.remembered.items()}),
        imports=frozen({section: _to_tell_again(item) for section, item in state.imports.items()}),
    )


def _to_tell_again(told: _Told) -> _Told:
    """Return it with what nobody could be told untold: the policy decides anew what is true now."""
    if not told.unseen:
        return told
    return replace(told, said=told.said - told.unseen, unseen=frozenset())


# --- accounts ----------------------------------------------------------------------------------------


def _accounts_asked(
    session: SessionState,
    _event: events.AccountsAsked | events.AccountsUnknown,
    now: datetime,
    _state: State,
) -> SessionState:
    return replace(session, accounts_asked=now)


def _accounts_listed(state: State, event: events.AccountsListed, _now: datetime) -> State:
    named = {item.account_id: plain(item.name, _LONGEST_NAME) for item in event.accounts if item.name}
    return replace(state, accounts=frozen({**state.accounts, **named}))


HANDLERS: Mapping[type, Callable[[State, Any, datetime], State]] = frozen(
    {
        events.PresenceChanged: _presence_changed,
        events.Woke: _woke,
        events.NetworkChanged: _network_changed,
        events.PartChanged: _part_changed,
        events.AccountsAsked: on_session(_accounts_asked),
        events.AccountsUnknown: on_session(_accounts_asked),
        events.AccountsListed: _accounts_listed,
    }
)
