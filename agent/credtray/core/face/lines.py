"""The short lines of menu and tooltip: how sessions, profiles and files stand. Pure; the zone is an argument.

Every foreign name in them went through ``plain``. Knows nothing of items or clicks.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from credtray.core.desktop_words import missing_words
from credtray.core.durations import short
from credtray.core.errors import Offline, SignInCancelled
from credtray.core.face.look import Shape
from credtray.core.models import Profile
from credtray.core.plain import plain
from credtray.core.ports import Part
from credtray.core.problem_words import line
from credtray.core.standing import clock_off
from credtray.core.state import ProfileState, State
from credtray.core.summary import SessionSummary, SignInSummary, Summary, lasting
from credtray.core.view import (
    SIGNING_IN,
    clock_time,
    name_list,
    standing_words,
    time_left,
    untouched_words,
)

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


def keys_words(seen: Summary, profile: ProfileState) -> str:
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
