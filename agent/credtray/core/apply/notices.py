"""How events change what was told, what is on the screen and what is put off.

Decides nothing: what is due then is in ``notices``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from credtray.core import events
from credtray.core.apply.sessions import on_session
from credtray.core.state import PASSING, SessionState, State, frozen, put


def _shown(session: SessionState, event: events.NoticeShown, _now: datetime, _state: State) -> SessionState:
    return replace(
        session,
        said=session.said | event.says,
        unseen=session.unseen - event.says,
        showing=put(session.showing, event.key, event.says),
    )


def _unseen(session: SessionState, event: events.NoticeUnseen, _now: datetime, _state: State) -> SessionState:
    if session.showing.get(event.key) == event.says:  # else a later one has taken its place by now
        # The one it was to replace may still stand there: nothing that is true now, so it is taken back.
        session = replace(session, showing=put(session.showing, event.key, frozenset()))
    if event.possible:
        return replace(session, said=session.said - event.says)
    return replace(session, unseen=session.unseen | event.says)


def _withdrawn(
    session: SessionState, event: events.NoticeWithdrawn, _now: datetime, _state: State
) -> SessionState:
    """Return the session without this notice on the screen; a trouble that passed may be told again."""
    passed = session.showing.get(event.key, frozenset()) & PASSING
    return replace(session, said=session.said - passed, showing=_without(session.showing, event.key))


def _without(showing: Mapping[str, frozenset[str]], key: str) -> Mapping[str, frozenset[str]]:
    return frozen({other: says for other, says in showing.items() if other != key})


def _snoozed(session: SessionState, event: events.Snoozed, _now: datetime, _state: State) -> SessionState:
    """Return the session whose warnings count as untold, but wait: a notice later says what is true then."""
    said = frozenset(key for key in session.said if not key.startswith("soon:"))
    return replace(session, snoozed_until=event.until, said=said)


def _awaited(
    session: SessionState, event: events.SignInAwaited, _now: datetime, _state: State
) -> SessionState:
    return replace(session, awaited=session.awaited | {event.job})


def _unawaited(
    session: SessionState, event: events.SignInUnawaited, _now: datetime, _state: State
) -> SessionState:
    return replace(session, awaited=session.awaited - {event.job})


def _paused(state: State, event: events.NoticesPaused, now: datetime) -> State:
    over = event.until is None or event.until <= now
    return replace(state, paused_until=None if over else event.until)


HANDLERS: Mapping[type, Callable[[State, Any, datetime], State]] = frozen(
    {
        events.NoticeShown: on_session(_shown),
        events.NoticeUnseen: on_session(_unseen),
        events.NoticeWithdrawn: on_session(_withdrawn),
        events.Snoozed: on_session(_snoozed),
        events.NoticesPaused: _paused,
        events.SignInAwaited: on_session(_awaited),
        events.SignInUnawaited: on_session(_unawaited),
    }
)
