"""How signing out, here or elsewhere, changes the state: token and keys go, what was learned stays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from credtray.core import events
from credtray.core.state import SessionState, State, frozen


def _token_vanished(state: State, event: events.TokenVanished, now: datetime) -> State:
    session = state.sessions.get(event.session)
    if session is not None and session.ended and session.token is None:
        # We ended it ourselves for a new sign-in: the keys in use outlive it, also over a restart.
        return state.with_session(replace(session, looked=True))
    pending = None if session is None else session.pending
    if pending is None or pending.replaces is None:
        return state if pending is not None else _signed_out(state, event, now)
    left = _signed_out(state, event, now)  # by another program, while our browser page waits
    return left.with_session(replace(left.sessions[event.session], pending=replace(pending, replaces=None)))


def _signed_out(state: State, event: events.SignedOut | events.TokenVanished, _now: datetime) -> State:
    """Return the state without the token and the keys of this session; what was learned stays."""
    session = state.sessions.get(event.session)
    if session is None:
        return state
    emptied = {
        item.profile.name: replace(item, credentials=None, trouble=None, asked_at=None, needed_until=None)
        for item in state.profiles_of(event.session)
    }
    state = replace(state, profiles=frozen({**state.profiles, **emptied}))
    left = SessionState(
        session.session,
        looked=True,
        memory=session.memory,
        refreshing=session.refreshing,
        overtaken=session.refreshing,
        showing=session.showing,
    )
    return state.with_session(left)


HANDLERS: Mapping[type, Callable[[State, Any, datetime], State]] = frozen(
    {
        events.TokenVanished: _token_vanished,
        events.SignedOut: _signed_out,
    }
)
