"""The words a person reads of a session: how it stands, what is still valid. Pure; the zone is an argument.

The same words serve the terminal, notifications (``notice_texts``) and the menu. Decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from types import MappingProxyType

from credtray.core import protocol
from credtray.core.errors import Offline, SignInCancelled
from credtray.core.icon_state import Shape
from credtray.core.identity import is_other, names
from credtray.core.models import EndProof, Profile, SignIn
from credtray.core.ports import Part
from credtray.core.problem_words import line, missing_words
from credtray.core.session_status import clock_off, keys_until, session_keys_until, sign_in_of, sign_in_status
from credtray.core.state import ProfileState, SessionState, SignInStatus, State
from credtray.core.summary import (
    PendingSummary,
    SessionSummary,
    SignInSummary,
    Summary,
    lasting,
    sign_in_summary,
)
from credtray.core.words import plain, rough, short

Choice = protocol.Switch | protocol.Activate | protocol.Deactivate
"""What a person chooses of profiles."""
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


def chosen_words(request: Choice) -> str:
    """Return what was chosen, without a full stop."""
    if isinstance(request, protocol.Switch):
        name = request.profile
        return "There is no longer a default profile" if name is None else f"Default profile: {plain(name)}"
    kept = "are kept fresh" if isinstance(request, protocol.Activate) else "are no longer kept fresh"
    return f"Keys for {name_list(tuple(plain(name) for name in request.profiles))} {kept}"


# The short lines of menu and tooltip: how sessions, profiles and files stand. Pure; the zone is an
# argument.
#
# Every foreign name in them went through ``plain``. Knows nothing of items or clicks.


GAP = "  ·  "
"""Between the parts of a label."""
CROWD = 12
"""More profiles than this are a crowd: shortcuts first, the rest by account."""
PRODUCTION = "PRODUCTION"
_SAY_THE_CLOCK = frozenset({Shape.FRESH, Shape.SOON, Shape.OFFLINE, Shape.TROUBLE})
"""Signed in, as far as anybody knows: then a wrong clock is what the headline tells."""
_HOUR = timedelta(hours=1)
_LONGEST_PROBLEM = 110
_LONGEST_DESCRIPTION = 48
_SHOWN_WARNINGS = 3
_TOOLTIP_LINES = 4
"""Of sessions."""


# --- sessions ----------------------------------------------------------------------------------------


def headline(seen: Summary, session: SessionSummary) -> str:
    """Tell how a session stands, in one line with its name."""
    return f"{plain(session.name)}: {standing(seen, session)}"


def standing(seen: Summary, session: SessionSummary) -> str:
    """Tell how a session stands, in one line without its name."""
    shape = session.shape
    if shape is Shape.SIGNING_IN:
        code = session.pending.code if session.pending is not None else None
        return f"{SIGNING_IN} (code {plain(code)})" if code else SIGNING_IN
    if is_other(session.state) and session.sign_in.status is SignInStatus.SIGNED_IN:
        return "another person is signed in"
    if shape in _SAY_THE_CLOCK:
        if session.state.token is None:
            return "the saved sign-in cannot be read"
        if clock_off(seen.state):
            return clock_words(seen.state)
    return standing_words(session.sign_in, seen.now, seen.zone)


def meanwhile(seen: Summary, session: SessionSummary) -> str:
    """Tell what is still valid while a sign-in of this session waits for a person; empty: nothing to tell."""
    pending = session.pending
    return "" if pending is None else untouched_words(pending, seen.now, seen.zone)


def sign_in_left(sign_in: SignInSummary, now: datetime) -> str:
    """Tell how much is left of the present sign-in; empty where its end is not known."""
    if sign_in.ends_at is None or sign_in.ends_at <= now:
        return ""
    return time_left(sign_in.ends_at - now, about=sign_in.about)


def clock_words(state: State) -> str:
    """Tell that the clock is wrong, and by how much."""
    return f"your clock is off by {short(abs(state.clock_error))}"


def session_troubles(seen: Summary, session: SessionSummary) -> Iterator[str]:
    """Yield what went wrong with this session and is not said by its headline."""
    state, it = session.state, plain(session.name)
    problem, trouble = state.problem, state.trouble
    if problem is not None and state.pending is None and problem.code != SignInCancelled.code:
        yield plain(line(problem, it), _LONGEST_PROBLEM)
    if trouble is not None and trouble.problem.code != Offline.code and lasting(trouble, seen.now):
        yield plain(line(trouble.problem, it), _LONGEST_PROBLEM)
    if state.refusal is not None:
        yield "AWS refuses to renew this sign-in"


def tooltip(seen: Summary) -> str:
    """Return a line for each session, the most urgent first (the first few of many), then the default."""
    sessions = seen.by_urgency()
    lines = [headline(seen, session) for session in sessions[:_TOOLTIP_LINES]]
    more = len(sessions) - len(lines)
    if more > 0:
        lines.append(f"and {more} more")
    if sessions and seen.state.default is not None:
        lines.append(default_words(seen.state))
    if not lines:
        problem = seen.state.config_problem
        told = "not set up yet" if problem is None else plain(line(problem), _LONGEST_PROBLEM)
        lines.append(f"credtray: {told}")
    return "\n".join(lines)


# --- profiles ----------------------------------------------------------------------------------------


def account_words(state: State, account_id: str) -> str:
    """Return the account's name, where the portal told it, or its number."""
    return plain(state.accounts.get(account_id) or account_id)


def profile_label(state: State, profile: Profile, account: str) -> str:
    """Name a profile with the label of its account, its role and what it is for, and warn of production."""
    role = profile.role_name
    if profile.chain:
        role = " > ".join((role, *(step.role_arn.rpartition("/")[2] for step in profile.chain)))
    parts = [plain(profile.name), f"{account} / {plain(role)}"]
    description = state.settings.profile(profile.name).description
    if description is not None:
        parts.append(plain(description, _LONGEST_DESCRIPTION))
    if is_production(state, profile.name):
        parts.append(PRODUCTION)
    return GAP.join(parts)


def is_production(state: State, name: str) -> bool:
    """Tell whether a person marked the profile as one of production."""
    chosen = state.settings.profiles.get(name)
    return chosen is not None and chosen.production


def default_words(state: State) -> str:
    """Name the default profile, and warn of production."""
    if state.default is None:
        return "Default profile: none"
    sign = f"{GAP}{PRODUCTION}" if is_production(state, state.default) else ""
    return f"Default profile: {plain(state.default)}{sign}"


def keys_line(seen: Summary, profile: ProfileState) -> str:
    """Tell how the keys of a profile stand; empty for one that nobody keeps and that has none."""
    name = profile.name
    if name in seen.no_access:
        return "refused"
    until = seen.keys_until.get(name)
    if until is not None:
        words = _time_left(seen, until)
        return f"{words}, not written" if name in seen.left_alone else words
    return _without_keys(seen, profile) if name in seen.kept else ""


def _time_left(seen: Summary, until: datetime) -> str:
    left = until - seen.now
    if left <= timedelta():
        return "expired"
    # In a crowd minutes would change hundreds of labels each minute.
    if left > _HOUR or len(seen.kept) > CROWD:
        return f"until {clock_time(until, seen.now, seen.zone)}"
    return f"{short(left)} left"


_WITHOUT_KEYS = {
    Shape.SIGNED_OUT: "signed out",
    Shape.ENDED: "sign-in ended",
    Shape.SIGNING_IN: "signing in",
    Shape.OFFLINE: "offline",
}


def _without_keys(seen: Summary, profile: ProfileState) -> str:
    if profile.trouble is not None and not profile.fetching:
        return "no keys"
    session = seen.sessions.get(profile.profile.session)
    if session is not None and is_other(session.state):
        return "no keys"
    shape = Shape.SIGNED_OUT if session is None else session.shape
    return _WITHOUT_KEYS.get(shape, "fetching keys")


# --- files and the rest ------------------------------------------------------------------------------


def troubles(seen: Summary) -> Iterator[tuple[str, str]]:
    """Yield what is wrong besides the sessions: a name for it that stays, and a line."""
    state = seen.state
    trouble = state.file.trouble
    for name, problem in (
        ("config", state.config_problem),
        ("settings", state.settings_problem),
        ("unsaved", state.unsaved),
        ("file", trouble.problem if trouble is not None and lasting(trouble, seen.now) else None),
    ):
        if problem is not None:
            yield name, plain(line(problem), _LONGEST_PROBLEM)
    if seen.left_alone:
        sections = name_list(tuple(f"[{plain(section)}]" for section in seen.left_alone.values()))
        yield "sections", f"Not written by credtray, so left alone in the credentials file: {sections}"
    if seen.no_access:
        yield "roles", f"No access to {name_list(tuple(plain(name) for name in sorted(seen.no_access)))}"
    if clock_off(state) and not any(each.shape in _SAY_THE_CLOCK for each in seen.sessions.values()):
        yield "clock", clock_words(state).capitalize()
    yield from _warnings(state)
    notifications = state.desktop.get(Part.NOTIFICATIONS)
    if notifications is not None and notifications.back_end is None:
        told = missing_words(Part.NOTIFICATIONS, notifications.reason or "")
        yield "notifications", plain(told, _LONGEST_PROBLEM)


def _warnings(state: State) -> Iterator[tuple[str, str]]:
    found = state.config.warnings
    for place, warning in enumerate(found[:_SHOWN_WARNINGS]):
        file = "Credentials" if warning.in_credentials else "Config"
        told = f"{file} file, line {warning.line}: {warning.text}"
        yield f"warning-{place}", plain(told, _LONGEST_PROBLEM)
    more = len(found) - _SHOWN_WARNINGS
    if more > 0:
        yield "warnings", f"{more} more warnings about the AWS files"


# What a new sign-in would cost: the active one it ends. Pure.
#
# Asked before anything is given up: by the page the browser opens first, and by the terminal.


@dataclass(frozen=True, slots=True)
class Price:
    """The active sign-in that ends."""

    ends_at: datetime
    about: bool
    """True: the end is an estimate."""
    keys_until: datetime | None
    """When the first of the role credentials in use end; None: there are none."""


def person_words(session: SessionState) -> str:
    """Tell who is signed in; empty where nobody knows, or nobody is."""
    if session.token is None or session.ended:
        return ""
    person, _ = names(session)
    return f"signed in as {person}" if person else ""


def price_of(state: State, name: str, now: datetime) -> Price | None:
    """Return what a new sign-in to this session ends; None when a person need not be asked.

    That is when nobody is signed in, or no more is left than the longest warning threshold.
    """
    session = state.sessions.get(name)
    sign_in = sign_in_of(session, now) if session is not None else None
    if session is None or sign_in is None or sign_in_status(session, now) is not SignInStatus.SIGNED_IN:
        return None
    if is_other(session):
        return None  # it is of no use to anybody
    price = price_of_replaced(state, name, sign_in, now)
    return None if price is None else replace(price, keys_until=session_keys_until(state, session, now))


def price_of_replaced(state: State, name: str, sign_in: SignIn | None, now: datetime) -> Price | None:
    """Return the same of a sign-in whose session the config file names no more, or gave another portal."""
    if sign_in is None or sign_in.ends_at - now <= state.settings.longest_warning(name):
        return None
    return Price(sign_in.ends_at, not sign_in.proof.proven, None)


def price_words(price: Price, now: datetime, zone: tzinfo | None) -> str:
    """Tell what is lost and what is not, in two sentences."""
    left = max(price.ends_at - now, timedelta())
    about = "about " if price.about else ""
    words = f"This ends your current sign-in, {about}{short(left)} left."
    if price.keys_until is None:
        return words
    return f"{words} Programs keep the keys they have until {clock_time(price.keys_until, now, zone)}."
