"""The words a person reads of a session: how it stands, what is still valid. Pure; the zone is an argument.

The same words serve the terminal, notifications (``notice_words``) and the menu. Decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from credtray.core.durations import short
from credtray.core.standing import alive
from credtray.core.state import Alive, SessionState, State

SIGNING_IN = "signing in: finish it in the browser"
_SHOWN_NAMES = 4
_SAME_NIGHT = timedelta(hours=12)


def clock_time(instant: datetime, now: datetime, zone: tzinfo | None) -> str:
    """Write an instant as the reader's clock shows it: ``17:40``, with the day when that could mislead."""
    local, today = instant.astimezone(zone), now.astimezone(zone)
    near = local.date() == today.date() or abs(instant - now) < _SAME_NIGHT
    form = "%H:%M" if near else "%a %d %b %H:%M"
    return local.strftime(form)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a sign-in stands, as far as one line tells it."""

    alive: Alive
    ends_at: datetime | None = None
    about: bool = False
    """True: the end is an estimate."""
    ends_soon: bool = False
    offline: bool = False


def standing_words(standing: Standing, now: datetime, zone: tzinfo | None) -> str:
    """Tell how a session stands, in one line without its name."""
    ends_at = standing.ends_at
    match standing.alive:
        case Alive.SIGNED_OUT:
            return "signed out"
        case Alive.ENDED:
            # Given up early (a cancelled fresh sign-in) it ended before the end that was known.
            passed = ends_at is not None and ends_at <= now
            return f"ended at {clock_time(ends_at, now, zone)}" if ends_at and passed else "ended"
        case Alive.SIGNED_IN:
            return _signed_in(standing, now, zone)


def _signed_in(standing: Standing, now: datetime, zone: tzinfo | None) -> str:
    ends_at = standing.ends_at
    about = "about " if standing.about else ""
    if ends_at is None or ends_at <= now:
        longer = "" if ends_at is None else ", longer than expected"
        return "offline" if standing.offline else f"signed in{longer}"
    until = clock_time(ends_at, now, zone)
    if standing.offline:
        return f"offline (signed in until {about}{until})"
    left = f"{about}{short(ends_at - now)}"
    if standing.ends_soon:
        return f"ends in {left} (at {until})"
    return f"signed in, {left} left (until {until})"


def sign_in_words(session: SessionState, now: datetime, zone: tzinfo | None) -> str:
    """Tell until when somebody is signed in, whatever else there is to say."""
    sign_in = session.sign_in
    if sign_in is None:
        return standing_words(Standing(Alive.SIGNED_IN), now, zone)
    standing = Standing(Alive.SIGNED_IN, sign_in.ends_at, about=not sign_in.proof.proven)
    return standing_words(standing, now, zone)


def still_valid(state: State, session: SessionState, now: datetime, zone: tzinfo | None) -> str:
    """Tell what still works without a new sign-in, and until when; empty when nothing does."""
    parts = []
    if alive(session, now) is Alive.SIGNED_IN and session.sign_in is not None:
        parts.append(f"you are {sign_in_words(session, now, zone)}")
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
