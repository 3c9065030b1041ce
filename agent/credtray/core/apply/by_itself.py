"""How events change what is known of windows opened by itself; when that may be is in ``open_by_itself``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from credtray.core import events
from credtray.core.apply.sessions import on_session
from credtray.core.open_by_itself import AGAIN, WINDOW
from credtray.core.state import SessionState, State, frozen


def _begun(session: SessionState, _event: events.WindowBegun, _now: datetime, _state: State) -> SessionState:
    return replace(session, said=session.said | {WINDOW}, window_after=None)


def _unopened(
    session: SessionState, _event: events.WindowUnopened, now: datetime, _state: State
) -> SessionState:
    """Return the session that may try again: nobody saw anything, and nobody has to know."""
    return replace(session, said=session.said - {WINDOW}, window_after=now + AGAIN, problem=None)


HANDLERS: Mapping[type, Callable[[State, Any, datetime], State]] = frozen(
    {events.WindowBegun: on_session(_begun), events.WindowUnopened: on_session(_unopened)}
)
