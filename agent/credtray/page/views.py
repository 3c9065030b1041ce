"""What the views of the page say: values for the templates, from the summary of the state. Pure.

Every foreign name went through ``plain``; what a form sends back is the name as it is. Templates escape both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial
from hashlib import sha256
from itertools import groupby

from credtray.core.clicks import StopSharing
from credtray.core.errors import CredtrayError
from credtray.core.icon_state import Shape
from credtray.core.identity import is_other, names
from credtray.core.models import SsoSession, Way
from credtray.core.protocol.results import AgentQuestion, StatusDocument
from credtray.core.state import ProfileState, SignInStatus, State, region_of
from credtray.core.state_words import (
    account_words,
    is_production,
    keys_line,
    meanwhile,
    price_of,
    price_words,
    session_troubles,
    sign_in_left,
    standing,
    troubles,
)
from credtray.core.summary import SessionSummary, Summary
from credtray.core.words import plain
from credtray.guard.decisions import BUTTONS, headline
from credtray.history.entries import Entry, Kind
from credtray.history.sentences import Sentence, sentences
from credtray.history.timeline import DAY_BACK, SHORTLY_BACK, Timeline, timeline
from credtray.menu.tray_menu import share_words
from credtray.menu.tray_view import details, look
from credtray.page.actions import COPIES
from credtray.page.picture import Picture, drawn, next_words
from credtray.ways_out.aws_console import portal_link

MOST_ROWS = 1000
"""Profiles of one answer; who has more of them searches, or turns the page."""
_LONG = 120
_PICTURE_WORDS = {
    Shape.FRESH: "Signed in",
    Shape.SOON: "Ends soon",
    Shape.ENDED: "Sign-in ended",
    Shape.SIGNED_OUT: "Signed out",
    Shape.SIGNING_IN: "Signing in",
    Shape.OFFLINE: "Offline",
    Shape.TROUBLE: "Needs you",
}
"""The seven states of the icon."""


@dataclass(frozen=True, slots=True)
class Button:
    """Something a person can do with a session: a form of its own."""

    action: str
    label: str
    fields: tuple[tuple[str, str], ...]
    cost: str = ""
    """What it takes away: told before, and agreed to by a second button."""
    confirm: str = ""
    main: bool = False
    """The next thing to do."""


@dataclass(frozen=True, slots=True)
class SessionCard:
    """One session."""

    key: str
    """For ids of the page: tells the cards apart."""
    name: str
    shape: str
    badge: str
    standing: str
    upcoming: str
    """What happens next, and when."""
    details: str
    troubles: tuple[str, ...]
    waiting: str
    code: str
    code_address: str
    sign_in_page: str
    """The address of a sign-in that waits in a browser, for another one."""
    buttons: tuple[Button, ...]


@dataclass(frozen=True, slots=True)
class ProfileLine:
    """One profile."""

    name: str
    """As it is: for forms."""
    key: str
    """For ids: stays with the profile when the order changes."""
    shown: str
    account: str
    account_id: str
    role: str
    region: str
    description: str
    notes: str
    tags: tuple[str, ...]
    active: bool
    default: bool
    production: bool
    favourite: bool
    keys: str
    problem: str
    cure: str
    """What to do about it."""
    console: str
    """The address of the access portal that leads there; empty where there is none."""
    searched: str
    """What a search looks through, in lower case."""


@dataclass(frozen=True, slots=True)
class ProfileList:
    """The profiles of one answer."""

    lines: tuple[ProfileLine, ...]
    total: int
    found: int
    """By the search; more than there are lines where they do not fit."""
    query: str
    default: str
    """The default profile, as it is shown; empty for none."""


@dataclass(frozen=True, slots=True)
class Overview:
    """The first view."""

    shape: str
    badge: str
    picture: Picture | None
    """None without a session."""
    day_back: bool
    sessions: tuple[SessionCard, ...]
    profiles: ProfileList
    troubles: tuple[str, ...]
    shares: tuple[tuple[str, Button], ...]
    """Who has keys through `credtray share`, and what ends it."""
    questions: tuple[tuple[str, tuple[Button, ...]], ...]
    """Which coding agent wants which keys, and the answers."""
    copies: tuple[tuple[str, str], ...]
    """Form of keys, and what it is called."""
    paused: bool
    broken: bool
    """The config file cannot be read: nobody knows whether anything is set up."""


def overview(
    seen: Summary,
    document: StatusDocument,
    query: Mapping[str, str],
    past: Sequence[Entry] = (),
    shares: Sequence[StopSharing] = (),
) -> Overview:
    """Return the first view.

    Args:
        seen: this moment.
        document: the same as ``status`` tells it.
        query: ``q`` is searched for, ``back`` shows the last day.
        past: the history, oldest first.
        shares: what is shared with other machines.
    """
    day_back = query.get("back") == "day"
    line = timeline(document, past, back=DAY_BACK if day_back else SHORTLY_BACK)
    shape = look(seen).shape
    return Overview(
        shape.value,
        _PICTURE_WORDS[shape] if seen.sessions else "" if seen.state.config_problem else "Not set up",
        drawn(line, seen.zone) if line.lanes else None,
        day_back,
        tuple(_card(seen, item, place, line) for place, item in enumerate(_by_use(seen))),
        profile_list(seen, query.get("q", "")),
        tuple(text for _, text in troubles(seen)),
        tuple((share_words(share), _end_of(share)) for share in shares),
        tuple((headline(each), tuple(_answers(each))) for each in seen.state.questions),
        tuple(COPIES.items()),
        seen.state.paused_until is not None and seen.state.paused_until > seen.now,
        seen.state.config_problem is not None,
    )


def _end_of(share: StopSharing) -> Button:
    return Button("stop-sharing", "Stop sharing", (("host", share.host), ("profile", share.profile)))


def _by_use(seen: Summary) -> list[SessionSummary]:
    """Return the sessions that matter first, each in its usual order."""
    return sorted(seen.sessions.values(), key=lambda item: item.name not in seen.mattering)


def _answers(question: AgentQuestion) -> Iterator[Button]:
    """Yield the same answers as the notification has."""
    for answer in BUTTONS:
        fields = (("profile", question.profile), ("pid", str(question.pid)), *answer.fields)
        yield Button("answer-agent", answer.label, fields)


# --- sessions --------------------------------------------------------------------------------------------


def _card(seen: Summary, item: SessionSummary, place: int, line: Timeline) -> SessionCard:
    pending = item.state.pending
    url = pending.url if pending is not None else None
    code = pending.user_code if pending is not None else None
    return SessionCard(
        f"session-{place}",
        plain(item.name),
        item.shape.value,
        _PICTURE_WORDS[item.shape],
        _sentence(standing(seen, item)),
        next((next_words(lane, line, seen.zone) for lane in line.lanes if lane.name == item.name), ""),
        details(seen, item, keys=False),
        tuple(session_troubles(seen, item)),
        _sentence(meanwhile(seen, item)),
        plain(code) if code else "",
        url if code and url and url.startswith("https://") else "",
        url if not code and url and url.startswith(("https://", "http://127.0.0.1:")) else "",
        tuple(_buttons(seen, item)),
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _buttons(seen: Summary, item: SessionSummary) -> Iterator[Button]:
    name = ("session", item.name)
    if item.state.pending is not None:
        yield Button("cancel-sign-in", "Cancel sign-in", (name,))
        return
    signed_in = item.sign_in.status is SignInStatus.SIGNED_IN
    if signed_in and is_other(item.state):
        yield from _other_person(item)
        return
    wanted = item.shape in {Shape.ENDED, Shape.SOON, Shape.SIGNED_OUT}
    fresh = (("fresh", "yes"),) if signed_in else ()
    price = price_of(seen.state, item.name, seen.now)
    cost = price_words(price, seen.now, seen.zone) if price is not None else ""
    label = "Sign in again" if signed_in and not cost else "New sign-in…" if signed_in else "Sign in"
    agreed = (("agreed", "yes"),) if cost else ()
    fields = (name, *fresh, *agreed)
    left = sign_in_left(item.sign_in, seen.now)
    confirm = f"End it ({left} left) and sign in" if left else "End it and sign in"
    yield Button("sign-in", label, fields, cost, confirm, main=wanted)
    device = (*fields, ("device", "yes"))
    yield Button("sign-in", "Code for another device", device, cost, f"{confirm} with a code")
    if item.sign_in.status is not SignInStatus.SIGNED_OUT:
        yield Button("sign-out", "Sign out…", (name,), _sign_out_cost(seen.state, item.name), "Sign out")


def _other_person(item: SessionSummary) -> Iterator[Button]:
    """Yield what can be done when another person is signed in: the same as in the notice, and to sign out."""
    name, (person, before) = ("session", item.name), names(item.state)
    fresh = (name, ("fresh", "yes"))
    yield Button("sign-in", f"Sign in as {before}", fresh, main=True)
    yield Button("keep-person", f"Keep {person}", (name, ("person", item.state.identity.person or "")))
    yield Button("sign-in", "Use a clean browser", (*fresh, ("clean", "yes")))
    yield Button("sign-out", "Sign out", (name,))


def _sign_out_cost(state: State, session: str) -> str:
    count = sum(state.profiles[name].profile.session == session for name in state.kept)
    if not count:
        return "You have to sign in again before anything can get keys."
    profiles = "1 active profile" if count == 1 else f"{count} active profiles"
    if not state.settings.remove_keys_at_sign_out:
        return f"Keys of {profiles} stay until they expire, and are not renewed."
    return f"{profiles} {'loses its' if count == 1 else 'lose their'} keys in the credentials file."


# --- profiles --------------------------------------------------------------------------------------------


def profile_list(seen: Summary, query: str = "") -> ProfileList:
    """Return the profiles that a search finds: those in use first, then favourites, then by account."""
    state = seen.state
    words = query.casefold().split()
    found = [item for item in state.profiles.values() if _matches(state, item, words)]
    found.sort(key=lambda item: _order(seen, item))
    default = plain(state.default) if state.default is not None else ""
    lines = tuple(_line(seen, item) for item in found[:MOST_ROWS])
    return ProfileList(lines, len(state.profiles), len(found), query[:_LONG], default)


def _matches(state: State, item: ProfileState, words: list[str]) -> bool:
    if not words:
        return True
    text = _searched(state, item)
    return all(word in text for word in words)


def _searched(state: State, item: ProfileState) -> str:
    profile, chosen = item.profile, state.settings.profile(item.name)
    account = state.accounts.get(profile.account_id) or ""
    parts = (item.name, profile.account_id, account, profile.role_name, chosen.description or "")
    return " ".join((*parts, *chosen.tags)).casefold()


def _order(seen: Summary, item: ProfileState) -> tuple[bool, bool, bool, str, str]:
    state = seen.state
    account = account_words(state, item.profile.account_id).casefold()
    kept, liked = item.name in seen.kept, state.settings.profile(item.name).favourite
    return item.name != state.default, not kept, not liked, account, item.name.casefold()


def _line(seen: Summary, item: ProfileState) -> ProfileLine:
    state, profile = seen.state, item.profile
    chosen = state.settings.profile(item.name)
    problem = seen.problem_of(item)
    role = " > ".join((profile.role_name, *(step.role_arn.rpartition("/")[2] for step in profile.chain)))
    return ProfileLine(
        item.name,
        sha256(item.name.encode("utf-8", "surrogatepass")).hexdigest()[:12],
        plain(item.name),
        account_words(state, profile.account_id),
        plain(profile.account_id),
        plain(role),
        plain(region_of(state, item.name) or "") if region_of(state, item.name) else "",
        plain(chosen.description, _LONG) if chosen.description else "",
        plain(chosen.notes, 2 * _LONG) if chosen.notes else "",
        tuple(plain(tag, 24) for tag in chosen.tags),
        item.name in state.active,
        item.name == state.default,
        is_production(state, item.name),
        chosen.favourite,
        _sentence(keys_line(seen, item)),
        plain(problem.title.removesuffix(f": {item.name}"), 2 * _LONG) if problem is not None else "",
        plain(problem.hint, 2 * _LONG) if problem is not None else "",
        _console(state, item),
        plain(_searched(state, item), 400),
    )


def _console(state: State, item: ProfileState) -> str:
    session = state.sessions.get(item.profile.session)
    if session is None or item.profile.chain:
        return ""
    return _link(session.session, item)


def _link(session: SsoSession, item: ProfileState) -> str:
    try:
        found = portal_link(session, item.profile.account_id, item.profile.role_name)
    except CredtrayError:  # no address for a browser: then there is none to click
        return ""
    return found if found.startswith("https://") else ""


# --- history ---------------------------------------------------------------------------------------------

_MOST_SENTENCES = 500


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened."""

    at: str
    text: str
    kind: str
    """``failed``, ``you``, ``given``, ``machine`` or ``itself``: what a person looks for."""


@dataclass(frozen=True, slots=True)
class Day:
    """What happened on one day, the latest first."""

    name: str
    happenings: tuple[Happening, ...]


_FAILURES = frozenset(
    {
        Kind.KEYS_REFUSED,
        Kind.KEYS_FAILED,
        Kind.KEYS_DENIED,
        Kind.ENDPOINT_REFUSED,
        Kind.RENEWAL_FAILED,
        Kind.RENEWAL_REFUSED,
        Kind.SIGN_IN_FAILED,
        Kind.FILE_FAILED,
    }
)
_BY_ITSELF = frozenset({Kind.KEYS_FETCHED, Kind.TOKEN_RENEWED})
_MACHINE = frozenset(
    {Kind.SLEPT, Kind.WOKE, Kind.OFFLINE, Kind.ONLINE, Kind.AGENT_STARTED, Kind.AGENT_STOPPED}
)
_PROGRAMS = frozenset({Way.ENDPOINT, Way.PROCESS, Way.SHELL, Way.EXEC})


def happened(past: Sequence[Entry], now: datetime, zone: tzinfo | None) -> tuple[Day, ...]:
    """Return the last 24 hours in sentences, the latest first."""
    lately = [entry for entry in past if now - entry.at <= DAY_BACK]
    told = sentences(lately, zone)[-_MOST_SENTENCES:]
    today = now.astimezone(zone).date()
    return tuple(
        Day(
            "Today" if date == today else f"{date:%A} {date.day} {date:%B}",
            tuple(map(partial(_told, zone), day)),
        )
        for date, day in groupby(reversed(told), lambda each: each.at.astimezone(zone).date())
    )


def _told(zone: tzinfo | None, sentence: Sentence) -> Happening:
    return Happening(
        sentence.at.astimezone(zone).strftime("%H:%M"),
        plain(sentence.text, 400),
        _matters(sentence.entries[0]),
    )


def _matters(entry: Entry) -> str:
    if entry.kind in _FAILURES:
        return "failed"
    if entry.kind in _BY_ITSELF or entry.way is Way.FILE:
        return "itself"
    if entry.kind in _MACHINE:
        return "machine"
    return "given" if entry.way in _PROGRAMS else "you"
