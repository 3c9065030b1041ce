"""Whether the agent may open a sign-in window that nobody asked for: at most one per ended sign-in. Pure.

A setting of the session allows it. Never for a code on another device: those are for people who ask (a code
that appears unasked is how people are tricked).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from credtray.core.notices import held
from credtray.core.ports import Part
from credtray.core.standing import offline, sign_in_status
from credtray.core.state import SessionState, SignInStatus, State

WINDOW = "window"
"""In ``SessionState.said`` once a window was opened for this end, or a person was shown an address."""

AGAIN = timedelta(minutes=5)
"""After a try that opened nothing because the portal could not be reached."""


def due(state: State, session: SessionState, now: datetime) -> bool:
    """Tell whether to open the one window now."""
    if not allowed(state, session) or session.sign_in is None or WINDOW in session.said:
        return False
    if (
        sign_in_status(session, now) is not SignInStatus.ENDED
        or session.pending is not None
        or offline(session, now)
    ):
        return False
    if session.window_after is not None and session.window_after > now:
        return False
    # What cannot be remembered would be done again after a restart.
    return state.unsaved is None and present(state, now)


def allowed(state: State, session: SessionState) -> bool:
    """Tell whether the settings want it and the session's way of signing in has a window at all."""
    chosen = state.settings.session(session.name)
    return chosen.open_by_itself and not chosen.device_flow and not session.session.legacy


def present(state: State, now: datetime) -> bool:
    """Tell whether somebody is known to be there and wants to be told things."""
    part = state.desktop.get(Part.PRESENCE)
    return part is not None and part.back_end is not None and not held(state, now)
