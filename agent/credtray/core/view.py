"""The words a person reads of a session: how it stands, what is still valid. Pure; the zone is an argument.

The same words serve the terminal, notifications (``notice_words``) and the menu. Decides nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from types import MappingProxyType

from credtray.core.durations import rough, short
from credtray.core.models import EndProof
from credtray.core.standing import keys_until
from credtray.core.state import SessionState, SignInStatus, State
from credtray.core.summary import PendingSummary, SignInSummary, sign_in_summary

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


def standing_words(sign_in: SignInSummary, now: datetime, zone: tzinfo | None) -> str:
    """Tell how a session stands, in one line without its name."""
    ends_at = sign_in.ends_at
    match sign_in.status:
        case SignInStatus.SIGNED_OUT:
            return "signed out"
        case SignInStatus.ENDED:
            # Given up early (a cancelled fresh sign-in) it ended before the end that was known.
            passed = ends_at is not None and ends_at <= now
            return f"ended at {clock_time(ends_at, now, zone)}" if ends_at and passed else "ended"
        case SignInStatus.SIGNED_IN:
            return _signed_in(sign_in, now, zone)


def _signed_in(sign_in: SignInSummary, now: datetime, zone: tzinfo | None) -> str:
    ends_at = sign_in.ends_at
    about = "about " if sign_in.about else ""
    if ends_at is None or ends_at <= now:
        longer = "" if ends_at is None else ", longer than expected"
        return "offline" if sign_in.offline else f"signed in{longer}"
    until = clock_time(ends_at, now, zone)
    if sign_in.offline:
        return f"offline (signed in until {about}{until})"
    left = time_left(ends_at - now, about=sign_in.about)
    if sign_in.ends_soon:
        return f"ends at {about}{until} (in {left})"
    return f"signed in until {about}{until} ({left})"


def time_left(left: timedelta, *, about: bool) -> str:
    """Write how much is left; a guess claims no more than is known."""
    return rough(left) if about else short(left)


def sign_in_words(sign_in: SignInSummary, now: datetime, zone: tzinfo | None) -> str:
    """Tell until when somebody is signed in, whatever else there is to say."""
    until = SignInSummary(SignInStatus.SIGNED_IN, sign_in.ends_at, about=sign_in.about)
    return standing_words(until, now, zone)


def pending_words(pending: PendingSummary, now: datetime, zone: tzinfo | None) -> str:
    """Tell what a sign-in waits for, and what is still valid meanwhile, in one line without a full stop."""
    rest = untouched_words(pending, now, zone)
    if not rest:
        return f"{SIGNING_IN} (code {pending.code})" if pending.code else SIGNING_IN
    return f"{_waiting_words(pending)}. {rest}"


def _waiting_words(pending: PendingSummary) -> str:
    if not pending.shown:
        return _ASKING
    return _WAITING if pending.code is None else f"{_WAITING_FOR_CODE} {pending.code}"


def untouched_words(pending: PendingSummary, now: datetime, zone: tzinfo | None) -> str:
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


def left_words(left: PendingSummary, now: datetime, zone: tzinfo | None) -> str:
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
    sign_in = sign_in_summary(state, session, now)
    parts = []
    if sign_in.status is SignInStatus.SIGNED_IN and session.sign_in is not None:
        parts.append(f"you are {sign_in_words(sign_in, now, zone)}")
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
