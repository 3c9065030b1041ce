"""The words a person reads: notices and the lines of `credtray status`. Pure; the time zone is an argument.

The same words serve the terminal, the notification and (next) the menu and the tooltip.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from agent.core.durations import short
from agent.core.notices import Notice, Subject
from agent.core.standing import alive
from agent.core.state import Alive, SessionState, State

_SHOWN_NAMES = 4
_SAME_NIGHT = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Words:
    """A notice as a person reads it."""

    title: str
    body: str


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
        names = _names(tuple(name for _, name in held))
        parts.append(f"keys already issued stay valid until {until} ({names})")
    return "; ".join(parts)


def notice_words(notice: Notice, now: datetime, zone: tzinfo | None) -> Words:
    """Return title and body of a notice."""
    return _WORDS[notice.subject](notice, now, zone)


def _ends_soon(notice: Notice, now: datetime, zone: tzinfo | None) -> Words:
    ends_at = notice.ends_at or now
    about = "about " if notice.about else ""
    return Words(
        f"{notice.session}: sign-in ends in about {short(_whole_minutes(ends_at - now))}",
        f"It lasts until {about}{clock_time(ends_at, now, zone)}. "
        f"Sign in again: credtray login {notice.session}",
    )


def _whole_minutes(left: timedelta) -> timedelta:
    """Round to the nearest minute: a tick late, "30 min" must not read "29 min"."""
    return timedelta(minutes=max(1, round(left.total_seconds() / 60)))


def _ended(notice: Notice, now: datetime, zone: tzinfo | None) -> Words:
    at = clock_time(min(notice.ends_at or now, now), now, zone)
    return Words(
        f"{notice.session}: sign-in ended",
        f"It ended at {at}; keys already issued work until they expire. "
        f"Sign in: credtray login {notice.session}",
    )


def _unmoved(notice: Notice, now: datetime, zone: tzinfo | None) -> Words:
    at = clock_time(notice.ends_at or now, now, zone)
    return Words(
        f"{notice.session}: signing in again did not move the end",
        f"The service joined the sign-in that was still active: it still ends at {at}.",
    )


def _cannot_refresh(notice: Notice, _now: datetime, _zone: tzinfo | None) -> Words:
    reason = notice.problem.title if notice.problem else "unknown reason"
    hint = f" {notice.problem.hint}" if notice.problem else ""
    return Words(f"{notice.session}: could not refresh", f"{reason} ({_names(notice.names)}).{hint}")


def _role_refused(notice: Notice, _now: datetime, _zone: tzinfo | None) -> Words:
    hint = notice.problem.hint if notice.problem else ""
    return Words(f"{notice.session}: no access to {_names(notice.names)}", hint)


def _section_refused(notice: Notice, _now: datetime, _zone: tzinfo | None) -> Words:
    text = f"{notice.problem.title}. {notice.problem.hint}" if notice.problem else ""
    return Words(f"Section [{_names(notice.names)}] of the credentials file is left alone", text)


def _clock_off(notice: Notice, _now: datetime, _zone: tzinfo | None) -> Words:
    side = "behind" if notice.clock_error > timedelta() else "ahead of"
    return Words(
        f"Your clock is off by {short(abs(notice.clock_error))}",
        f"This computer is {side} AWS, which refuses requests with a wrong time. "
        "Switch time synchronisation on.",
    )


def _names(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:_SHOWN_NAMES])
    more = len(names) - _SHOWN_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


_WORDS = {
    Subject.ENDS_SOON: _ends_soon,
    Subject.ENDED: _ended,
    Subject.END_UNMOVED: _unmoved,
    Subject.CANNOT_REFRESH: _cannot_refresh,
    Subject.ROLE_REFUSED: _role_refused,
    Subject.SECTION_REFUSED: _section_refused,
    Subject.CLOCK_OFF: _clock_off,
}
