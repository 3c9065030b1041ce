"""The words a person reads of a session: how it stands, what is still valid. Pure; the zone is an argument.

The same words serve the terminal, notifications (``notice_words``) and the menu. Decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from types import MappingProxyType

from credtray.core.durations import rough, short
from credtray.core.models import EndProof
from credtray.core.standing import alive, keys_until, session_keys_until, sign_in_of
from credtray.core.state import Alive, SessionState, State

SIGNING_IN = "signing in: finish it in the browser"
_ASKING = "signing in: contacting AWS"
_WAITING = "signing in: waiting for the browser"
_WAITING_FOR_CODE = "signing in: waiting for you to enter the code"
_SHOWN_NAMES = 4
_SAME_NIGHT = timedelta(hours=12)


END_WORDS = MappingProxyType(
    {
        EndProof.CUT: "confirmed: AWS issues no token beyond it",
        EndProof.REFUSED: "confirmed: AWS ended it",
        EndProof.UNRENEWED: "confirmed: its token is not renewed",
        EndProof.LAST_LENGTH: "expected from the last sign-in, not confirmed",
        EndProof.SETTING: "expected from the settings, not confirmed",
    }
)
"""How the end of a sign-in is known."""


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
    left = time_left(ends_at - now, about=standing.about)
    if standing.ends_soon:
        return f"ends at {about}{until} (in {left})"
    return f"signed in until {about}{until} ({left})"


def time_left(left: timedelta, *, about: bool) -> str:
    """Write how much is left; a guess claims no more than is known."""
    return rough(left) if about else short(left)


def sign_in_words(session: SessionState, now: datetime, zone: tzinfo | None) -> str:
    """Tell until when somebody is signed in, whatever else there is to say."""
    sign_in = sign_in_of(session, now)
    if sign_in is None:
        return standing_words(Standing(Alive.SIGNED_IN), now, zone)
    standing = Standing(Alive.SIGNED_IN, sign_in.ends_at, about=not sign_in.proof.proven)
    return standing_words(standing, now, zone)


@dataclass(frozen=True, slots=True)
class Pending:
    """A sign-in that waits for a person, as far as words tell it."""

    code: str | None = None
    """To be entered on a device; None: it waits for the browser."""
    present_until: datetime | None = None
    """Until when the present sign-in lasts, which is untouched; None: there is none any more."""
    about: bool = False
    """True: that is an estimate."""
    earlier_ended_at: datetime | None = None
    """When the sign-in before was ended for it."""
    keys_until: datetime | None = None
    """When the first of the role credentials in use end."""
    shown: bool = True
    """False: AWS has not answered yet, so there is no address for a person to go to."""


def pending_words(pending: Pending, now: datetime, zone: tzinfo | None) -> str:
    """Tell what a sign-in waits for, and what is still valid meanwhile, in one line without a full stop."""
    rest = untouched_words(pending, now, zone)
    if not rest:
        return f"{SIGNING_IN} (code {pending.code})" if pending.code else SIGNING_IN
    return f"{_waiting_words(pending)}. {rest}"


def _waiting_words(pending: Pending) -> str:
    if not pending.shown:
        return _ASKING
    return _WAITING if pending.code is None else f"{_WAITING_FOR_CODE} {pending.code}"


def untouched_words(pending: Pending, now: datetime, zone: tzinfo | None) -> str:
    """Tell what is still valid while a sign-in waits; empty where there was no sign-in before it."""
    if pending.earlier_ended_at is not None:
        ended = f"Your earlier sign-in was ended at {clock_time(pending.earlier_ended_at, now, zone)}"
        return f"{ended}; {keys_words(pending.keys_until, now, zone)}"
    if pending.present_until is not None and pending.present_until > now:
        about = "about " if pending.about else ""
        until = clock_time(pending.present_until, now, zone)
        return f"Your current sign-in is not affected (until {about}{until})"
    return ""


def keys_words(until: datetime | None, now: datetime, zone: tzinfo | None) -> str:
    """Tell until when role credentials in use work."""
    return "no keys are in use" if until is None else f"keys in use work until {clock_time(until, now, zone)}"


def pending_of(state: State, session: SessionState, now: datetime) -> Pending | None:
    """Return what there is to tell of the sign-in under way; None when there is none."""
    pending = session.pending
    if pending is None:
        return None
    left = _meanwhile(state, session, now, pending.ended_at, pending.user_code)
    return replace(left, shown=pending.url is not None)


def left_of(state: State, session: SessionState, now: datetime) -> Pending:
    """Return what is still valid after the last sign-in has failed."""
    return _meanwhile(state, session, now, session.failed.ended_at if session.failed is not None else None)


def _meanwhile(
    state: State, session: SessionState, now: datetime, ended_at: datetime | None, code: str | None = None
) -> Pending:
    sign_in = sign_in_of(session, now) if alive(session, now) is Alive.SIGNED_IN else None
    return Pending(
        code,
        sign_in.ends_at if sign_in is not None else None,
        about=sign_in is not None and not sign_in.proof.proven,
        earlier_ended_at=ended_at,
        keys_until=session_keys_until(state, session, now),
    )


def left_words(left: Pending, now: datetime, zone: tzinfo | None) -> str:
    """Tell what is still valid after a sign-in has failed, and until when, in one sentence."""
    keys = keys_words(left.keys_until, now, zone)
    if left.earlier_ended_at is not None:
        return f"Your earlier sign-in was ended at {clock_time(left.earlier_ended_at, now, zone)}; {keys}."
    if left.present_until is None:
        return f"You are not signed in; {keys}."
    if left.present_until <= now:
        return "You are still signed in."
    about = "about " if left.about else ""
    return f"You are still signed in until {about}{clock_time(left.present_until, now, zone)}."


def still_valid(state: State, session: SessionState, now: datetime, zone: tzinfo | None) -> str:
    """Tell what still works without a new sign-in, and until when; empty when nothing does."""
    parts = []
    if alive(session, now) is Alive.SIGNED_IN and session.sign_in is not None:
        parts.append(f"you are {sign_in_words(session, now, zone)}")
    held = [
        (end, item.name)
        for item in state.profiles_of(session.name)
        if (end := keys_until(state, item)) is not None and end > now
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
