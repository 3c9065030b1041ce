"""How signing out, here or elsewhere, changes the state: token and keys go, what was learned stays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from credtray.core import events
from credtray.core.state import SessionState, State, frozen

_DELETED = frozenset({"deleted"})


def _token_vanished(state: State, event: events.TokenVanished, now: datetime) -> State:
    session = state.sessions.get(event.session)
    if session is not None and session.ended and session.token is None:
        # We ended it ourselves for a new sign-in: the keys in use outlive it, also over a restart.
        return state.with_session(replace(session, looked=True))
    pending = None if session is None else session.pending
    if pending is None:
        return _emptied(_vanished(state, event, now), session, event)
    if pending.replaces is None:
        return state
    left = _signed_out(state, event, now)  # by another program, while our browser page waits
    return left.with_session(replace(left.sessions[event.session], pending=replace(pending, replaces=None)))


def _emptied(state: State, before: SessionState | None, event: events.TokenVanished) -> State:
    """Return the state that knows whether the sign-in there was has been deleted by hand."""
    if before is None or not (before.emptied or (event.emptied and before.token is not None)):
        return state
    left = state.sessions[event.session]
    return state.with_session(replace(left, emptied=True, said=left.said | before.said & _DELETED))


def _vanished(state: State, event: events.TokenVanished, now: datetime) -> State:
    """Return the state without the token; where there was none, that a sign-in has failed stays known."""
    session = state.sessions.get(event.session)
    left = _signed_out(state, event, now)
    if session is None or session.token is not None or session.failed is None:
        return left
    known = replace(left.sessions[event.session], failed=session.failed, said=session.said)
    return left.with_session(replace(known, problem=session.failed.problem))


def _signed_out(state: State, event: events.SignedOut | events.TokenVanished, _now: datetime) -> State:
    """Return the state without the token and the keys of this session; what was learned stays."""
    session = state.sessions.get(event.session)
    if session is None:
        return state
    emptied = {
        item.name: replace(item, credentials=None, trouble=None, asked_at=None, needed_until=None)
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
