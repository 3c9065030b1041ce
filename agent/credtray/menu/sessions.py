"""The menu's sso-sessions: how each stands, and what a person can do about it. Pure; builds items only.

A row keeps its place whatever happens: what is of no use now is shown disabled. What costs something takes a
second click, in a submenu that says what.
"""

from __future__ import annotations

from collections.abc import Iterator

from credtray.core.clicks import (
    CopySetupCommand,
    CopySignInLink,
    ShowSession,
)
from credtray.core.icon_state import Shape
from credtray.core.identity import is_other
from credtray.core.notice_texts import other_person_buttons
from credtray.core.protocol import CancelLogin, Login, Logout
from credtray.core.state import SignInStatus, State
from credtray.core.state_words import headline, meanwhile, person_words, session_troubles, sign_in_left
from credtray.core.summary import SessionSummary, Summary
from credtray.core.words import plain
from credtray.menu import Item, Kind

MOST = 8
"""Sessions at the top of the menu; the others wait in a submenu."""
_LONGEST_ADDRESS = 80
_WANTS_SIGN_IN = frozenset({Shape.ENDED, Shape.SOON, Shape.SIGNED_OUT})
"""Where the next step is a person's sign-in."""
_ROOM = 54
"""Characters of the longest usual headline after the session's name."""


def session_menus(seen: Summary) -> Iterator[Item]:
    """Yield the items of all sessions: at the top for a single one, else a submenu for each."""
    sessions = tuple(seen.sessions.values())
    if len(sessions) == 1:
        (session,) = sessions
        name = session.name
        # Clickable, so that no panel greys out the line that matters most.
        label, room = headline(seen, session), _room(session)
        yield Item(f"session:{name}", Kind.COMMAND, label, ShowSession(name), room=room)
        yield _person(session)
        yield from _actions(seen, session, wanted=_wants_sign_in(session))
        return
    yield from _wanted(seen)
    if len(sessions) > MOST:
        sessions = tuple(sorted(sessions, key=lambda each: each.name not in seen.mattering))
    yield from (_submenu(seen, session) for session in sessions[:MOST])
    rest = tuple(_submenu(seen, session) for session in sessions[MOST:])
    if rest:
        yield Item("sessions-more", Kind.SUBMENU, f"{len(rest)} more sessions", children=rest)


def sign_outs(seen: Summary) -> Iterator[Item]:
    """Yield the submenu with the end of each sign-in, and what that costs; nothing without a session."""
    ends = tuple(_sign_out(seen, session) for session in seen.sessions.values())
    if ends:
        signed_in = any(end.enabled for end in ends)
        yield Item("sign-out", Kind.SUBMENU, "Sign out", enabled=signed_in, children=ends)


def _sign_out(seen: Summary, session: SessionSummary) -> Item:
    name = session.name
    cost = _cost(seen.state, name)
    label = f"Yes, sign out of {plain(name)}" + (f" ({cost})" if cost else "")
    there = session.sign_in.status is not SignInStatus.SIGNED_OUT
    return Item(f"sign-out:{name}", Kind.COMMAND, label, Logout(name), enabled=there)


def _cost(state: State, session: str) -> str:
    """Tell how many profiles lose their keys by signing out; empty for none."""
    count = sum(state.profiles[name].profile.session == session for name in state.kept)
    if not count:
        return ""
    if not state.settings.remove_keys_at_sign_out:
        return "keys stay until they expire, and are not renewed"
    return "1 active profile loses its keys" if count == 1 else f"{count} active profiles lose their keys"


def problems_item(key: str, lines: tuple[str, ...]) -> Item:
    """Return the row that says whether there are problems, with a line for each in its submenu.

    Its label is short whatever they are: a row that grows while the menu is open is clipped by some panels.
    """
    if not lines:
        return Item(key, Kind.TEXT, "No problems")
    shown = tuple(Item(f"{key}-{place}", Kind.TEXT, line) for place, line in enumerate(lines))
    return Item(
        key, Kind.SUBMENU, "1 problem" if len(lines) == 1 else f"{len(lines)} problems", children=shown
    )


def _wanted(seen: Summary) -> Iterator[Item]:
    """Yield the sign-in that a click on the icon begins: of the most urgent session, if it needs one."""
    for session in seen.by_urgency()[:1]:
        wanted, name = _wants_sign_in(session), session.name
        label = f"Sign in to {plain(name)}" if wanted else "Sign in"
        login = Login(name, fresh=_is_signed_in(session))
        yield Item(f"sign-in-wanted:{name}", Kind.COMMAND, label, login, enabled=wanted, default=wanted)


def _wants_sign_in(session: SessionSummary) -> bool:
    return session.shape in _WANTS_SIGN_IN


def _is_signed_in(session: SessionSummary) -> bool:
    # While it lasts a plain sign-in would change nothing: a person who clicks wants a later end.
    return session.sign_in.status is SignInStatus.SIGNED_IN


def _submenu(seen: Summary, session: SessionSummary) -> Item:
    name = session.name
    problems = problems_item(f"session-problems:{name}", tuple(session_troubles(seen, session)))
    children = (_person(session), problems, *_actions(seen, session, wanted=False))
    label, room = headline(seen, session), _room(session)
    return Item(f"session:{name}", Kind.SUBMENU, label, children=children, room=room)


def _person(session: SessionSummary) -> Item:
    """Return the row that says who is signed in; when it is another person, it opens what can be done."""
    name, known, signed_in = session.name, session.state.identity, session.sign_in.status
    other = signed_in is SignInStatus.SIGNED_IN and is_other(session.state)
    choices = other_person_buttons(name, known.person or "", known.expected or "")
    children = tuple(
        Item(f"person-{number}:{name}", Kind.COMMAND, choice.label, choice.click, enabled=other)
        for number, choice in enumerate(choices)
    )
    label = "Nobody is signed in"
    if signed_in is SignInStatus.SIGNED_IN:
        words = person_words(session.state)
        label = f"{words[:1].upper()}{words[1:]}" or "Signed in as: not known"
    return Item(f"person:{name}", Kind.SUBMENU, label, enabled=other, children=children)


def _room(session: SessionSummary) -> int:
    return len(plain(session.name)) + len(": ") + _ROOM


def _actions(seen: Summary, session: SessionSummary, *, wanted: bool) -> Iterator[Item]:
    name, fresh, pending = session.name, _is_signed_in(session), session.state.pending is not None
    at_once = not pending and (not fresh or _wants_sign_in(session))
    if fresh and not pending and not at_once:
        yield _new_sign_in(seen, session)
    else:
        label = "Sign in again" if fresh else "Sign in"
        yield Item(
            f"sign-in:{name}",
            Kind.COMMAND,
            label,
            Login(name, fresh=fresh),
            enabled=at_once,
            default=wanted,
        )
    device = Login(name, fresh=fresh, device=True)
    label = "Sign in on another device"
    yield Item(f"sign-in-device:{name}", Kind.COMMAND, label, device, enabled=at_once)
    yield _pending(seen, session)


def _new_sign_in(seen: Summary, session: SessionSummary) -> Item:
    """Return the sign-in that ends a present one of which much is left: the second click says so."""
    name, left = session.name, sign_in_left(session.sign_in, seen.now)
    cost = f"end the current one ({left} left)" if left else "end the current one"
    children = (
        Item(f"sign-in-yes:{name}", Kind.COMMAND, f"Yes, {cost}", Login(name, fresh=True, agreed=True)),
        Item(
            f"sign-in-device-yes:{name}",
            Kind.COMMAND,
            f"Yes, {cost}, on another device",
            Login(name, fresh=True, device=True, agreed=True),
        ),
    )
    return Item(f"sign-in:{name}", Kind.SUBMENU, "New sign-in…", children=children)


def _pending(seen: Summary, session: SessionSummary) -> Item:
    name, pending = session.name, session.state.pending
    url = pending.url if pending is not None else None
    lines = []
    if pending is not None and pending.user_code is not None and url is not None:
        lines.append(f"On any device: {plain(url.partition('?')[0], _LONGEST_ADDRESS)}")
    if told := meanwhile(seen, session):
        lines.append(told)
    link = CopySignInLink(name)
    children = (
        *(Item(f"sign-in-note-{place}:{name}", Kind.TEXT, line) for place, line in enumerate(lines)),
        Item(f"sign-in-link:{name}", Kind.COMMAND, "Copy sign-in link", link, enabled=url is not None),
        Item(
            f"sign-in-cancel:{name}",
            Kind.COMMAND,
            "Cancel sign-in",
            CancelLogin(name),
            enabled=pending is not None,
        ),
    )
    there = pending is not None
    return Item(
        f"sign-in-pending:{name}", Kind.SUBMENU, "Sign-in under way", enabled=there, children=children
    )


def setup_items(lacking: str) -> Iterator[Item]:
    """Yield what is missing before anything can be done, and the way on."""
    yield Item("set-up", Kind.TEXT, f"{lacking}: run setup in a terminal")
    yield Item("set-up-copy", Kind.COMMAND, "Copy the setup command", CopySetupCommand())
