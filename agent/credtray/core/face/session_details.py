"""The three clocks of a session as sentences, for who wants to know more than one line tells. Pure."""

from __future__ import annotations

from datetime import datetime, tzinfo

from credtray.core.durations import short
from credtray.core.plain import plain
from credtray.core.standing import alive, renews, sign_in_of
from credtray.core.state import Alive, SessionState, State
from credtray.core.view import END_WORDS, clock_time, pending_of, untouched_words

_SHOWN = 3


def details(state: State, session: SessionState, now: datetime, zone: tzinfo | None) -> str:
    """Tell what renews itself, what does not, and until when; one sentence for each clock."""
    parts = [
        _sign_in(state, session, now, zone),
        _token(session, now, zone),
        *_keys(state, session, now, zone),
    ]
    return " ".join(part for part in parts if part)


def _sign_in(state: State, session: SessionState, now: datetime, zone: tzinfo | None) -> str:
    pending = pending_of(state, session, now)
    if pending is not None:
        rest = untouched_words(pending, now, zone)
        return "A sign-in is waiting for you in the browser." + (f" {rest}." if rest else "")
    standing = alive(session, now)
    if standing is not Alive.SIGNED_IN:
        return "You are not signed in. Sign in to get keys."
    sign_in = sign_in_of(session, now)
    if sign_in is None or sign_in.ends_at <= now:
        return "Signed in; the end is not known."
    source, about = END_WORDS[sign_in.proof], "" if sign_in.proof.proven else "about "
    return f"The sign-in ends at {about}{clock_time(sign_in.ends_at, now, zone)} ({source})."


def _token(session: SessionState, now: datetime, zone: tzinfo | None) -> str:
    token = session.token
    if token is None or alive(session, now) is not Alive.SIGNED_IN:
        return ""
    until = clock_time(token.expires_at, now, zone)
    if token.expires_at <= now:
        return f"The access token expired at {until} and has not been renewed yet."
    if renews(session, now):
        return f"The access token (until {until}) renews automatically."
    return f"The access token ends at {until} and cannot be renewed."


def _keys(state: State, session: SessionState, now: datetime, zone: tzinfo | None) -> list[str]:
    held = sorted(
        (item.credentials.expires_at, item.name)
        for item in state.profiles_of(session.name)
        if item.credentials is not None and item.credentials.expires_at > now
    )
    told = [
        f"Keys for {plain(name)}: until {clock_time(until, now, zone)} ({short(until - now)} left)."
        for until, name in held[:_SHOWN]
    ]
    more = len(held) - len(told)
    return [*told, f"{more} more profiles have keys."] if more > 0 else told
