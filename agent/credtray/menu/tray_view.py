"""What the tray shows: how the icon looks, its tooltip and its menu, from the state. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

from credtray.core.icon_state import MOST_URGENT_FIRST, STEPS, IconState, Shape, ring_steps
from credtray.core.identity import is_other, names
from credtray.core.session_status import clock_off, renews
from credtray.core.state import SignInStatus, State
from credtray.core.state_words import (
    END_WORDS,
    clock_time,
    person_words,
    tooltip,
    untouched_words,
)
from credtray.core.summary import SessionSummary, Summary, lasting, length, summary
from credtray.core.words import plain, short
from credtray.menu import Item
from credtray.menu.tray_menu import Extras, tray_menu

_WITH_RING = frozenset({Shape.FRESH, Shape.SOON, Shape.TROUBLE, Shape.OFFLINE})


@dataclass(frozen=True, slots=True)
class TrayView:
    """Everything the tray shows."""

    look: IconState
    tooltip: str
    """One line for each session, at most five, and one for the default profile; no markup."""
    menu: tuple[Item, ...]


def face(state: State, now: datetime, zone: tzinfo | None, extras: Extras) -> TrayView:
    """Return icon, tooltip and menu of this moment; *zone* is the reader's, None that of this computer."""
    seen = summary(state, now, zone)
    return TrayView(look(seen), tooltip(seen), tuple(tray_menu(seen, extras)))


def look(seen: Summary) -> IconState:
    """Return how the icon is to look: the most urgent shape, and the least time that is left."""
    shapes = {seen.sessions[name].shape for name in seen.mattering}
    ours = any(shape in _WITH_RING for shape in shapes) or not shapes
    if ours and _needs_person(seen):
        shapes.add(Shape.TROUBLE)
    shape = min(shapes, key=MOST_URGENT_FIRST.index, default=Shape.SIGNED_OUT)
    return IconState(shape, _steps(seen) if shape in _WITH_RING else 0)


def _needs_person(seen: Summary) -> bool:
    """Tell whether something is wrong that is not one session's matter."""
    state = seen.state
    problems = (state.config_problem, state.settings_problem, state.unsaved)
    return any(problems) or bool(seen.left_alone) or clock_off(state) or lasting(state.file.trouble, seen.now)


def _steps(seen: Summary) -> int:
    """Return how much is left of the sign-in that ends first; all of it where no end is known."""
    sessions = (seen.sessions[name] for name in seen.mattering)
    held = (each for each in sessions if each.shape in _WITH_RING and each.state.token is not None)
    return min((_left(seen, each) for each in held), default=0)


def _left(seen: Summary, session: SessionSummary) -> int:
    ends_at = session.sign_in.ends_at
    return STEPS if ends_at is None else ring_steps(ends_at - seen.now, length(seen.state, session.state))


# The three clocks of a session as sentences, for who wants to know more than one line tells. Pure.


_SHOWN = 3


def details(seen: Summary, session: SessionSummary, *, keys: bool = True) -> str:
    """Tell what renews itself, what does not, and until when; one sentence for each clock, keys last."""
    parts = [
        _person(session),
        _sign_in(session, seen.now, seen.zone),
        _token(session, seen.now, seen.zone),
        *(_keys(seen, session) if keys else ()),
    ]
    return " ".join(part for part in parts if part)


def _person(session: SessionSummary) -> str:
    if is_other(session.state) and session.sign_in.status is SignInStatus.SIGNED_IN:
        person, before = names(session.state)
        return f"Signed in as {person}; last time it was {before}. Programs get no keys until you decide."
    words = person_words(session.state)
    return f"{words[:1].upper()}{words[1:]}." if words else ""


def _sign_in(session: SessionSummary, now: datetime, zone: tzinfo | None) -> str:
    if session.pending is not None:
        rest = untouched_words(session.pending, now, zone)
        return "A sign-in is waiting for you in the browser." + (f" {rest}." if rest else "")
    sign_in = session.sign_in
    if sign_in.status is not SignInStatus.SIGNED_IN:
        return "You are not signed in. Sign in to get keys."
    if sign_in.ends_at is None or sign_in.known_by is None or sign_in.ends_at <= now:
        return "Signed in; the end is not known."
    source, about = END_WORDS[sign_in.known_by], "about " if sign_in.about else ""
    return f"The sign-in ends at {about}{clock_time(sign_in.ends_at, now, zone)} ({source})."


def _token(session: SessionSummary, now: datetime, zone: tzinfo | None) -> str:
    token = session.state.token
    if token is None or session.sign_in.status is not SignInStatus.SIGNED_IN:
        return ""
    until = clock_time(token.expires_at, now, zone)
    if token.expires_at <= now:
        return f"The access token expired at {until} and has not been renewed yet."
    if renews(session.state, now):
        return f"The access token (until {until}) renews automatically."
    return f"The access token ends at {until} and cannot be renewed."


def _keys(seen: Summary, session: SessionSummary) -> list[str]:
    now, zone = seen.now, seen.zone
    held = sorted(
        (item.credentials.expires_at, item.name)
        for item in seen.state.profiles_of(session.name)
        if item.credentials is not None and item.credentials.expires_at > now
    )
    told = [
        f"Keys for {plain(name)}: until {clock_time(until, now, zone)} ({short(until - now)} left)."
        for until, name in held[:_SHOWN]
    ]
    more = len(held) - len(told)
    return [*told, f"{more} more profiles have keys."] if more > 0 else told
