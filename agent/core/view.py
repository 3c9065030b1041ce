"""The words a person reads of a session: when it ends, what is still valid. Pure; the zone is an argument.

The same words serve the terminal, notifications (``notice_words``) and the menu. Decides nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, tzinfo

from agent.core.durations import short
from agent.core.standing import alive
from agent.core.state import Alive, SessionState, State

_SHOWN_NAMES = 4
_SAME_NIGHT = timedelta(hours=12)


def clock_time(instant: datetime, now: datetime, zone: tzinfo | None) -> str:
    """Write an instant as the reader's clock shows it: ``17:40``, with the day when that could mislead."""
    local, today = instant.astimezone(zone), now.astimezone(zone)
    near = local.date() == today.date() or abs(instant - now) < _SAME_NIGHT
    form = "%H:%M" if near else "%a %d %b %H:%M"
    return local.strftime(form)


def session_line(session: SessionState, now: datetime, zone: tzinfo | None) -> str:
    """Tell how a session stands, in one line without its name."""
    if session.pending is not None:
        return "signing in: finish it in the browser"
    standing, sign_in = alive(session, now), session.sign_in
    if standing is Alive.SIGNED_OUT:
        return "signed out"
    if sign_in is None:
        return "ended" if standing is Alive.ENDED else "signed in"
    if standing is Alive.ENDED:
        return f"ended at {clock_time(min(sign_in.ends_at, now), now, zone)}"
    about = "" if sign_in.proof.proven else "about "
    if sign_in.ends_at <= now:
        return "signed in, longer than expected"
    left = short(sign_in.ends_at - now)
    return f"signed in, {about}{left} left (until {about}{clock_time(sign_in.ends_at, now, zone)})"


def still_valid(state: State, session: SessionState, now: datetime, zone: tzinfo | None) -> str:
    """Tell what still works without a new sign-in, and until when; empty when nothing does."""
    parts = []
    if alive(session, now) is Alive.SIGNED_IN and session.sign_in is not None:
        parts.append(f"you are {session_line(replace(session, pending=None), now, zone)}")
    held = [
        (item.credentials.expires_at, item.profile.name)
        for item in state.profiles_of(session.session.name)
        if item.credentials is not None and item.credentials.expires_at > now
    ]
    if held:
        until = clock_time(min(held)[0], now, zone)
        names = name_list(tuple(name for _, name in held))
        parts.append(f"keys already issued stay valid until {until} ({names})")
    return "; ".join(parts)


def name_list(names: tuple[str, ...]) -> str:
    """Write the first few of many names: ``dev, ro, dns, audit and 3 more``."""
    shown = ", ".join(names[:_SHOWN_NAMES])
    more = len(names) - _SHOWN_NAMES
    return f"{shown} and {more} more" if more > 0 else shown
