"""The three clocks of a session as sentences, for who wants to know more than one line tells. Pure."""

from __future__ import annotations

from datetime import datetime, tzinfo

from credtray.core.durations import short
from credtray.core.plain import plain
from credtray.core.standing import renews
from credtray.core.state import SignInStatus
from credtray.core.summary import SessionSummary, Summary
from credtray.core.view import END_WORDS, clock_time, untouched_words

_SHOWN = 3


def details(seen: Summary, session: SessionSummary) -> str:
    """Tell what renews itself, what does not, and until when; one sentence for each clock."""
    parts = [
        _sign_in(session, seen.now, seen.zone),
        _token(session, seen.now, seen.zone),
        *_keys(seen, session),
    ]
    return " ".join(part for part in parts if part)


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
